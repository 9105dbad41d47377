//! What a group applies its entries to.

use std::fmt::Debug;
use std::io;

use bytes::Bytes;
use futures::future::BoxFuture;
use journal::EntryId;
use model::GroupId;

use crate::Voter;

/// How far a state machine has come: what it stores with each checkpoint and tells at start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The last entry that is in the state.
    pub id: EntryId,
    /// The members as of that entry, in this crate's own encoding; kept, never looked into.
    pub membership: Bytes,
}

/// What was fetched, and may be touched by nobody else until it is installed or given up: then it is dropped.
pub type Kept = Box<dyn Send>;

/// Brings what another member offers of its state to this broker.
pub trait CatchUp: Send + Sync + Debug + 'static {
    /// Copies from the leader's broker what an [offer](StateMachine::offer) names and is not here
    /// yet, beside the state, which stays as it is and may go on to change. It may take long, and is
    /// asked again after an error, a restart, or a new leader: what is here already need not be
    /// fetched anew. It is dropped when another state is to be taken. [`StateMachine::install`] follows.
    fn fetch(&self, group: GroupId, from: Voter, offer: Bytes) -> BoxFuture<'static, io::Result<Kept>>;
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

    /// At the leader: describes the state as it is now, for a member that lacks entries which are
    /// purged, and keeps (for a while) what that member will fetch. What the bytes mean is between
    /// this, [`CatchUp::fetch`](crate::CatchUp::fetch) and [`install`](Self::install).
    ///
    /// An error is told to nobody but the log: it is asked again, later.
    fn offer(&mut self) -> io::Result<Bytes> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this state machine offers no state"))
    }

    /// At that member: makes what was fetched for an offer the state, in place of all that there is.
    /// It is durable, with `applied`, when this returns, and a crash before leaves the state before:
    /// entries are purged from the journal right after. An error ends the group until a restart.
    fn install(&mut self, applied: Applied, offer: Bytes) -> io::Result<()> {
        let _ = (applied, offer);
        Err(io::Error::new(io::ErrorKind::Unsupported, "this state machine takes no state"))
    }
}
