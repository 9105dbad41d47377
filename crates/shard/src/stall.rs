//! Entries that are committed but could not be written to their partition logs, since the disk is
//! full in spite of the reserve, or answers with errors.
//!
//! Apply must not fail and must not skip. So it stalls: entries wait here in order and are tried
//! again with each new one; meanwhile the shard refuses produce, does not checkpoint (the journal
//! keeps what is missing), and goes on serving reads. Since nothing new is admitted while it
//! stalls, what waits is bounded by the proposals that were in flight.

use std::collections::VecDeque;

use bytes::Bytes;
use raft::EntryId;

pub(crate) struct Stall {
    entries: VecDeque<(EntryId, Bytes)>,
    /// Batches of the first entry that are in their logs already.
    done: usize,
    /// The term that began behind what waits, if one did.
    term: Option<u64>,
}

impl Stall {
    pub(crate) fn new(id: EntryId, payload: Bytes, done: usize) -> Self {
        Stall { entries: VecDeque::from([(id, payload)]), done, term: None }
    }

    pub(crate) fn defer(&mut self, id: EntryId, payload: Bytes) {
        self.entries.push_back((id, payload));
    }

    /// A term begins here, once all that waits is applied.
    pub(crate) fn defer_term(&mut self, term: u64) {
        self.term = Some(term);
    }

    pub(crate) fn deferred_term(&self) -> Option<u64> {
        self.term
    }

    /// The first entry and how many of its batches are done.
    pub(crate) fn next(&mut self) -> Option<(EntryId, Bytes, usize)> {
        let (id, payload) = self.entries.pop_front()?;
        Some((id, payload, std::mem::take(&mut self.done)))
    }

    /// Queues what waits in `other` behind what waits here.
    pub(crate) fn append_queue(&mut self, mut other: Stall) {
        self.entries.append(&mut other.entries);
        self.term = other.term;
    }
}
