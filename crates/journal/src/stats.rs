//! What the journal tells of its work.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counters since the journal was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Merged writes.
    pub writes: u64,
    /// Calls of fdatasync.
    pub syncs: u64,
    /// Bytes written, with heads and padding.
    pub bytes: u64,
    /// Requests that these writes carried.
    pub requests: u64,
    /// Bytes of payload that wait to be written. The callers' budgets bound it.
    pub queued_bytes: u64,
    /// New files written with zeros.
    pub files_zeroed: u64,
    /// Purged files used again.
    pub files_recycled: u64,
    /// How often the writer had to wait for a file.
    pub stalls: u64,
}

/// The writer counts here, and tells what others ask for.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) writes: AtomicU64,
    pub(crate) syncs: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) files_zeroed: AtomicU64,
    pub(crate) files_recycled: AtomicU64,
    pub(crate) stalls: AtomicU64,
    /// Bytes since the oldest entry that is not purged.
    pub(crate) live_bytes: AtomicU64,
    /// The file being written.
    pub(crate) generation: AtomicU64,
    pub(crate) out_of_room: AtomicBool,
}

impl Counters {
    pub(crate) fn snapshot(&self, queued_bytes: u64) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            writes: get(&self.writes),
            syncs: get(&self.syncs),
            bytes: get(&self.bytes),
            requests: get(&self.requests),
            queued_bytes,
            files_zeroed: get(&self.files_zeroed),
            files_recycled: get(&self.files_recycled),
            stalls: get(&self.stalls),
        }
    }
}

/// Counts in a shared counter that only one thread writes.
pub(crate) fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
