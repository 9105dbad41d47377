//! The types that openraft is run with.

use std::cmp::Ordering;
use std::fmt::{self, Debug, Display, Formatter};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use journal::EntryId;
use openraft::entry::{RaftEntry, RaftPayload};
use openraft::raft::responder::Responder;
use openraft::vote::RaftLeaderId;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::runtime::Runtime;
use crate::Voter;

pub(super) type LogId = openraft::LogId<Term>;
pub(super) type Vote = openraft::Vote<Candidate>;
pub(super) type Membership = openraft::Membership<Voter, ()>;
pub(super) type StoredMembership = openraft::StoredMembership<Term, Voter, ()>;
pub(super) type SnapshotMeta = openraft::SnapshotMeta<Term, Voter, ()>;
pub(super) type Snapshot = openraft::Snapshot<Term, Voter, (), Offer>;

/// What openraft takes for a snapshot's content: what the state machine offered, or why it did not.
pub(crate) type Offer = Result<Bytes, Arc<str>>;

/// Ties the types together, for a state machine that answers `R`.
pub(crate) struct Types<R>(PhantomData<fn() -> R>);

impl<R: Send + Debug + 'static> openraft::RaftTypeConfig for Types<R> {
    type D = Proposed;
    type R = Reply<R>;
    type NodeId = Voter;
    type Node = ();
    type Term = u64;
    type LeaderId = Candidate;
    type Vote = Vote;
    type Payload = Payload;
    type Entry = LogEntry;
    type AsyncRuntime = Runtime;
    type Responder<T>
        = Answer<T>
    where
        T: Send + 'static;
    type Batch<T>
        = openraft::impls::InlineBatch<T>
    where
        T: Send + 'static;
    type ErrorSource = openraft::impls::BoxedErrorSource;
}

/// Who stands for a term: standard Raft's, so that a term has one leader and can be Kafka's epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Candidate {
    pub(super) term: u64,
    pub(super) voter: Voter,
}

impl RaftLeaderId for Candidate {
    type Term = u64;
    type NodeId = Voter;
    type Committed = Term;

    fn new(term: u64, voter: Voter) -> Self {
        Candidate { term, voter }
    }

    fn term(&self) -> u64 {
        self.term
    }

    fn node_id(&self) -> &Voter {
        &self.voter
    }

    fn to_committed(&self) -> Term {
        Term { term: self.term, node: self.voter.broker }
    }
}

/// Two candidates of one term can't be compared: neither may take the other's votes.
impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.term.cmp(&other.term) {
            Ordering::Equal => (self.voter == other.voter).then_some(Ordering::Equal),
            unequal => Some(unequal),
        }
    }
}

impl PartialEq<Term> for Candidate {
    fn eq(&self, _: &Term) -> bool {
        false
    }
}

/// An elected leader stands above all candidates of its term.
impl PartialOrd<Term> for Candidate {
    fn partial_cmp(&self, other: &Term) -> Option<Ordering> {
        Some(self.term.cmp(&other.term).then(Ordering::Less))
    }
}

impl Display for Candidate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "T{}-N{}", self.term, self.voter)
    }
}

/// A term that has a leader. The leader's broker is kept with it only to be told: there is one a
/// term, so that it never decides an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Term {
    pub(super) term: u64,
    pub(super) node: i32,
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "T{}-N{}", self.term, self.node)
    }
}

pub(super) fn log_id(id: EntryId) -> LogId {
    LogId::new(Term { term: id.term, node: id.node }, id.index)
}

pub(super) fn entry_id(id: LogId) -> EntryId {
    let Term { term, node } = *id.committed_leader_id();
    EntryId { term, node, index: id.index }
}

/// One entry: a cheap handle, since its bytes are shared.
#[derive(Clone, Debug)]
pub(crate) struct LogEntry {
    pub(super) id: LogId,
    pub(super) payload: Payload,
}

impl RaftEntry for LogEntry {
    type CommittedLeaderId = Term;
    type Payload = Payload;

    fn new(id: LogId, payload: Payload) -> Self {
        LogEntry { id, payload }
    }

    fn log_id_parts(&self) -> (&Term, u64) {
        (self.id.committed_leader_id(), self.id.index)
    }

    fn set_log_id(&mut self, id: LogId) {
        self.id = id;
    }

    fn get_membership(&self) -> Option<Membership> {
        self.payload.get_membership()
    }
}

impl Display for LogEntry {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.id, self.payload)
    }
}

/// What an entry carries.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// A leader's first entry.
    Blank,
    /// A proposal.
    Proposed(Bytes),
    /// New members.
    Membership(Arc<Membership>),
}

impl RaftPayload for Payload {
    type D = Proposed;
    type NodeId = Voter;
    type Node = ();

    fn blank() -> Self {
        Payload::Blank
    }

    fn with_normal(self, proposed: Proposed) -> Self {
        Payload::Proposed(proposed.0)
    }

    fn with_membership(self, membership: Membership) -> Self {
        Payload::Membership(Arc::new(membership))
    }

    fn get_membership(&self) -> Option<Membership> {
        match self {
            Payload::Membership(membership) => Some(Membership::clone(membership)),
            Payload::Blank | Payload::Proposed(_) => None,
        }
    }
}

impl Display for Payload {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Payload::Blank => f.write_str("blank"),
            Payload::Proposed(bytes) => write!(f, "{} bytes", bytes.len()),
            Payload::Membership(membership) => write!(f, "{membership}"),
        }
    }
}

/// A proposal's bytes, which logs must not print.
pub(crate) struct Proposed(pub(crate) Bytes);

impl Debug for Proposed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Display for Proposed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Debug::fmt(self, f)
    }
}

/// What apply answered; nothing for entries that are not proposals. openraft asks that it be
/// `Sync`, which a response need not be: the mutex makes it so and is never locked.
pub(crate) struct Reply<R>(Mutex<Option<R>>);

impl<R> Reply<R> {
    pub(super) fn new(response: Option<R>) -> Self {
        Reply(Mutex::new(response))
    }

    pub(crate) fn into_inner(self) -> Option<R> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> Debug for Reply<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

/// Where the outcome of a proposal goes. Dropping it tells the proposer that none will come; either
/// way its bytes are given back to the budget.
pub(crate) struct Answer<T> {
    pub(crate) sender: oneshot::Sender<T>,
    pub(crate) permit: OwnedSemaphorePermit,
}

impl<R, T> Responder<Types<R>, T> for Answer<T>
where
    R: Send + Debug + 'static,
    T: Send + 'static,
{
    fn on_complete(self, outcome: T) {
        // Nobody waits for it any more: fine.
        self.sender.send(outcome).ok();
        drop(self.permit);
    }
}

/// What derives would write, if they did not ask the same of `R`.
mod marker {
    use super::{Debug, Formatter, Ordering, PhantomData, Types, fmt};

    impl<R> Debug for Types<R> {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            f.write_str("Types")
        }
    }

    impl<R> Clone for Types<R> {
        fn clone(&self) -> Self {
            *self
        }
    }

    impl<R> Copy for Types<R> {}

    impl<R> Default for Types<R> {
        fn default() -> Self {
            Types(PhantomData)
        }
    }

    impl<R> PartialEq for Types<R> {
        fn eq(&self, _: &Self) -> bool {
            true
        }
    }

    impl<R> Eq for Types<R> {}

    impl<R> PartialOrd for Types<R> {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    impl<R> Ord for Types<R> {
        fn cmp(&self, _: &Self) -> Ordering {
            Ordering::Equal
        }
    }
}
