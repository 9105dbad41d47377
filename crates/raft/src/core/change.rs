//! How a group's members are changed, one safe step after another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use openraft::ChangeMembers;
use openraft::error::{ClientWriteError, RaftError};
use tokio::time::{Instant, sleep, timeout};

use super::types::Types;
use super::{Raft, Shared, followers, hand_over, members};
use crate::{ChangeError, Members, StateMachine, Voter};

/// Entries that a new voter may lack when it begins to vote: commits may have to wait for them.
const NEW_VOTER_LACKS_AT_MOST: u64 = 1000;
/// How long a new voter may come no nearer before it is given up.
const NO_PROGRESS: Duration = Duration::from_secs(10);
/// How long one membership may take to be committed.
const COMMIT: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

type Step = ChangeMembers<Voter, ()>;

/// Leads from whatever members there are to these. Each step starts from what the log says: so it
/// may end, or its leader die, after any of them, and the next call goes on.
pub(crate) async fn set_members<S: StateMachine>(
    raft: &Raft<S>,
    shared: &Shared,
    voters: &BTreeSet<Voter>,
    learners: &BTreeSet<Voter>,
) -> Result<(), ChangeError> {
    if voters.is_empty() {
        return Err(ChangeError::NoVoters { group: shared.group });
    }
    let wanted: BTreeSet<Voter> = voters.union(learners).copied().collect();
    loop {
        ensure_leads(raft, shared)?;
        let now = members(raft);
        if !now.committed {
            committed(raft, shared).await?;
            continue;
        }
        if must_hand_over(&now, voters, shared.me) {
            let heir = hand_over(raft, shared, &|voter| voters.contains(&voter)).await?;
            return Err(ChangeError::NotLeader { group: shared.group, leader: Some(heir.broker()) });
        }
        let Some(step) = next_step(&now, voters, &wanted) else { return Ok(()) };
        if let Step::ReplaceAllVoters(voters) = &step {
            let new = voters - &now.all_voters();
            caught_up(raft, shared, &new).await?;
        }
        change(raft, shared, step).await?;
    }
}

/// The next step to these voters and, with learners, members; none if it is done.
fn next_step(now: &Members, voters: &BTreeSet<Voter>, wanted: &BTreeSet<Voter>) -> Option<Step> {
    let all = now.all();
    let [current] = &now.voters[..] else {
        // An earlier change is half done. It is ended first: from two sets no third can be reached.
        return Some(Step::AddVoterIds(BTreeSet::new()));
    };
    let missing: BTreeMap<Voter, ()> = wanted.difference(&all).map(|voter| (*voter, ())).collect();
    if !missing.is_empty() {
        return Some(Step::AddNodes(missing));
    }
    if current != voters {
        return Some(Step::ReplaceAllVoters(voters.clone()));
    }
    let extra: BTreeSet<Voter> = all.difference(wanted).copied().collect();
    (!extra.is_empty()).then_some(Step::RemoveNodes(extra))
}

/// Whether another must lead before the next step: we are not to vote any more, and there are some
/// who do already, and will.
fn must_hand_over(now: &Members, voters: &BTreeSet<Voter>, me: Voter) -> bool {
    matches!(&now.voters[..], [current] if !voters.contains(&me) && !current.is_disjoint(voters))
}

fn ensure_leads<S: StateMachine>(raft: &Raft<S>, shared: &Shared) -> Result<(), ChangeError> {
    use openraft::async_runtime::watch::WatchReceiver;
    let leader = raft.server_metrics().borrow_watched().current_leader;
    match leader {
        Some(leader) if leader == shared.me => Ok(()),
        leader => Err(ChangeError::NotLeader { group: shared.group, leader: leader.map(Voter::broker) }),
    }
}

/// Waits until the last membership is committed.
async fn committed<S: StateMachine>(raft: &Raft<S>, shared: &Shared) -> Result<(), ChangeError> {
    let group = shared.group;
    let all = async {
        while !members(raft).committed {
            ensure_leads(raft, shared)?;
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    };
    timeout(COMMIT, all).await.unwrap_or(Err(ChangeError::TimedOut { group }))
}

/// Waits until these members have nearly all entries, as long as they come nearer.
async fn caught_up<S: StateMachine>(raft: &Raft<S>, shared: &Shared, new: &BTreeSet<Voter>) -> Result<(), ChangeError> {
    let group = shared.group;
    let (mut before, mut moved) = (BTreeMap::new(), Instant::now());
    loop {
        ensure_leads(raft, shared)?;
        let (followers, end) = followers(raft, shared);
        let has: BTreeMap<Voter, u64> = followers
            .iter()
            .filter(|follower| new.contains(&follower.voter))
            .map(|follower| (follower.voter, follower.matched.map_or(0, |id| id.index + 1)))
            .collect();
        let lacking = new.iter().find(|voter| has.get(voter).copied().unwrap_or(0) + NEW_VOTER_LACKS_AT_MOST < end);
        let Some(lacking) = lacking.or_else(|| new.iter().find(|voter| has.get(voter).is_none_or(|has| *has == 0)))
        else {
            return Ok(());
        };
        if has != before {
            (before, moved) = (has, Instant::now());
        }
        if moved.elapsed() > NO_PROGRESS {
            return Err(ChangeError::Behind { group, voter: *lacking });
        }
        sleep(LOOK_AGAIN).await;
    }
}

async fn change<S: StateMachine>(raft: &Raft<S>, shared: &Shared, step: Step) -> Result<(), ChangeError> {
    let group = shared.group;
    tracing::info!("raft group {group} changes its members: {step:?}");
    match timeout(COMMIT, raft.change_membership(step, true)).await {
        Err(_) => Err(ChangeError::TimedOut { group }),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => refused(shared, error),
    }
}

/// What openraft's refusal means: to look again, or to give up.
fn refused<R: Send + Debug + 'static>(
    shared: &Shared,
    error: RaftError<Types<R>, ClientWriteError<Types<R>>>,
) -> Result<(), ChangeError> {
    let group = shared.group;
    let RaftError::APIError(error) = error else { return Err(ChangeError::Stopped { group }) };
    match error {
        ClientWriteError::ForwardToLeader(forward) | ClientWriteError::LogEntryDiscarded(forward) => {
            Err(ChangeError::NotLeader { group, leader: forward.leader_id.map(Voter::broker) })
        }
        // The members are others than we saw: the next look tells.
        ClientWriteError::ChangeMembershipError(error) => {
            tracing::debug!("raft group {group}: {error}");
            Ok(())
        }
        ClientWriteError::PreconditionFailed(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn voters(brokers: &[i32]) -> BTreeSet<Voter> {
        brokers.iter().map(|broker| Voter { broker: *broker, directory: Uuid::nil() }).collect()
    }

    fn members(sets: &[&[i32]], learners: &[i32]) -> Members {
        let sets = sets.iter().map(|set| voters(set)).collect();
        Members { voters: sets, learners: voters(learners), committed: true }
    }

    fn nodes(brokers: &[i32]) -> BTreeMap<Voter, ()> {
        voters(brokers).into_iter().map(|voter| (voter, ())).collect()
    }

    #[test]
    fn new_members_learn_then_vote_then_old_ones_go() {
        let next = |now: &Members| next_step(now, &voters(&[2, 3, 4]), &voters(&[2, 3, 4, 9]));
        assert_eq!(next(&members(&[&[1, 2, 3]], &[])), Some(Step::AddNodes(nodes(&[4, 9]))));
        assert_eq!(next(&members(&[&[1, 2, 3]], &[4, 9])), Some(Step::ReplaceAllVoters(voters(&[2, 3, 4]))));
        let joint = members(&[&[1, 2, 3], &[2, 3, 4]], &[9]);
        assert_eq!(next(&joint), Some(Step::AddVoterIds(voters(&[]))));
        assert_eq!(next(&members(&[&[2, 3, 4]], &[1, 9])), Some(Step::RemoveNodes(voters(&[1]))));
        assert_eq!(next(&members(&[&[2, 3, 4]], &[9])), None);
    }

    #[test]
    fn a_leader_that_goes_hands_over_as_soon_as_one_that_stays_votes() {
        let me = Voter { broker: 1, directory: Uuid::nil() };
        let must = |now: &[&[i32]], then: &[i32]| must_hand_over(&members(now, &[]), &voters(then), me);
        assert!(must(&[&[1, 2, 3]], &[3, 4]));
        assert!(!must(&[&[1, 2, 3]], &[1, 4]), "stays");
        assert!(!must(&[&[1]], &[4]), "nobody who stays votes yet");
        assert!(!must(&[&[1], &[4]], &[4]), "half done");
        assert!(must(&[&[4]], &[4]), "does not vote any more");
    }
}
