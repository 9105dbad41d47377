//! Room on the disk. Apply must not fail, so nothing is admitted that would not fit: below the
//! reserve, and while the journal holds too much, produce is refused with an error that clients retry;
//! reads, deletes and retention go on.

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use disk::Disk;
use journal::Journal;
use model::ErrorCode;
use shard::Health;

use crate::admission::Refused;
use crate::sizes::Sizes;

/// The journal may hold so many times the bytes that make a checkpoint due. Checkpoints that fall behind
/// that far free nothing (a shard is damaged, or can't write), or less than is produced, and neither the
/// disk nor the next start is to pay for that without a bound.
const MOST_CHECKPOINTS_BEHIND: u64 = 16;

/// Whether there is room, looked up now and then.
pub(crate) struct Room {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// Free bytes that are kept (`disk.reserve.bytes`): all proposals that may be in flight, written
    /// once more to the segments, the next journal file, and a checkpoint.
    reserve_bytes: u64,
    most_live_bytes: u64,
    full: AtomicBool,
    behind: AtomicBool,
    /// What may still be admitted before the next look: a fast disk takes more between two looks
    /// than the reserve holds.
    left_bytes: AtomicU64,
}

impl Room {
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: PathBuf, sizes: Sizes) -> Self {
        Room {
            disk,
            dir,
            reserve_bytes: sizes.reserve_bytes,
            most_live_bytes: sizes.checkpoint_bytes.saturating_mul(MOST_CHECKPOINTS_BEHIND),
            full: AtomicBool::new(false),
            behind: AtomicBool::new(false),
            left_bytes: AtomicU64::new(0),
        }
    }

    /// Refuses a write of so many bytes where there is no room for it. `live_bytes` is what the journal
    /// holds.
    pub(crate) fn admit(&self, health: &Health, live_bytes: u64, bytes: usize) -> Result<(), Refused> {
        let why = if !health.accepts_writes() {
            health.reason()
        } else if self.is_behind(live_bytes) {
            format!("no checkpoint has freed the {} MiB in the broker's journal", self.most_live_bytes >> 20)
        } else if self.full.load(Ordering::Relaxed) || !self.take(bytes as u64) {
            format!("less than {} MiB are free on the broker's disk", self.reserve_bytes >> 20)
        } else {
            return Ok(());
        };
        Err(Refused::because(ErrorCode::KafkaStorageError, why))
    }

    fn is_behind(&self, live_bytes: u64) -> bool {
        let behind = live_bytes > self.most_live_bytes;
        if behind != self.behind.load(Ordering::Relaxed) && behind != self.behind.swap(behind, Ordering::Relaxed) {
            match behind {
                true => tracing::error!(
                    live_bytes,
                    "checkpoints do not free the journal; produce is refused until they have"
                ),
                false => tracing::info!("checkpoints have freed the journal"),
            }
        }
        behind
    }

    fn take(&self, bytes: u64) -> bool {
        let less = |left: u64| left.checked_sub(bytes);
        let taken = self.left_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok();
        if !taken {
            self.set_full(true);
        }
        taken
    }

    /// Whether there was no room at the last look.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Looks how much is free.
    pub(crate) fn look(&self, journal: &Journal) {
        match self.disk.available_bytes(&self.dir) {
            Ok(available) => self.seen(available, journal.out_of_room()),
            Err(why) => tracing::warn!(%why, "cannot tell how much room the disk has"),
        }
    }

    fn seen(&self, available_bytes: u64, out_of_room: bool) {
        let margin_bytes = if self.full.load(Ordering::Relaxed) { self.margin_bytes() } else { 0 };
        self.left_bytes.store(available_bytes.saturating_sub(self.reserve_bytes), Ordering::Relaxed);
        self.set_full(available_bytes < self.reserve_bytes.saturating_add(margin_bytes) || out_of_room);
    }

    /// How much more than the reserve must be free before a full disk counts as one with room again:
    /// not every file that comes and goes is worth telling.
    fn margin_bytes(&self) -> u64 {
        (self.reserve_bytes / 16).max(1 << 20)
    }

    fn set_full(&self, full: bool) {
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
