//! More replicas for internal topics that a single broker began.

use std::collections::BTreeSet;

use model::GroupId;

use super::load::{Loads, weight};
use super::{Known, Policy, in_rack_of};
use crate::command::{ChangeShardMembers, MembersChange};
use crate::image::ClusterImage;

/// Gives the shards that carry internal topics as many members as [`Policy::internal_replicas`], once there are so
/// many brokers: others than those in the racks of the members first, then the ones that carry least.
///
/// What else is in these shards is replicated with them. They are those of the days when there was one broker,
/// where no topic could have more than one replica, whatever was wanted; later ones have no internal topics.
pub fn internal_growth(image: &ClusterImage, known: &Known, policy: &Policy) -> Option<ChangeShardMembers> {
    let available = image.brokers().filter(|broker| broker.is_available()).count();
    if available < policy.internal_replicas {
        return None;
    }
    let internal = image.topics().filter(|topic| topic.is_internal()).flat_map(|topic| &topic.partitions);
    let internal: BTreeSet<GroupId> = internal.map(|partition| partition.shard).collect();
    let is_ready = |id: &GroupId| known.is_settled(image, *id) == Some(true) && known.is_able(image, *id);
    let shards = internal.into_iter().filter(is_ready).filter_map(|id| image.shard(id));
    let mut loads = Loads::of(image);
    let mut changes = Vec::new();
    for shard in shards.filter(|shard| shard.members.len() < policy.internal_replicas) {
        if changes.len() >= known.room(image, policy) {
            break;
        }
        let mut to = shard.members.clone();
        while to.len() < policy.internal_replicas {
            let free = image.brokers().filter(|broker| broker.is_available() && !to.contains(&broker.id));
            let best = free.min_by_key(|broker| (in_rack_of(image, broker, &to), loads.carried(broker.id), broker.id));
            let Some(best) = best else { break };
            to.push(best.id);
        }
        if to.len() == policy.internal_replicas {
            loads.change(&shard.members, &to, weight(shard));
            changes.push(MembersChange { shard: shard.id, from: shard.members.clone(), to });
        }
    }
    (!changes.is_empty()).then_some(ChangeShardMembers { shards: changes })
}
