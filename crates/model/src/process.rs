//! Tasks of one process among several that share a thread.
//!
//! A simulated cluster runs several brokers in one thread. Each has a [`Process`], which can be stopped
//! like a frozen one and killed like a real one. What a task of a process spawns through [`spawn`] belongs
//! to the same process; where no process is simulated, that is `tokio::spawn` and no more.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};

thread_local! {
    /// Whose task runs on this thread now.
    static CURRENT: RefCell<Option<Process>> = const { RefCell::new(None) };
}

/// Spawns a task of the process that the caller belongs to.
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match Process::current() {
        None => tokio::spawn(work),
        Some(process) => tokio::spawn(process.run(work)),
    }
}

/// As [`spawn`], in this runtime.
pub fn spawn_in<F>(runtime: &Handle, work: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match Process::current() {
        None => runtime.spawn(work),
        Some(process) => runtime.spawn(process.run(work)),
    }
}

/// As [`spawn`], as one of a set.
pub fn spawn_on<F>(set: &mut JoinSet<F::Output>, work: F)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match Process::current() {
        None => set.spawn(work),
        Some(process) => set.spawn(process.run(work)),
    };
}

/// A simulated process: see the module. A clone is the same process.
#[derive(Debug, Clone, Default)]
pub struct Process(Arc<Mutex<State>>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Runs,
    /// Nothing of it runs; those who wanted to.
    Paused(Vec<Waker>),
    Dead,
}

impl Process {
    fn current() -> Option<Process> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Makes `work` a task of this process. Once the process is dead, it never ends.
    pub fn run<F: Future>(&self, work: F) -> Task<F> {
        Task { process: self.clone(), work: Some(Box::pin(work)) }
    }

    /// Calls `work` as something that this process does: what it spawns belongs to the process.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        /// Puts back who was there before, even if `work` panics.
        struct Before(Option<Process>);
        impl Drop for Before {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        let _before = Before(CURRENT.replace(Some(self.clone())));
        work()
    }

    /// Stops all of its tasks where they are, as SIGSTOP does.
    pub fn pause(&self) {
        let mut state = self.state();
        if matches!(*state, State::Runs) {
            *state = State::Paused(Vec::new());
        }
    }

    /// Lets its tasks go on, as SIGCONT does.
    pub fn resume(&self) {
        if matches!(*self.state(), State::Paused(_)) {
            self.become_and_wake(State::Runs);
        }
    }

    /// None of its tasks runs again.
    pub fn kill(&self) {
        self.become_and_wake(State::Dead);
    }

    fn become_and_wake(&self, next: State) {
        let before = std::mem::replace(&mut *self.state(), next);
        if let State::Paused(waiting) = before {
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task of a [`Process`].
#[derive(Debug)]
pub struct Task<F> {
    process: Process,
    work: Option<Pin<Box<F>>>,
}

impl<F: Future> Future for Task<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let process = self.process.clone();
        let dead = match &mut *process.state() {
            State::Runs => false,
            State::Paused(waiting) => {
                waiting.push(context.waker().clone());
                return Poll::Pending;
            }
            State::Dead => true,
        };
        process.within(|| match &mut self.work {
            Some(work) if !dead => work.as_mut().poll(context),
            work => {
                *work = None;
                Poll::Pending
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;

    /// Counts once a second, in a task that was spawned by a task of the process.
    fn counting(process: &Process) -> Arc<AtomicUsize> {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        tokio::spawn(process.run(async move {
            spawn(async move {
                loop {
                    sleep(Duration::from_secs(1)).await;
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            });
        }));
        count
    }

    const HALF_A_SECOND: Duration = Duration::from_millis(500);

    #[tokio::test(start_paused = true)]
    async fn a_paused_process_does_nothing_and_goes_on_where_it_was() {
        let (process, other) = (Process::default(), Process::default());
        let (count, of_other) = (counting(&process), counting(&other));
        sleep(Duration::from_secs(1) + HALF_A_SECOND).await;
        process.pause();
        sleep(Duration::from_secs(10)).await;
        assert_eq!((count.load(Ordering::Relaxed), of_other.load(Ordering::Relaxed)), (1, 11));
        process.resume();
        sleep(HALF_A_SECOND / 2).await;
        assert_eq!(count.load(Ordering::Relaxed), 2, "its timer fires late, and once");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_of_a_killed_process_runs_again() {
        let process = Process::default();
        let count = counting(&process);
        sleep(HALF_A_SECOND).await;
        process.pause();
        process.kill();
        process.resume();
        sleep(Duration::from_secs(10)).await;
        assert_eq!((count.load(Ordering::Relaxed), Arc::strong_count(&count)), (0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_spawned_outside_of_a_process_belongs_to_none() {
        let process = Process::default();
        process.within(|| ());
        let begun = Instant::now();
        let done = spawn(sleep(HALF_A_SECOND));
        process.kill();
        done.await.unwrap();
        assert_eq!(begun.elapsed(), HALF_A_SECOND);
    }
}
