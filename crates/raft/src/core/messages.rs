//! Our messages and openraft's, one into the other.

use std::fmt::Debug;
use std::io;

use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, TransferLeaderRequest, VoteRequest, VoteResponse};

use super::Shared;
use super::log_store::{from_journal, to_journal};
use super::types::{Candidate, LogEntry, Types, Vote, entry_id, log_id};
use crate::transport::{Append, Appended, Ballot, Candidacy, HandOver, Reply, Taken};

pub(super) fn ballot(vote: &Vote) -> Ballot {
    Ballot { term: vote.leader_id.term, voter: vote.leader_id.voter, elected: vote.committed }
}

pub(super) fn vote(ballot: Ballot) -> Vote {
    Vote { leader_id: Candidate { term: ballot.term, voter: ballot.voter }, committed: ballot.elected }
}

pub(super) fn candidacy<R: Send + Debug + 'static>(request: &VoteRequest<Types<R>>) -> Candidacy {
    Candidacy {
        ballot: ballot(&request.vote),
        last: request.last_log_id.map(entry_id),
        handed_over: request.leadership_transfer,
    }
}

pub(super) fn vote_request<R: Send + Debug + 'static>(candidacy: Candidacy) -> VoteRequest<Types<R>> {
    VoteRequest {
        vote: vote(candidacy.ballot),
        last_log_id: candidacy.last.map(log_id),
        leadership_transfer: candidacy.handed_over,
    }
}

pub(super) fn vote_reply<R: Send + Debug + 'static>(response: &VoteResponse<Types<R>>) -> Reply {
    Reply::Vote {
        ballot: ballot(&response.vote),
        last: response.last_log_id.map(entry_id),
        granted: response.vote_granted,
    }
}

/// `None` for a reply to something else.
pub(super) fn vote_response<R: Send + Debug + 'static>(reply: Reply) -> Option<VoteResponse<Types<R>>> {
    match reply {
        Reply::Vote { ballot, last, granted } => {
            Some(VoteResponse { vote: vote(ballot), vote_granted: granted, last_log_id: last.map(log_id) })
        }
        _ => None,
    }
}

pub(super) fn append<R: Send + Debug + 'static>(request: AppendEntriesRequest<Types<R>>, shared: &Shared) -> Append {
    Append {
        ballot: ballot(&request.vote),
        incarnation: shared.incarnation,
        needed_from: shared.needed_from(),
        previous: request.prev_log_id.map(entry_id),
        entries: request.entries.into_iter().map(to_journal).collect(),
        committed: request.leader_commit.map(entry_id),
    }
}

/// An error for entries of a kind that this version does not know.
pub(super) fn append_request<R: Send + Debug + 'static>(append: Append) -> io::Result<AppendEntriesRequest<Types<R>>> {
    Ok(AppendEntriesRequest {
        vote: vote(append.ballot),
        prev_log_id: append.previous.map(log_id),
        entries: append.entries.into_iter().map(from_journal).collect::<io::Result<Vec<LogEntry>>>()?,
        leader_commit: append.committed.map(log_id),
    })
}

pub(super) fn append_reply<R: Send + Debug + 'static>(response: &AppendEntriesResponse<Types<R>>) -> Reply {
    Reply::Append(match response {
        AppendEntriesResponse::Success => Appended::All,
        AppendEntriesResponse::PartialSuccess(last) => Appended::UpTo(last.map(entry_id)),
        AppendEntriesResponse::Conflict => Appended::Conflict,
        AppendEntriesResponse::HigherVote(vote) => Appended::Superseded(ballot(vote)),
    })
}

/// `None` for a reply to something else.
pub(super) fn appended(reply: Reply) -> Option<Appended> {
    match reply {
        Reply::Append(appended) => Some(appended),
        _ => None,
    }
}

/// `None` for a reply to something else.
pub(super) fn append_response<R: Send + Debug + 'static>(reply: Reply) -> Option<AppendEntriesResponse<Types<R>>> {
    Some(match appended(reply)? {
        Appended::All => AppendEntriesResponse::Success,
        Appended::UpTo(last) => AppendEntriesResponse::PartialSuccess(last.map(log_id)),
        Appended::Conflict => AppendEntriesResponse::Conflict,
        Appended::Superseded(ballot) => AppendEntriesResponse::HigherVote(vote(ballot)),
    })
}

/// `None` for a reply to something else.
pub(super) fn installed(reply: Reply) -> Option<(Ballot, Taken)> {
    match reply {
        Reply::Install { ballot, taken } => Some((ballot, taken)),
        _ => None,
    }
}

pub(super) fn hand_over<R: Send + Debug + 'static>(request: &TransferLeaderRequest<Types<R>>) -> HandOver {
    HandOver {
        ballot: ballot(request.from_leader()),
        to: *request.to_node_id(),
        last: request.last_log_id().copied().map(entry_id),
    }
}

pub(super) fn hand_over_request<R: Send + Debug + 'static>(hand_over: HandOver) -> TransferLeaderRequest<Types<R>> {
    TransferLeaderRequest::new(vote(hand_over.ballot), hand_over.to, hand_over.last.map(log_id))
}
