//! What the journal keeps: entries of Raft logs.

use bytes::Bytes;

/// The identity of an entry: the leader that wrote it, and its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct EntryId {
    /// The leader's term.
    pub term: u64,
    /// The leader.
    pub node: i32,
    /// Place in the group's log.
    pub index: u64,
}

/// One entry of a group's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its place and origin.
    pub id: EntryId,
    /// The caller's; only [`Entry::MEMBERSHIP`] means something to the journal.
    pub kind: u8,
    /// The caller's. The cache of recent entries holds on to it, so it must own its bytes and not be
    /// a slice of some larger buffer.
    pub payload: Bytes,
}

impl Entry {
    /// The blank entry of a new leader.
    pub const BLANK: u8 = 0;
    /// An ordinary entry.
    pub const NORMAL: u8 = 1;
    /// A membership: fsynced in relaxed mode too.
    pub const MEMBERSHIP: u8 = 2;
}

/// What a group's log is, as the last request left it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GroupState {
    /// The vote, as the caller encoded it.
    pub vote: Option<Bytes>,
    /// The last entry known to be committed.
    pub committed: Option<EntryId>,
    /// The last entry that was purged.
    pub purged: Option<EntryId>,
    /// The last entry; the purged one if nothing follows it.
    pub last: Option<EntryId>,
}
