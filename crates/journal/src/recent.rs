//! The newest entries of a log, in memory: all that are not yet written, and of the others as many
//! as the budget allows.

use std::collections::VecDeque;

use crate::Entry;

/// What an entry is taken to cost besides its payload.
const ENTRY_BYTES: usize = 96;

struct Cached {
    entry: Entry,
    /// The number of the request's step that appended it; once that is written, it may be dropped.
    step: u64,
}

/// A gapless run of entries that ends with the log's last.
#[derive(Default)]
pub(crate) struct Recent {
    entries: VecDeque<Cached>,
    bytes: usize,
}

impl Recent {
    /// The index of the oldest that is here.
    pub(crate) fn first(&self) -> Option<u64> {
        self.entries.front().map(|cached| cached.entry.id.index)
    }

    pub(crate) fn push(&mut self, entry: Entry, step: u64) {
        self.bytes += cost(&entry);
        self.entries.push_back(Cached { entry, step });
    }

    /// Drops the entries from an index on.
    pub(crate) fn truncate(&mut self, from: u64) {
        while self.entries.back().is_some_and(|cached| cached.entry.id.index >= from) {
            self.bytes -= self.entries.pop_back().map_or(0, |cached| cost(&cached.entry));
        }
    }

    /// Drops the entries before an index.
    pub(crate) fn purge(&mut self, first: u64) {
        while self.first().is_some_and(|index| index < first) {
            self.drop_oldest();
        }
    }

    /// Drops the oldest that are written while there are more bytes than the budget.
    pub(crate) fn evict(&mut self, written_step: u64, budget_bytes: usize) {
        while self.bytes > budget_bytes && self.entries.front().is_some_and(|cached| cached.step <= written_step) {
            self.drop_oldest();
        }
    }

    /// The entries from `start` on, which must be here, before `end`, at least one and up to so many bytes.
    pub(crate) fn read(&self, start: u64, end: u64, max_bytes: usize) -> Vec<Entry> {
        let Some(skipped) = self.first().and_then(|first| start.checked_sub(first)) else { return Vec::new() };
        let mut left = max_bytes;
        let mut entries = Vec::new();
        for cached in self.entries.range((skipped as usize).min(self.entries.len())..) {
            let bytes = cached.entry.payload.len();
            if cached.entry.id.index >= end || (bytes > left && !entries.is_empty()) {
                break;
            }
            left = left.saturating_sub(bytes);
            entries.push(cached.entry.clone());
        }
        entries
    }

    fn drop_oldest(&mut self) {
        self.bytes -= self.entries.pop_front().map_or(0, |cached| cost(&cached.entry));
    }
}

fn cost(entry: &Entry) -> usize {
    entry.payload.len() + ENTRY_BYTES
}
