//! The state of a group: in memory, as all requests so far leave it, and as written.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Mutex;

use model::GroupId;

use crate::entry::EntryId;
use crate::format::Position;
use crate::index::Terms;
use crate::recent::Recent;
use crate::written::{Change, Later, Written};
use crate::{Damage, Entry, GroupState, lock};

/// Writes looked at by one read: enough for any answer's worth of bytes in practice.
const MAX_WRITES_PER_READ: usize = 64;

/// A group, shared by its handles, the queue and the writer.
pub(crate) struct Group {
    pub(crate) id: GroupId,
    pub(crate) state: Mutex<State>,
}

/// See the module. The fields above `written` run ahead of it.
pub(crate) struct State {
    pub(crate) told: GroupState,
    terms: Terms,
    recent: Recent,
    last_step: u64,
    pub(crate) written: Written,
    pub(crate) fence: Option<Fence>,
}

/// What recovery found wrong with a group. It takes no requests as long as this is there.
#[derive(Clone)]
pub(crate) struct Fence {
    pub(crate) damage: Damage,
    /// Where the journal began when that was found.
    pub(crate) start: Position,
    /// The entries that can't be read, if that is all.
    pub(crate) bad_entries: Option<Vec<u64>>,
}

/// Where a read finds its entries.
pub(crate) enum Found {
    InMemory(Vec<Entry>),
    InFiles { writes: Vec<(Range<u64>, Position)>, range: Range<u64> },
}

impl Group {
    pub(crate) fn new(id: GroupId, state: State) -> Self {
        Group { id, state: Mutex::new(state) }
    }

    /// A step of the group's requests stands in the write at this position.
    pub(crate) fn written(&self, change: &Change, write: Position, step: u64, cache_bytes: usize) {
        let mut state = lock(&self.state);
        state.written.apply(change, write);
        state.written.step = state.written.step.max(step);
        state.evict(cache_bytes);
    }

    /// The oldest write that is needed: the one that holds the oldest entry that is not purged; of a damaged group
    /// all, so that all is as it was once the bytes are right again.
    pub(crate) fn oldest_place(&self) -> Option<Position> {
        let state = lock(&self.state);
        state.fence.as_ref().map(|fence| fence.start).or_else(|| state.written.places.oldest())
    }
}

impl State {
    /// The state that recovery read from the files.
    pub(crate) fn recovered(written: Written, terms: Terms, fence: Option<Fence>) -> Self {
        let last = written.next.checked_sub(1).filter(|index| *index >= written.first()).and_then(|i| terms.id(i));
        let told = GroupState {
            vote: written.vote.clone(),
            committed: written.committed,
            purged: written.purged,
            last: last.or(written.purged),
        };
        State { told, terms, recent: Recent::default(), last_step: 0, written, fence }
    }

    /// Takes numbers for so many steps; returns the first.
    pub(crate) fn take_steps(&mut self, count: u64) -> u64 {
        let first = self.last_step + 1;
        self.last_step += count;
        first
    }

    /// Appends in memory, if the entries follow on the last one.
    pub(crate) fn append(&mut self, entries: &[Entry], first_step: u64) {
        for (step, entry) in (first_step..).zip(entries) {
            self.terms.push(entry.id);
            self.recent.push(entry.clone(), step);
            self.told.last = Some(entry.id);
        }
    }

    /// Whether these entries are one after another, and follow on the last one.
    pub(crate) fn check_consecutive(&self, entries: &[Entry]) -> io::Result<()> {
        let found = entries.iter().map(|entry| entry.id.index);
        match (self.next()..).zip(found).find(|(expected, found)| expected != found) {
            None => Ok(()),
            Some((expected, found)) => Err(io::Error::new(
                ErrorKind::InvalidInput,
                format!("entry {found} does not follow: the log's next is {expected}"),
            )),
        }
    }

    /// Keeps memory within the budget as far as what is written allows.
    pub(crate) fn evict(&mut self, cache_bytes: usize) {
        self.recent.evict(self.written.step, cache_bytes);
    }

    pub(crate) fn truncate(&mut self, from: u64) {
        let from = from.max(self.first());
        if from >= self.next() {
            return;
        }
        let last = from.checked_sub(1).filter(|last| *last >= self.first()).and_then(|last| self.terms.id(last));
        self.told.last = last.or(self.told.purged);
        self.terms.truncate(from);
        self.recent.truncate(from);
    }

    pub(crate) fn purge(&mut self, upto: EntryId) {
        self.told.purged = self.told.purged.or_later(upto);
        self.told.last = self.told.last.or_later(upto);
        self.terms.purge(upto.index + 1);
        self.recent.purge(upto.index + 1);
    }

    /// As if nothing had ever been asked for.
    pub(crate) fn forget(&mut self) {
        self.told = GroupState::default();
        self.terms = Terms::new();
        self.recent.truncate(0);
    }

    /// The id of an entry that is there, or of the last one purged.
    pub(crate) fn entry_id(&self, index: u64) -> Option<EntryId> {
        if (self.first()..self.next()).contains(&index) {
            return self.terms.id(index);
        }
        self.told.purged.filter(|id| id.index == index)
    }

    /// Where the entries of a range are, from its start on; not necessarily up to its end.
    pub(crate) fn find(&self, range: Range<u64>, max_bytes: usize) -> io::Result<Found> {
        if range.is_empty() {
            return Ok(Found::InMemory(Vec::new()));
        }
        if self.entry_id(range.start).is_none() || range.start < self.first() {
            let (start, first, next) = (range.start, self.first(), self.next());
            let what = format!("entry {start} is not in the log, which holds {first} to {next}, exclusive");
            return Err(io::Error::new(ErrorKind::NotFound, what));
        }
        let end = range.end.min(self.next());
        let in_memory_from = self.recent.first().unwrap_or(u64::MAX);
        if range.start >= in_memory_from {
            return Ok(Found::InMemory(self.recent.read(range.start, end, max_bytes)));
        }
        let writes = self.written.places.from(range.start, MAX_WRITES_PER_READ);
        Ok(Found::InFiles { writes, range: range.start..end.min(in_memory_from) })
    }

    pub(crate) fn is_recent(&self, index: u64) -> bool {
        self.recent.first().is_some_and(|first| first <= index)
    }

    fn first(&self) -> u64 {
        self.told.purged.map_or(0, |id| id.index + 1)
    }

    fn next(&self) -> u64 {
        self.told.last.map_or(0, |id| id.index + 1)
    }
}
