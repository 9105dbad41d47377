//! A part for brokers that have joined, and an even one for all.

use std::collections::BTreeSet;

use model::BrokerId;

use super::load::{Loads, weight};
use super::{Known, Policy, in_rack_of};
use crate::command::{ChangeShardMembers, CreateShards, MembersChange};
use crate::image::{BrokerImage, ClusterImage, ShardImage};
use crate::placement::{Layout, missing_shards};

/// Shards of its own for each broker, as many as it wants to lead, of each replication factor that
/// is in use: new partitions go there too.
pub fn new_shards(image: &ClusterImage, policy: &Policy) -> Option<CreateShards> {
    let in_use = image.shards().filter(|shard| shard.partitions > 0).map(|shard| shard.members.len());
    let factors: BTreeSet<usize> = in_use.collect();
    let layouts: Vec<Layout> =
        factors.into_iter().map(|factor| Layout::Spread { partitions: 1, replication_factor: factor }).collect();
    let wishes = missing_shards(image, &layouts, policy.shards_per_broker);
    (!wishes.is_empty()).then_some(CreateShards { wishes })
}

/// Evens out what brokers carry, and what they lead: the member of one shard is exchanged for the
/// broker that carries least, or its members change their order.
///
/// Only while nothing else is going on, [`Policy::moves`] shards at a time, and only if it makes a
/// difference of more than a tenth of what a broker carries: partitions are copied for it. Each step
/// makes the sum of the squares of all loads smaller, so that it ends, and never turns back.
pub fn rebalance(image: &ClusterImage, known: &Known, policy: &Policy, now_ms: i64) -> Option<ChangeShardMembers> {
    let is_calm = image.brokers().all(|broker| broker.is_available() || policy.is_lost(broker, now_ms));
    let is_still = image.shards().all(|shard| known.is_settled(image, shard.id) == Some(true));
    if !is_calm || !is_still {
        return None;
    }
    let mut loads = Loads::of(image);
    let mut shards: Vec<MembersChange> = Vec::new();
    while shards.len() < policy.moves {
        let movable = image.shards().filter(|shard| !shard.pinned);
        let free = movable.filter(|shard| !shards.iter().any(|change| change.shard == shard.id));
        let steps = free.flat_map(|shard| steps(image, shard, &loads));
        let Some((_, shard, to)) = steps.min_by_key(|(gain, shard, to)| (*gain, shard.id, to.clone())) else { break };
        loads.change(&shard.members, &to, weight(shard));
        shards.push(MembersChange { shard: shard.id, from: shard.members.clone(), to });
    }
    (!shards.is_empty()).then_some(ChangeShardMembers { shards })
}

/// The changes to one shard that make things more even, each with what it does to the sum of squares.
fn steps<'a>(image: &ClusterImage, shard: &'a ShardImage, loads: &Loads) -> Vec<(i64, &'a ShardImage, Vec<BrokerId>)> {
    let available: Vec<&BrokerImage> =
        image.brokers().map(AsRef::as_ref).filter(|broker| broker.is_available()).collect();
    let orders = (1..shard.members.len()).map(|place| {
        let mut members = shard.members.clone();
        members.swap(0, place);
        members
    });
    let enough = -slack(loads, &available) * weight(shard);
    let all = exchanges(image, shard, &available).into_iter().chain(orders);
    all.map(|to| (gain(loads, shard, &to), shard, to)).filter(|(gain, ..)| *gain < enough).collect()
}

/// A tenth of what a broker carries on average.
fn slack(loads: &Loads, available: &[&BrokerImage]) -> i64 {
    let all: i64 = available.iter().map(|broker| loads.carried(broker.id)).sum();
    all / (10 * available.len().max(1) as i64)
}

/// Each member that is there, exchanged for each other broker, so that no more racks are shared. Not
/// of an empty shard: it would only be made anew where it went from.
fn exchanges(image: &ClusterImage, shard: &ShardImage, available: &[&BrokerImage]) -> Vec<Vec<BrokerId>> {
    let mut all = Vec::new();
    if shard.partitions == 0 {
        return all;
    }
    for leaving in available.iter().filter(|broker| shard.members.contains(&broker.id)) {
        let staying: Vec<BrokerId> = shard.members.iter().copied().filter(|id| *id != leaving.id).collect();
        let shared = in_rack_of(image, leaving, &staying);
        for coming in available.iter().filter(|broker| !shard.members.contains(&broker.id)) {
            if in_rack_of(image, coming, &staying) <= shared {
                let exchange = |id: &BrokerId| if *id == leaving.id { coming.id } else { *id };
                all.push(shard.members.iter().map(exchange).collect());
            }
        }
    }
    all
}

/// What a change does to the sum of the squares of what brokers carry and of what they lead.
fn gain(loads: &Loads, shard: &ShardImage, to: &[BrokerId]) -> i64 {
    let from = &shard.members;
    let growth = |load: i64, is_on: bool, was_on: bool| {
        let more = weight(shard) * (i64::from(is_on) - i64::from(was_on));
        more * (2 * load + more)
    };
    let touched = from.iter().chain(to.iter().filter(|id| !from.contains(id)));
    touched
        .map(|id| {
            growth(loads.carried(*id), to.contains(id), from.contains(id))
                + growth(loads.led(*id), to.first() == Some(id), from.first() == Some(id))
        })
        .sum()
}
