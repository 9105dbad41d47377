//! What the rest of the broker may see of a shard: its partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use model::PartitionId;
use tokio::sync::watch;

use crate::partition::{Partition, Stage};

/// The partitions that live in a shard. Apply changes it, everybody else reads.
///
/// Those on their way to or from another shard are here too: [`Partition::stage`] tells.
pub struct View {
    partitions: RwLock<BTreeMap<PartitionId, Arc<Partition>>>,
    /// Those on their way to or from another shard.
    moving: Mutex<BTreeSet<PartitionId>>,
    /// Counts openings and closings.
    changes: watch::Sender<u64>,
    /// Version of the newest cluster image that was acted on.
    image_version: AtomicU64,
}

impl View {
    pub(crate) fn new(partitions: BTreeMap<PartitionId, Arc<Partition>>) -> Self {
        View {
            partitions: RwLock::new(partitions),
            moving: Mutex::default(),
            changes: watch::Sender::new(0),
            image_version: 0.into(),
        }
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

    /// Version of the newest cluster image by which partitions were opened or closed. Who knows an older one only
    /// can't tell what should be open.
    pub fn image_version(&self) -> u64 {
        self.image_version.load(Ordering::Relaxed)
    }

    pub(crate) fn set_image_version(&self, version: u64) {
        self.image_version.store(version, Ordering::Relaxed);
    }

    /// Those on their way to or from another shard.
    pub fn in_motion(&self) -> Vec<Arc<Partition>> {
        let moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner).clone();
        moving.into_iter().filter_map(|id| self.get(id)).collect()
    }

    pub(crate) fn moving(&self, id: PartitionId, moves: bool) {
        let mut moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        if moves {
            moving.insert(id);
        } else {
            moving.remove(&id);
        }
    }

    pub(crate) fn insert(&self, partition: Arc<Partition>) {
        self.moving(partition.id, partition.stage() != Stage::Serving);
        self.partitions.write().unwrap_or_else(PoisonError::into_inner).insert(partition.id, partition);
    }

    pub(crate) fn remove(&self, id: PartitionId) -> Option<Arc<Partition>> {
        let removed = self.partitions.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        self.moving(id, false);
        if let Some(partition) = &removed {
            partition.changed();
        }
        removed
    }

    pub(crate) fn announce(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}
