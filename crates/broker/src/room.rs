//! Room on the disk. Apply must not fail, so nothing is admitted that would not fit: below the
//! reserve produce is refused with an error that clients retry, while reads, deletes and retention
//! go on.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use disk::Disk;
use journal::Journal;
use model::ErrorCode;
use shard::Health;

use crate::admission::Refused;

/// Whether there is room, looked up now and then.
pub(crate) struct Room {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// Free bytes that are kept (`disk.reserve.bytes`): all proposals that may be in flight, written
    /// once more to the segments, the next journal file, and a checkpoint.
    reserve_bytes: u64,
    full: AtomicBool,
}

impl Room {
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: PathBuf, reserve_bytes: u64) -> Self {
        Room { disk, dir, reserve_bytes, full: AtomicBool::new(false) }
    }

    /// Refuses a write where there is no room for it.
    pub(crate) fn admit(&self, health: &Health) -> Result<(), Refused> {
        if self.full.load(Ordering::Relaxed) {
            let message = format!("less than {} MiB are free on the broker's disk", self.reserve_bytes >> 20);
            return Err(Refused { code: ErrorCode::KafkaStorageError, message: Some(message), record: None });
        }
        if !health.accepts_writes() {
            let message = Some(health.reason());
            return Err(Refused { code: ErrorCode::KafkaStorageError, message, record: None });
        }
        Ok(())
    }

    /// Whether there was no room at the last look.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Looks how much is free.
    pub(crate) fn look(&self, journal: &Journal) {
        let full = match self.disk.available_bytes(&self.dir) {
            Ok(available) => available < self.reserve_bytes || journal.out_of_room(),
            Err(why) => {
                tracing::warn!(%why, "cannot tell how much room the disk has");
                return;
            }
        };
        if full != self.full.swap(full, Ordering::Relaxed) {
            match full {
                true => tracing::error!(
                    reserve_bytes = self.reserve_bytes,
                    "the disk is full; produce is refused until there is room"
                ),
                false => tracing::info!("the disk has room again"),
            }
        }
    }
}
