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

/// However often brokers come, go and are replaced, and whatever is assigned by hand: there are at most
/// so many times the shards that brokers wish for.
const MOST_TIMES_WISHED: usize = 2;

/// `shards.per.broker` unless it is set: a shard for each core, at most four.
pub fn default_shards_per_broker(cores: usize) -> u32 {
    u32::try_from(cores).unwrap_or(u32::MAX).clamp(1, MAX_DEFAULT_SHARDS_PER_BROKER)
}

/// The shards to be created before these layouts can be placed; nothing if all are there.
///
/// For each replication factor in use every broker that is available leads as many shards as it says
/// (`per_broker`, if it does not); replicas that were assigned by hand need a shard of exactly them.
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
        let there = image.shards().filter(|shard| wish.fits(shard)).count();
        there < wish.at_least as usize
    };
    wanted
        .into_iter()
        .map(|(members, at_least)| ShardWish { members, at_least, pinned: false })
        .filter(is_missing)
        .collect()
}

fn lead_by_each(image: &ClusterImage, factor: usize, per_broker: u32, wanted: &mut BTreeMap<Vec<BrokerId>, u32>) {
    let candidates = candidates(image, factor);
    let leaders = image.brokers().filter(|broker| broker.is_available()).count();
    if factor == 0 || factor > candidates.len() {
        return;
    }
    let of_factor = || image.shards().filter(|shard| shard.members.len() == factor && !shard.pinned);
    let wished = |broker: &BrokerImage| broker.shards.unwrap_or(per_broker);
    let most = candidates[..leaders].iter().map(|broker| wished(broker) as usize).sum::<usize>() * MOST_TIMES_WISHED;
    if of_factor().count() >= most {
        return;
    }
    for (place, leader) in candidates[..leaders].iter().enumerate() {
        let there = of_factor().filter(|shard| shard.members[0] == leader.id).count();
        let there = u32::try_from(there).unwrap_or(u32::MAX);
        for nth in there..wished(leader) {
            let members = spread_over_racks(&candidates, place, nth as usize, factor);
            let existing = image.shards().filter(|shard| shard.members == members && !shard.pinned).count();
            let existing = u32::try_from(existing).unwrap_or(u32::MAX);
            *wanted.entry(members).or_insert(existing) += 1;
        }
    }
}

/// Who may be a member: the brokers that are available, and only if these are too few the others
/// too, which will catch up when they are back.
fn candidates(image: &ClusterImage, factor: usize) -> Vec<&BrokerImage> {
    let (mut candidates, mut rest): (Vec<&BrokerImage>, Vec<&BrokerImage>) =
        image.brokers().map(AsRef::as_ref).partition(|broker| broker.is_available());
    rest.sort_by_key(|broker| broker.drained);
    let missing = factor.saturating_sub(candidates.len());
    candidates.extend(rest.into_iter().take(missing));
    candidates
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
