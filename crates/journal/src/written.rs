//! A group as the files tell it: the same requests as in memory, applied once they are written (and
//! again by recovery).

use bytes::Bytes;

use crate::EntryId;
use crate::format::Position;
use crate::index::Places;

/// What one request does to a group.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Entries of these indexes, both included.
    Appended {
        first: u64,
        last: u64,
    },
    Vote(Bytes),
    Committed(EntryId),
    Purged(EntryId),
    /// The entries from this index on are gone.
    Truncated(u64),
    /// There never was anything.
    Forgotten,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) vote: Option<Bytes>,
    pub(crate) committed: Option<EntryId>,
    pub(crate) purged: Option<EntryId>,
    /// The index after the last entry.
    pub(crate) next: u64,
    pub(crate) places: Places,
    /// The number of the last step that is written; see `Recent`.
    pub(crate) step: u64,
}

impl Written {
    pub(crate) fn new() -> Self {
        Written { vote: None, committed: None, purged: None, next: 0, places: Places::new(), step: 0 }
    }

    /// The index after the last one purged.
    pub(crate) fn first(&self) -> u64 {
        self.purged.map_or(0, |id| id.index + 1)
    }

    /// The first index of which all from there on lie in files of this generation or later.
    pub(crate) fn first_from(&self, generation: u64) -> u64 {
        self.places.first_from(generation).unwrap_or(self.next).max(self.first())
    }

    /// A change stands in the write at this position.
    ///
    /// A purge may stand before entries that were appended before it (it overtakes them when the
    /// journal is full), so entries that are purged already are nothing wrong.
    pub(crate) fn apply(&mut self, change: &Change, write: Position) {
        match *change {
            Change::Appended { first, last } => {
                if last >= self.first() {
                    self.places.push(first, write);
                    self.next = last + 1;
                }
            }
            Change::Vote(ref vote) => self.vote = Some(vote.clone()),
            Change::Committed(id) => self.committed = Some(id),
            Change::Purged(id) => self.purge(id),
            Change::Truncated(from) => self.truncate(from.max(self.first())),
            Change::Forgotten => *self = Written { step: self.step, ..Written::new() },
        }
    }

    fn purge(&mut self, upto: EntryId) {
        self.purged = self.purged.or_later(upto);
        self.next = self.next.max(self.first());
        if self.next == self.first() {
            self.places.clear();
        } else {
            self.places.purge(self.first());
        }
    }

    fn truncate(&mut self, from: u64) {
        if from >= self.next {
            return;
        }
        self.next = from;
        if from == self.first() {
            self.places.clear();
        } else {
            self.places.truncate(from);
        }
    }
}

/// The later of two ids of one log.
pub(crate) trait Later {
    fn or_later(self, other: EntryId) -> Option<EntryId>;
}

impl Later for Option<EntryId> {
    fn or_later(self, other: EntryId) -> Option<EntryId> {
        match self {
            Some(id) if id.index >= other.index => Some(id),
            _ => Some(other),
        }
    }
}
