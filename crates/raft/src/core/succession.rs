//! How leadership passes on, other than by waiting for a leader that does not answer.

use std::time::Duration;

use futures::future::join_all;
use openraft::async_runtime::Instant as _;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::raft::TransferLeaderRequest;
use tokio::time::{Instant, sleep, timeout};

use super::types::{Vote, entry_id};
use super::{Raft, Shared, messages};
use crate::transport::{Candidacy, Reply, Request};
use crate::{ChangeError, Follower, Members, Reach, StateMachine, Voter};

/// Entries that a successor may lack when it is told to lead: nothing is written until it has them.
const SUCCESSOR_LACKS_AT_MOST: u64 = 1000;
/// How long a successor may take to come that near.
const SUCCESSOR_CATCHES_UP: Duration = Duration::from_secs(1);
/// How often that is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How long the others may take to say how much they have, when a leader is gone.
const ASK_OTHERS: Duration = Duration::from_millis(50);
/// Who has less, or a greater id, stands so much later for each that is better placed: time for
/// these to be elected, which takes two writes to disks.
const STAND_LATER: Duration = Duration::from_millis(100);

/// Gives leadership to the voter that has most, of those that may have it. Tells which.
pub(crate) async fn hand_over<S: StateMachine>(
    raft: &Raft<S>,
    shared: &Shared,
    may: &(dyn Fn(Voter) -> bool + Sync),
) -> Result<Voter, ChangeError> {
    let group = shared.group;
    let (to, term) = successor(raft, shared, may).await?;
    // Before anyone learns that our lease need not be waited for.
    shared.give_away(term);
    let stopped = |_| ChangeError::Stopped { group };
    raft.trigger().transfer_leader(to).await.map_err(stopped)?;
    let mut server = raft.server_metrics();
    let elected = async {
        loop {
            let (leader, now) = {
                let server = server.borrow_watched();
                (server.current_leader, server.vote.leader_id.term)
            };
            match leader {
                Some(leader) if leader == to => return Ok(to),
                Some(leader) if now > term => {
                    return Err(ChangeError::NotLeader { group, leader: Some(leader.broker()) });
                }
                _ => {}
            }
            server.changed().await.map_err(|_| ChangeError::Stopped { group })?;
        }
    };
    // Should it not stand, somebody will: we do not act as a leader any more.
    let patience = Duration::from_millis(shared.timings.election_max_ms * 3);
    timeout(patience, elected).await.unwrap_or(Err(ChangeError::TimedOut { group }))
}

/// A voter that answers and has nearly all entries, and the term that it is to end.
async fn successor<S: StateMachine>(
    raft: &Raft<S>,
    shared: &Shared,
    may: &(dyn Fn(Voter) -> bool + Sync),
) -> Result<(Voter, u64), ChangeError> {
    let group = shared.group;
    let deadline = Instant::now() + SUCCESSOR_CATCHES_UP;
    loop {
        let (leader, term, voters) = {
            let server = raft.server_metrics();
            let server = server.borrow_watched();
            let last = server.membership_config.membership().get_joint_config().last().cloned();
            (server.current_leader, server.vote.leader_id.term, last.unwrap_or_default())
        };
        if leader != Some(shared.me) {
            return Err(ChangeError::NotLeader { group, leader: leader.map(Voter::broker) });
        }
        let (followers, end) = followers(raft, shared);
        let answers = |follower: &&Follower| follower.heard.is_some_and(|at| at.elapsed() < shared.timings.lease());
        let best = followers.iter().filter(|follower| voters.contains(&follower.voter) && may(follower.voter));
        let best = best.filter(answers).max_by_key(|follower| follower.matched.map(|id| id.index));
        match best {
            Some(best) if best.matched.map_or(0, |id| id.index + 1) + SUCCESSOR_LACKS_AT_MOST >= end => {
                return Ok((best.voter, term));
            }
            _ if Instant::now() >= deadline => return Err(ChangeError::NoSuccessor { group }),
            _ => sleep(LOOK_AGAIN).await,
        }
    }
}

/// Stands for election at once if the leader that this member follows was that life of that broker's
/// process, which is known to be dead.
///
/// Nobody need wait for the lease of such a leader, so that the candidacy is marked as one that was
/// handed over. A lease lets a leader answer by itself: a process that is dead answers nothing. Nor
/// will its next life: a leader never resumes its term after a restart. That it was this process
/// that led the term is known from its own appends, which name its life; so one that has come back,
/// and was elected again, is never disturbed by late news of its death before. Who leads, and which
/// entries survive, is up to terms and majorities as always, and does not depend on the news.
pub(crate) async fn leader_gone<S: StateMachine>(raft: &Raft<S>, shared: &Shared, broker: i32, incarnation: u64) {
    let Some(gone) = shared.followed(incarnation).filter(|ballot| ballot.voter.broker == broker) else { return };
    let state = raft.with_raft_state(|state| {
        let voters: Vec<Voter> = state.membership_state.effective().voter_ids().collect();
        (*state.vote_ref(), voters)
    });
    let Ok((vote, voters)) = state.await else { return };
    let last = raft.data_metrics().borrow_watched().last_log;
    if vote != messages::vote(gone) || !voters.contains(&shared.me) {
        return;
    }
    let better = better_placed(shared, &vote, last.map(entry_id), &voters).await;
    sleep(STAND_LATER * better).await;
    // If it has voted for another meanwhile, this comes to nothing: it names the vote that it replaces.
    let stand = TransferLeaderRequest::new(vote, shared.me, last);
    if let Ok(Err(why)) = raft.handle_transfer_leader(stand).await {
        tracing::debug!("raft group {}: does not stand for election: {why}", shared.group);
    }
}

/// How many of the others have more entries than we, or as many and a lower id. They are asked for a
/// pre-vote, since its answer tells their last entry and asking changes nothing.
async fn better_placed(shared: &Shared, gone: &Vote, last: Option<journal::EntryId>, voters: &[Voter]) -> u32 {
    let mut ballot = messages::ballot(gone);
    (ballot.term, ballot.voter, ballot.elected) = (ballot.term + 1, shared.me, false);
    let others = voters.iter().filter(|voter| **voter != shared.me && **voter != gone.leader_id.voter);
    let ask = |voter: &Voter| {
        let request = Request::PreVote(Candidacy { ballot, last, handed_over: true });
        let voter = *voter;
        let reply = timeout(ASK_OTHERS, shared.transport.call(shared.group, voter, request));
        async move { (voter, reply.await) }
    };
    let replies = join_all(others.map(ask)).await;
    let better = replies.iter().filter(|(voter, reply)| match reply {
        Ok(Ok(Reply::Vote { last: theirs, .. })) => *theirs > last || (*theirs == last && *voter < shared.me),
        _ => false,
    });
    better.count() as u32
}

/// The other members as openraft's leader knows them, and the index after the log's last entry.
pub(crate) fn followers<S: StateMachine>(raft: &Raft<S>, shared: &Shared) -> (Vec<Follower>, u64) {
    let (term, data) = (raft.server_metrics().borrow_watched().vote.leader_id.term, raft.data_metrics());
    let data = data.borrow_watched();
    let (Some(matched), Some(heard)) = (&data.replication, &data.heartbeat) else { return (Vec::new(), 0) };
    let (now, progress) = (Instant::now(), super::lock(&shared.progress));
    let others = matched.iter().filter(|(voter, _)| **voter != shared.me);
    let followers = others.map(|(voter, matched)| Follower {
        voter: *voter,
        matched: matched.map(entry_id),
        caught_up: progress.caught_up(term, *voter),
        heard: heard.get(voter).copied().flatten().and_then(|at| now.checked_sub(at.elapsed())),
    });
    (followers.collect(), data.last_log.map_or(0, |id| id.index + 1))
}

pub(crate) fn reach<S: StateMachine>(raft: &Raft<S>) -> Reach {
    let data = raft.data_metrics();
    let data = data.borrow_watched();
    let after = |id: Option<super::types::LogId>| id.map_or(0, |id| id.index + 1);
    Reach { end: after(data.last_log), applied: after(data.last_applied) }
}

/// The members as of the last membership in the log.
pub(crate) fn members<S: StateMachine>(raft: &Raft<S>) -> Members {
    let server = raft.server_metrics();
    let server = server.borrow_watched();
    let (now, committed) = (&server.membership_config, &server.committed_membership_config);
    let membership = now.membership();
    Members {
        voters: membership.get_joint_config().clone(),
        learners: membership.learner_ids().collect(),
        committed: now.log_id() == committed.log_id(),
    }
}

/// Whether a majority has answered what a leader sent within the lease, so that none of it votes for
/// another yet.
pub(crate) fn is_in_lease<S: StateMachine>(raft: &Raft<S>, shared: &Shared) -> bool {
    let alone = {
        let server = raft.server_metrics();
        let server = server.borrow_watched();
        server.membership_config.membership().get_joint_config().iter().all(|voters| voters.iter().eq([&shared.me]))
    };
    let is_acked = || {
        let acked = raft.data_metrics().borrow_watched().last_quorum_acked;
        acked.is_some_and(|sent| sent.elapsed() < shared.timings.lease())
    };
    alone || is_acked()
}

/// Waits until so many members have an entry.
pub(crate) async fn held_by<S: StateMachine>(
    raft: &Raft<S>,
    shared: &Shared,
    index: u64,
    members: usize,
) -> Result<(), ChangeError> {
    let group = shared.group;
    let mut data = raft.data_metrics();
    loop {
        let holders = {
            let data = data.borrow_watched();
            data.replication
                .as_ref()
                .map(|matched| matched.values().flatten().filter(|matched| matched.index >= index).count())
        };
        match holders {
            None => return Err(ChangeError::NotLeader { group, leader: None }),
            Some(holders) if holders >= members => return Ok(()),
            Some(_) => data.changed().await.map_err(|_| ChangeError::Stopped { group })?,
        }
    }
}
