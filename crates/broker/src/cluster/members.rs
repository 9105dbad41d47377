//! Keeping the members of each group as the image wants them: the group's leader changes them. Those that must not be
//! trusted any more are left out, until they have come back from nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use model::GroupId;
use raft::{Members, Voter};
use tokio::time::{Instant, sleep, timeout};

use super::links::Member;
use crate::broker::Broker;

/// How often to look without being told: a change that failed is tried again.
const PERIOD: Duration = Duration::from_millis(500);

/// Changes members until the broker stops.
pub(crate) async fn run(broker: Arc<Broker>) {
    let mut images = broker.controller.watch();
    let mut changes = FuturesUnordered::new();
    let mut changing = BTreeSet::new();
    loop {
        let image = images.borrow_and_update().clone();
        // Those of shards that this broker has begun to lead: sessions run out there though nobody asks.
        broker.start_coordinators();
        for (group, _, member) in broker.links.led() {
            let void = broker.links.void.of(group, Instant::now());
            let (voters, learners) = (&image.voters(group) - &void, &image.learners(group) - &void);
            // None: the image is not there yet, or the shard is gone.
            if !voters.is_empty() && !is_as_wanted(&member.members(), &voters, &learners) && changing.insert(group) {
                changes.push(change(group, member, voters, learners));
            }
        }
        tokio::select! {
            biased;
            () = broker.stop.requested() => return,
            Some(group) = changes.next() => drop(changing.remove(&group)),
            changed = timeout(PERIOD, images.changed()) => if matches!(changed, Ok(Err(_))) { return },
        }
    }
}

/// Changes the members of one group, or says why it could not; gives back the group when it may be looked at again.
async fn change(
    group: GroupId,
    member: Arc<dyn Member>,
    voters: BTreeSet<Voter>,
    learners: BTreeSet<Voter>,
) -> GroupId {
    let shown = |set: &BTreeSet<Voter>| set.iter().map(|voter| voter.broker.to_string()).collect::<Vec<_>>().join(",");
    tracing::info!(%group, voters = shown(&voters), learners = shown(&learners), "members change");
    let done = member.set_members(voters.clone(), learners.clone()).await;
    if let Err(why) = &done {
        tracing::warn!(%group, why, "members could not be changed, to be tried again");
    }
    // One that is giving leadership away may believe for a while that it leads, and can't change anything.
    if done.is_err() || !is_as_wanted(&member.members(), &voters, &learners) {
        sleep(PERIOD).await;
    }
    group
}

/// Whether a group has these members, and no change of them is under way.
pub(super) fn is_as_wanted(now: &Members, voters: &BTreeSet<Voter>, learners: &BTreeSet<Voter>) -> bool {
    now.committed && now.voters.iter().eq([voters]) && now.learners == *learners
}

#[cfg(test)]
mod tests {
    use model::BrokerId;
    use peer::BoxFuture;
    use raft::transport::{Reply, Request};
    use raft::{RaftError, Status};
    use tokio::sync::watch;
    use tokio::time::Instant;

    use super::super::report::Report;
    use super::*;

    /// Does not lead any more, so that it changes nothing, and has not been told.
    struct Deposed(Members);

    impl Member for Deposed {
        fn receive(&self, _: Voter, _: Request) -> BoxFuture<Result<Reply, RaftError>> {
            unreachable!("nobody calls")
        }

        fn status(&self) -> watch::Receiver<Status> {
            watch::channel(Status::default()).1
        }

        fn leader_gone(&self, _: BrokerId, _: u64) -> BoxFuture<()> {
            Box::pin(async {})
        }

        fn keeping_up(&self, _: Duration) -> Vec<BrokerId> {
            Vec::new()
        }

        fn members(&self) -> Members {
            self.0.clone()
        }

        fn set_members(&self, _: BTreeSet<Voter>, _: BTreeSet<Voter>) -> BoxFuture<Result<(), String>> {
            Box::pin(async { Ok(()) })
        }

        fn hand_over(&self, _: Option<Voter>) -> BoxFuture<()> {
            Box::pin(async {})
        }

        fn report(&self) -> Option<Report> {
            None
        }
    }

    fn voters(brokers: &[i32]) -> BTreeSet<Voter> {
        brokers.iter().map(|id| Voter::new(BrokerId(*id), uuid::Uuid::nil())).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_another_leader_is_to_make_is_looked_at_again_after_a_while() {
        let now = Members { voters: vec![voters(&[1, 3, 4])], learners: voters(&[]), committed: true };
        let looked = async |wanted: &[i32]| {
            let begun = Instant::now();
            change(GroupId(5), Arc::new(Deposed(now.clone())), voters(wanted), voters(&[])).await;
            begun.elapsed()
        };
        assert!(looked(&[3, 4, 5]).await >= PERIOD);
        assert!(looked(&[1, 3, 4]).await < PERIOD);
    }
}
