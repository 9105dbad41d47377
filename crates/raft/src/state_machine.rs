//! What a group applies its entries to.

use std::fmt::Debug;
use std::io;

use bytes::Bytes;
use journal::EntryId;

/// How far a state machine has come: what it stores with each checkpoint and tells at start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The last entry that is in the state.
    pub id: EntryId,
    /// The members as of that entry, in this crate's own encoding; kept, never looked into.
    pub membership: Bytes,
}

/// A deterministic state machine: all replicas that applied the same entries are alike.
///
/// All methods run on the group's own thread, one after another.
pub trait StateMachine: Send + 'static {
    /// What an apply answers to its proposer.
    type Response: Send + Debug + 'static;

    /// What the last durable checkpoint holds; `None` on an empty directory. Asked once, at start:
    /// later entries are then applied again, so state beyond the checkpoint must be gone by now.
    fn applied(&self) -> Option<Applied>;

    /// Applies one proposal. It may block on files but it must not fail: admission keeps enough
    /// room on the disk beforehand.
    fn apply(&mut self, id: EntryId, payload: &Bytes) -> Self::Response;

    /// The first entry of a new leader was applied: `id.term` is the term, `id.node` leads it.
    fn term_started(&mut self, id: EntryId);

    /// Captures what a checkpoint at `applied` needs, and gives back its blocking part: fsync the
    /// files, then commit to the manifest, `applied` with it. It runs through
    /// [`model::Executor::blocking`] while further entries are applied; entries up to `applied.id`
    /// are purged from the journal once it has succeeded. One runs at a time.
    fn checkpoint(&mut self, applied: Applied) -> Box<dyn FnOnce() -> io::Result<()> + Send>;
}
