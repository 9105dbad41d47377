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

/// Changes the members of one group, or says why it could not; gives back the group.
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
