//! Whether a shard can take writes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Shared by apply, checkpoints and whoever admits writes.
#[derive(Debug, Default)]
pub struct Health {
    stalled: AtomicBool,
    failed: AtomicBool,
    term: AtomicU64,
    reason: Mutex<String>,
}

impl Health {
    /// Whether writes may be proposed.
    pub fn accepts_writes(&self) -> bool {
        !self.is_stalled() && !self.failed.load(Ordering::Acquire)
    }

    /// Whether committed entries wait for the disk; the next entry makes apply try again, and so does a checkpoint.
    pub fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Acquire)
    }

    /// Whether all that is committed before this term is in the logs. Until then a leader of the term knows less than
    /// clients were told by the one before, and must not answer.
    pub fn has_begun(&self, term: u64) -> bool {
        self.term.load(Ordering::Acquire) >= term
    }

    pub(crate) fn begin_term(&self, term: u64) {
        self.term.fetch_max(term, Ordering::AcqRel);
    }

    /// Whether a sync of partition logs, or of the manifest, failed. The pages are gone, a second sync
    /// would only seem to succeed: no checkpoint is taken any more, and a restart replays the journal.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Why writes are refused.
    pub fn reason(&self) -> String {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn stall(&self, why: &dyn std::fmt::Display) {
        if !self.stalled.swap(true, Ordering::AcqRel) {
            tracing::error!(%why, "partition logs cannot be written; produce is refused until they can");
            self.set_reason(why);
        }
    }

    pub(crate) fn recover(&self) {
        self.stalled.store(false, Ordering::Release);
        tracing::info!("partition logs can be written again");
    }

    pub(crate) fn fail(&self, why: &dyn std::fmt::Display) {
        if !self.failed.swap(true, Ordering::AcqRel) {
            tracing::error!(%why, "a checkpoint could not be synced; produce is refused until a restart replays the journal");
            self.set_reason(why);
        }
    }

    fn set_reason(&self, why: &dyn std::fmt::Display) {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = why.to_string();
    }
}
