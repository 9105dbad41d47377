//! Which part of a log is in memory for sure: what was appended lately.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Bytes of latest appends that are taken to be in the page cache. Between one and two of these are.
const WARM_BYTES: u64 = 16 << 20;

/// Where the warm part of a log begins. Moves with the appends of this process: after a start all is
/// cold, since nobody knows.
#[derive(Debug)]
pub(crate) struct Warmth {
    /// Offsets from here on are warm.
    from: AtomicI64,
    /// Where `from` moves to next.
    next: AtomicI64,
    /// Appended since `next`.
    bytes: AtomicU64,
}

impl Warmth {
    pub(crate) fn new(log_end: i64) -> Self {
        Warmth { from: AtomicI64::new(log_end), next: AtomicI64::new(log_end), bytes: AtomicU64::new(0) }
    }

    pub(crate) fn is_cold(&self, offset: i64) -> bool {
        offset < self.from.load(Ordering::Relaxed)
    }

    /// By the one writer: so many bytes were appended, and the log ends at `log_end` now.
    pub(crate) fn appended(&self, bytes: u64, log_end: i64) {
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes >= WARM_BYTES {
            self.bytes.store(0, Ordering::Relaxed);
            self.from.store(self.next.swap(log_end, Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_at_the_start_is_cold() {
        let warmth = Warmth::new(10);
        assert!(warmth.is_cold(9));
        assert!(!warmth.is_cold(10));
    }

    #[test]
    fn the_latest_appends_are_warm_and_grow_cold() {
        let warmth = Warmth::new(0);
        warmth.appended(WARM_BYTES, 100);
        assert!(!warmth.is_cold(0), "so much at least stays warm");
        warmth.appended(WARM_BYTES, 200);
        assert!(warmth.is_cold(99));
        assert!(!warmth.is_cold(100));
    }
}
