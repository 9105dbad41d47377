//! What the rest of the broker may see of a shard: its partitions.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use model::PartitionId;
use tokio::sync::watch;

use crate::partition::Partition;

/// The partitions that live in a shard. Apply changes it, everybody else reads.
pub struct View {
    partitions: RwLock<BTreeMap<PartitionId, Arc<Partition>>>,
    /// Counts openings and closings.
    changes: watch::Sender<u64>,
}

impl View {
    pub(crate) fn new(partitions: BTreeMap<PartitionId, Arc<Partition>>) -> Self {
        View { partitions: RwLock::new(partitions), changes: watch::Sender::new(0) }
    }

    /// The partition, if its opening was applied.
    pub fn get(&self, id: PartitionId) -> Option<Arc<Partition>> {
        self.partitions.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// All partitions, in the order of their ids.
    pub fn all(&self) -> Vec<Arc<Partition>> {
        self.partitions.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.partitions.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells of every opening and closing.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(crate) fn insert(&self, partition: Arc<Partition>) {
        self.partitions.write().unwrap_or_else(PoisonError::into_inner).insert(partition.id, partition);
    }

    pub(crate) fn remove(&self, id: PartitionId) -> Option<Arc<Partition>> {
        let removed = self.partitions.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        if let Some(partition) = &removed {
            partition.changed();
        }
        removed
    }

    pub(crate) fn announce(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}
