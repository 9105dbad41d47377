//! Questions to apply about what it alone knows, answered between two entries.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use model::PartitionId;
use tokio::sync::oneshot;

/// A producer that may go on where it was, as DescribeProducers shows it (KIP-664).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveProducer {
    /// The producer's id.
    pub id: i64,
    /// Its epoch.
    pub epoch: i16,
    /// Sequence of the last record appended.
    pub last_sequence: i32,
    /// The shard's clock at the last append.
    pub last_append_ms: i64,
}

/// Who asks for a partition's producers; none are sent where the partition is not there.
type Question = (PartitionId, oneshot::Sender<Vec<ActiveProducer>>);

/// Questions that are not answered yet: one for each request in work.
#[derive(Default)]
pub(crate) struct Questions {
    /// Spares apply the lock where nobody asks.
    any: AtomicBool,
    asked: Mutex<Vec<Question>>,
}

impl Questions {
    /// Asks for the producers of a partition. The next entry that is applied brings the answer.
    pub(crate) fn ask(&self, partition: PartitionId) -> oneshot::Receiver<Vec<ActiveProducer>> {
        let (answer, answered) = oneshot::channel();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push((partition, answer));
        self.any.store(true, Ordering::Release);
        answered
    }

    /// Answers all that was asked.
    pub(crate) fn answer(&self, producers: impl Fn(PartitionId) -> Option<Vec<ActiveProducer>>) {
        if !self.any.swap(false, Ordering::Acquire) {
            return;
        }
        let asked = std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner));
        for (partition, answer) in asked {
            if let Some(producers) = producers(partition) {
                drop(answer.send(producers)); // who asked may have gone
            }
        }
    }
}
