//! Which shards there should be.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use model::BrokerId;

use super::Layout;
use crate::command::ShardWish;
use crate::image::{BrokerImage, ClusterImage};

/// Most shards that a broker leads for one replication factor unless told otherwise: more cost
/// heartbeats and timers, and a handful of cores is fed by four.
const MAX_DEFAULT_SHARDS_PER_BROKER: u32 = 4;

/// `shards.per.broker` unless it is set: a shard for each core, at most four.
pub fn default_shards_per_broker(cores: usize) -> u32 {
    u32::try_from(cores).unwrap_or(u32::MAX).clamp(1, MAX_DEFAULT_SHARDS_PER_BROKER)
}

/// The shards to be created before these layouts can be placed; nothing if all are there.
///
/// For each replication factor in use every live broker leads `per_broker` shards; replicas that
/// were assigned by hand need a shard of exactly them.
pub fn missing_shards<'a>(
    image: &ClusterImage,
    layouts: impl IntoIterator<Item = &'a Layout>,
    per_broker: u32,
) -> Vec<ShardWish> {
    let mut wanted: BTreeMap<Vec<BrokerId>, u32> = BTreeMap::new();
    for layout in layouts {
        match layout {
            Layout::Spread { replication_factor, .. } => {
                lead_by_each(image, *replication_factor, per_broker, &mut wanted)
            }
            Layout::Assigned(partitions) => {
                for members in partitions.iter().filter(|members| !members.is_empty()) {
                    wanted.entry(members.clone()).or_insert(1);
                }
            }
        }
    }
    let is_missing = |wish: &ShardWish| {
        let there = image.shards().filter(|shard| shard.members == wish.members).count();
        there < wish.at_least as usize
    };
    wanted.into_iter().map(|(members, at_least)| ShardWish { members, at_least }).filter(is_missing).collect()
}

fn lead_by_each(image: &ClusterImage, factor: usize, per_broker: u32, wanted: &mut BTreeMap<Vec<BrokerId>, u32>) {
    let live: Vec<&BrokerImage> = image.live_brokers().map(AsRef::as_ref).collect();
    if factor == 0 || factor > live.len() {
        return;
    }
    for (place, leader) in live.iter().enumerate() {
        let led = |members: &[BrokerId]| members.len() == factor && members[0] == leader.id;
        let there = u32::try_from(image.shards().filter(|shard| led(&shard.members)).count()).unwrap_or(u32::MAX);
        for nth in there..per_broker {
            let members = spread_over_racks(&live, place, nth as usize, factor);
            let existing = image.shards().filter(|shard| shard.members == members).count();
            let existing = u32::try_from(existing).unwrap_or(u32::MAX);
            *wanted.entry(members).or_insert(existing) += 1;
        }
    }
}

/// The broker at `leader` and `factor - 1` others: from racks not used yet first, then in the
/// order of ids, starting further on for each `nth` shard of the leader.
fn spread_over_racks(live: &[&BrokerImage], leader: usize, nth: usize, factor: usize) -> Vec<BrokerId> {
    let mut members = vec![live[leader]];
    let others = live.len() - 1;
    let mut ring: Vec<&BrokerImage> =
        (0..others).map(|step| live[(leader + 1 + (nth + step) % others) % live.len()]).collect();
    while members.len() < factor {
        let in_rack = |broker: &BrokerImage| members.iter().filter(|member| member.rack == broker.rack).count();
        let best = (0..ring.len()).max_by_key(|at| (Reverse(in_rack(ring[*at])), Reverse(*at)));
        members.push(ring.remove(best.expect("there are at least as many live brokers as replicas")));
    }
    members.iter().map(|member| member.id).collect()
}
