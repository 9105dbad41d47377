//! Keeping the members of each group as the image wants them: the group's leader changes them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::GroupId;
use raft::{Members, Voter};
use tokio::time::timeout;

use super::links::Member;
use crate::broker::Broker;

/// How often to look without being told: a change that failed is tried again.
const PERIOD: Duration = Duration::from_millis(500);

/// Groups whose members are being changed.
type Busy = Arc<Mutex<BTreeSet<GroupId>>>;

/// Changes members until the broker stops.
pub(crate) async fn run(broker: Arc<Broker>) {
    let mut images = broker.controller.watch();
    let busy = Busy::default();
    loop {
        let image = images.borrow_and_update().clone();
        // Those of shards that this broker has begun to lead: sessions run out there though nobody asks.
        broker.start_coordinators();
        for (group, _, member) in broker.links.led() {
            let (voters, learners) = (image.voters(group), image.learners(group));
            if voters.is_empty() {
                continue; // the image is not there yet, or the shard is gone
            }
            let is_busy = || busy.lock().unwrap_or_else(PoisonError::into_inner).contains(&group);
            if !is_as_wanted(&member.members(), &voters, &learners) && !is_busy() {
                busy.lock().unwrap_or_else(PoisonError::into_inner).insert(group);
                model::spawn(change(broker.clone(), group, member, voters, learners, busy.clone()));
            }
        }
        tokio::select! {
            biased;
            () = broker.stop.requested() => return,
            changed = timeout(PERIOD, images.changed()) => if matches!(changed, Ok(Err(_))) { return },
        }
    }
}

async fn change(
    broker: Arc<Broker>,
    group: GroupId,
    member: Arc<dyn Member>,
    voters: BTreeSet<Voter>,
    learners: BTreeSet<Voter>,
    busy: Busy,
) {
    let shown = |set: &BTreeSet<Voter>| set.iter().map(|voter| voter.broker.to_string()).collect::<Vec<_>>().join(",");
    tracing::info!(%group, voters = shown(&voters), learners = shown(&learners), "members change");
    tokio::select! {
        biased;
        () = broker.stop.requested() => {}
        done = member.set_members(voters, learners) => if let Err(why) = done {
            tracing::warn!(%group, why, "members could not be changed, to be tried again");
        }
    }
    busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&group);
}

fn is_as_wanted(now: &Members, voters: &BTreeSet<Voter>, learners: &BTreeSet<Voter>) -> bool {
    now.committed && now.voters.iter().eq([voters]) && now.learners == *learners
}
