//! Fetches that wait for a partition to grow.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Those who wait for one partition. An idle partition's list is empty and owns no memory.
#[derive(Default, Debug)]
pub struct Waiters(Mutex<Vec<(u64, Arc<Notify>)>>);

static NEXT_KEY: AtomicU64 = AtomicU64::new(0);

impl Waiters {
    /// Wakes everybody. They stay in the list until they leave it themselves.
    pub fn wake(&self) {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().for_each(|(_, notify)| notify.notify_one());
    }

    fn join(&self, key: u64, notify: Arc<Notify>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((key, notify));
    }

    fn leave(&self, key: u64) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|(other, _)| *other != key);
        if waiting.is_empty() {
            waiting.shrink_to_fit();
        }
    }
}

/// One fetch's wait on all of its partitions; leaves their lists when dropped.
pub struct Wait {
    key: u64,
    notify: Arc<Notify>,
    joined: Vec<Arc<dyn AsRef<Waiters> + Send + Sync>>,
}

impl Wait {
    /// Joins the lists of all `partitions`. Look at them again before waiting: what was appended
    /// before this call wakes nobody.
    pub fn on<P>(partitions: impl IntoIterator<Item = Arc<P>>) -> Self
    where
        P: AsRef<Waiters> + Send + Sync + 'static,
    {
        let key = NEXT_KEY.fetch_add(1, Ordering::Relaxed);
        let notify = Arc::new(Notify::new());
        let mut joined: Vec<Arc<dyn AsRef<Waiters> + Send + Sync>> = Vec::new();
        for partition in partitions {
            (*partition).as_ref().join(key, notify.clone());
            joined.push(partition);
        }
        Wait { key, notify, joined }
    }

    /// Returns when one of the partitions has changed since the last call.
    pub async fn changed(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.joined.iter().for_each(|partition| (**partition).as_ref().leave(self.key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Partition(Waiters);

    impl AsRef<Waiters> for Partition {
        fn as_ref(&self) -> &Waiters {
            &self.0
        }
    }

    #[tokio::test]
    async fn a_wait_ends_when_any_of_its_partitions_grows() {
        let partitions = [Arc::new(Partition(Waiters::default())), Arc::new(Partition(Waiters::default()))];
        let wait = Wait::on(partitions.iter().cloned());
        partitions[1].0.wake();
        wait.changed().await;
    }

    #[tokio::test]
    async fn a_wait_leaves_nothing_behind() {
        let partition = Arc::new(Partition(Waiters::default()));
        drop(Wait::on([partition.clone()]));
        assert_eq!(partition.0.0.lock().unwrap().capacity(), 0);
    }
}
