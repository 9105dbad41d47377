//! How the members of a group reach one another: typed messages over a transport that is not ours,
//! and [their bytes](encode_request).

mod encoding;
#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::pin::Pin;

use bytes::Bytes;
use futures::future::BoxFuture;
use journal::{Entry, EntryId};
use model::GroupId;

use crate::{Applied, CatchUp, Kept, Voter};
pub use encoding::{decode_reply, decode_request, encode_reply, encode_request};

/// Carries one request to a member of a group and brings its reply back; there, it is handed to
/// [`crate::Group::receive`].
///
/// Several requests are on their way to one member at a time. They should keep their order, that of
/// the first polls of what [`call`](Transport::call) returns; they may be lost, doubled or late.
/// The transport gives up by itself: callers do not wait for ever, but may wait for long.
pub trait Transport: Send + Sync + Debug + 'static {
    /// Sends a request.
    fn call(&self, group: GroupId, to: Voter, request: Request) -> Call;
}

/// A reply on its way.
pub type Call = Pin<Box<dyn Future<Output = Result<Reply, Unreachable>> + Send>>;

/// A member can't be reached now, or did not answer in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("voter {to} can't be reached: {reason}; check its broker and the network between")]
pub struct Unreachable {
    /// Whom it was sent to.
    pub to: Voter,
    /// What the transport says.
    pub reason: String,
}

/// The transport of a broker that knows no other.
#[derive(Debug, Clone, Copy)]
pub struct Alone;

impl Transport for Alone {
    fn call(&self, _group: GroupId, to: Voter, _request: Request) -> Call {
        let reason = "this broker has no connections to others".to_owned();
        Box::pin(std::future::ready(Err(Unreachable { to, reason })))
    }
}

impl CatchUp for Alone {
    fn fetch(&self, _group: GroupId, from: Voter, _offer: Bytes) -> BoxFuture<'static, io::Result<Kept>> {
        let what = format!("this broker has no way to copy state from voter {from}");
        Box::pin(std::future::ready(Err(io::Error::new(io::ErrorKind::Unsupported, what))))
    }
}

/// Who stands for a term, or was elected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ballot {
    /// The term.
    pub term: u64,
    /// Who stands.
    pub voter: Voter,
    /// Whether a majority has voted for it.
    pub elected: bool,
}

/// What one member asks of another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Would you vote for me? Asked first, since it changes nothing: a member that was away does not
    /// disturb the others.
    PreVote(Candidacy),
    /// Vote for me.
    Vote(Candidacy),
    /// Store these entries.
    Append(Append),
    /// Lead from now on; or, to those who are not meant: let it be elected, without waiting for my lease to end.
    HandOver(HandOver),
    /// Take my state: what you lack is purged. Asked again and again until it is fetched and installed.
    Install(Install),
}

/// What a member stands with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidacy {
    /// The term, and who stands.
    pub ballot: Ballot,
    /// Its last entry.
    pub last: Option<EntryId>,
    /// The leader has asked for it, so that nobody need wait for its lease to end.
    pub handed_over: bool,
}

/// Entries from a leader; none, as a sign of life.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Append {
    /// The leader.
    pub ballot: Ballot,
    /// Which life of the leader's process this is, see [`crate::Config::incarnation`].
    pub incarnation: u64,
    /// All members have the entries below this index: nobody will ask for them.
    pub needed_from: u64,
    /// The entry before these.
    pub previous: Option<EntryId>,
    /// Consecutive entries.
    pub entries: Vec<Entry>,
    /// The last entry that the leader knows to be committed.
    pub committed: Option<EntryId>,
}

/// A leader gives its leadership away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandOver {
    /// The leader that gives it away.
    pub ballot: Ballot,
    /// Who is to lead.
    pub to: Voter,
    /// The last entry of the leader, which the next one must have.
    pub last: Option<EntryId>,
}

/// The leader's state, for a member that is behind the purged part of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Install {
    /// The leader.
    pub ballot: Ballot,
    /// How far the state reaches.
    pub applied: Applied,
    /// What the leader's state machine said of it, see [`crate::StateMachine::offer`].
    pub offer: Bytes,
}

/// What a member replies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// To [`Request::PreVote`] and [`Request::Vote`].
    Vote {
        /// Whom it follows or has voted for.
        ballot: Ballot,
        /// Its last entry.
        last: Option<EntryId>,
        /// Whether the candidate has its vote.
        granted: bool,
    },
    /// To [`Request::Append`].
    Append(Appended),
    /// To [`Request::HandOver`].
    HandOver {
        /// Whether it stands for election, or will vote for who does.
        accepted: bool,
    },
    /// To [`Request::Install`].
    Install {
        /// Whom it follows; a later leader than the one that asked: nothing was installed.
        ballot: Ballot,
        /// How far it has come with it.
        taken: Taken,
    },
}

/// How far a member has come with taking a state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It is installed.
    All,
    /// It is being fetched: ask again.
    NotYet,
    /// It can't be fetched, for a reason that the member has logged: another offer may do.
    Failed,
}

/// What became of appended entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Appended {
    /// All are durable.
    All,
    /// Those up to this one are.
    UpTo(Option<EntryId>),
    /// The entry before them is not there: go further back.
    Conflict,
    /// There is a later leader or candidate.
    Superseded(Ballot),
}
