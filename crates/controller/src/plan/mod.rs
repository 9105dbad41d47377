//! What the cluster should do by itself: pure functions of the image and of what a broker knows of
//! the others right now.
//!
//! The broker that leads the controller's group asks [`commands`] now and then and submits what it
//! says; each broker asks [`hand_overs`] for the shards that it leads. Nothing is remembered between
//! two calls: a plan that got lost, or was refused as stale, is made again from what is then.

mod controllers;
mod grow;
mod internal;
mod leaders;
mod liveness;
mod load;
mod replace;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{BrokerId, GroupId};
use raft::Voter;
use uuid::Uuid;

use crate::command::Command;
use crate::image::{BrokerImage, ClusterImage, ShardImage};

pub use controllers::controllers;
pub use grow::{new_shards, rebalance};
pub use internal::internal_growth;
pub use leaders::{HandOver, hand_overs};
pub use liveness::liveness;
pub use replace::replacements;

/// What a broker knows of the others, from heartbeats and the news that ride on them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// The brokers, this one too. Nothing is decided about those that are not named here.
    pub brokers: BTreeMap<BrokerId, Seen>,
    /// The groups that have a leader, as that says; the controller's too.
    pub groups: BTreeMap<GroupId, GroupSeen>,
}

/// A broker as it is heard of. Durations instead of times: they bear a wall clock that jumps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// How long nothing was heard of it; zero for the broker that plans. One that was never heard
    /// of counts from when the broker that plans began to listen, lest a new leader fence them all.
    pub silent: Duration,
    /// For how long it has been heard of without a break.
    pub steady: Duration,
    /// Its process is known to be dead.
    pub gone: bool,
    /// The data directory that it has.
    pub directory: Uuid,
}

/// A Raft group as its leader describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupSeen {
    /// Who leads.
    pub leader: BrokerId,
    /// Who votes; of both sets, while they change.
    pub voters: BTreeSet<Voter>,
    /// Whether its members are changing.
    pub is_changing: bool,
    /// The members that have, or lately had, all that the leader has; itself too.
    pub in_sync: BTreeSet<BrokerId>,
}

/// How patient the planners are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// `broker.session.timeout.ms`: how long a broker may be silent before it is fenced.
    pub session_timeout: Duration,
    /// `broker.replacement.ms`: how long a broker may be away before others take over what it carries.
    pub replacement: Duration,
    /// How long a broker must have been there without a break before it is given leadership.
    pub steady: Duration,
    /// Shards that may be changing their members at a time: each copies its partitions.
    pub moves: usize,
    /// `shards.per.broker` of brokers that did not say theirs.
    pub shards_per_broker: u32,
    /// Replicas that internal topics get as soon as there are so many brokers.
    pub internal_replicas: usize,
}

impl Default for Policy {
    /// Kafka's session timeout, and half an hour for a machine to be restarted or mended.
    fn default() -> Self {
        Policy {
            session_timeout: Duration::from_secs(9),
            replacement: Duration::from_secs(30 * 60),
            steady: Duration::from_secs(5),
            moves: 2,
            shards_per_broker: 1,
            internal_replicas: 3,
        }
    }
}

/// What is to be submitted now, by the leader of the controller's group: one kind of thing at a
/// time, the most urgent one. Ask again when the image has changed, and every second or so.
///
/// `now_ms` is the wall clock, in ms since the epoch.
pub fn commands(image: &ClusterImage, known: &Known, policy: &Policy, now_ms: i64) -> Vec<Command> {
    let fences = liveness(image, known, policy, now_ms);
    if !fences.is_empty() {
        return fences.into_iter().map(Command::FenceBroker).collect();
    }
    let next = controllers(image, known, policy, now_ms)
        .map(Command::SetControllers)
        .or_else(|| replacements(image, known, policy, now_ms).map(Command::ChangeShardMembers))
        .or_else(|| internal_growth(image, known, policy).map(Command::ChangeShardMembers))
        .or_else(|| new_shards(image, policy).map(Command::CreateShards))
        .or_else(|| rebalance(image, known, policy, now_ms).map(Command::ChangeShardMembers));
    next.into_iter().collect()
}

impl Policy {
    /// Whether others are to take over what a broker carries.
    fn is_lost(&self, broker: &BrokerImage, now_ms: i64) -> bool {
        let patience = i64::try_from(self.replacement.as_millis()).unwrap_or(i64::MAX);
        let is_over = |since: i64| now_ms.saturating_sub(since) >= patience;
        broker.drained || (broker.fenced && broker.away_since_ms.is_some_and(is_over))
    }
}

impl Known {
    /// Whether a group's voters are those that the image wants; `None` if nobody says.
    fn is_settled(&self, image: &ClusterImage, group: GroupId) -> Option<bool> {
        self.groups.get(&group).map(|seen| !seen.is_changing && seen.voters == image.voters(group))
    }

    /// Whether a group can change its members: its leader and a majority are there.
    fn is_able(&self, image: &ClusterImage, group: GroupId) -> bool {
        let is_live = |id: BrokerId| image.broker(id).is_some_and(|broker| !broker.fenced);
        self.groups.get(&group).is_some_and(|seen| {
            let live = seen.voters.iter().filter(|voter| is_live(voter.broker())).count();
            is_live(seen.leader) && live > seen.voters.len() / 2
        })
    }

    /// How many more shards may begin to change their members.
    fn room(&self, image: &ClusterImage, policy: &Policy) -> usize {
        let is_moving = |shard: &&std::sync::Arc<ShardImage>| self.is_settled(image, shard.id) == Some(false);
        policy.moves.saturating_sub(image.shards().filter(is_moving).count())
    }
}

/// How many of `members` are in the rack of `broker`. Brokers that name no rack share one.
fn in_rack_of(image: &ClusterImage, broker: &BrokerImage, members: &[BrokerId]) -> usize {
    let others = members.iter().filter(|id| **id != broker.id).filter_map(|id| image.broker(*id));
    others.filter(|other| other.rack == broker.rack).count()
}
