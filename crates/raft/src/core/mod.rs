//! openraft, fitted between the journal and a state machine. Nothing in here is public.
//!
//! All of a group's tasks (openraft's core, its log reader, the one that applies) run on the group's
//! own worker, started by [`worker::start`]; other threads only send to their channels.

mod catch_up;
mod change;
mod encoding;
mod log_store;
mod machine;
mod messages;
mod network;
mod pace;
mod pipeline;
mod progress;
mod runtime;
mod shared;
mod succession;
mod taking;
mod types;
mod worker;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use journal::EntryId;

use crate::{ProposeError, StateMachine};
pub(crate) use catch_up::purge;
pub(crate) use change::set_members;
pub(crate) use encoding::encode_followed;
pub(crate) use shared::Shared;
pub(crate) use succession::{followers, hand_over, held_by, is_in_lease, leader_gone, members, reach};
pub(crate) use types::{Answer, Proposed};
pub(crate) use worker::{Running, start};

use crate::transport::{Reply, Request};

/// openraft's handle.
pub(crate) type Raft<S> = openraft::Raft<types::Types<<S as StateMachine>::Response>, machine::Machine<S>>;

/// What openraft answers to a proposal.
pub(crate) type Written<R> = openraft::raft::ClientWriteResult<types::Types<R>>;

/// Why a request was not answered.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Answers what another member asks.
pub(crate) async fn receive<S: StateMachine>(
    raft: &Raft<S>,
    shared: &Arc<Shared>,
    request: Request,
) -> Result<Reply, Failure> {
    Ok(match request {
        Request::PreVote(candidacy) => messages::vote_reply(&raft.pre_vote(messages::vote_request(candidacy)).await?),
        Request::Vote(candidacy) => messages::vote_reply(&raft.vote(messages::vote_request(candidacy)).await?),
        Request::Append(append) if shared.contradicts(&append) => {
            return Err(format!("{} holds other committed entries than its leader", shared.group).into());
        }
        Request::Append(append) => {
            shared.heard(&append);
            messages::append_reply(&raft.append_entries(messages::append_request(append)?).await?)
        }
        Request::HandOver(hand_over) => {
            let answer = raft.handle_transfer_leader(messages::hand_over_request(hand_over)).await?;
            Reply::HandOver { accepted: answer.is_ok() }
        }
        Request::Install(install) => {
            let (ballot, taken) = taking::take(raft, shared, install).await?;
            Reply::Install { ballot, taken }
        }
    })
}

/// openraft's answer to a proposal in our words; none if the group has ended.
pub(crate) fn outcome<R>(group: model::GroupId, written: Written<R>) -> Option<Result<(EntryId, R), ProposeError>>
where
    R: Send + std::fmt::Debug + 'static,
{
    use openraft::error::ClientWriteError::{ForwardToLeader, LogEntryDiscarded};
    Some(match written {
        Ok(response) => {
            let answer = response.data.into_inner().expect("apply answers every proposal");
            Ok((types::entry_id(response.log_id), answer))
        }
        Err(ForwardToLeader(forward)) => {
            Err(ProposeError::NotLeader { group, leader: forward.leader_id.map(crate::Voter::broker) })
        }
        Err(LogEntryDiscarded(_)) => Err(ProposeError::Overtaken { group }),
        Err(_) => return None,
    })
}

/// The parts that are shared are never left half changed, so that a panic elsewhere does no harm.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
