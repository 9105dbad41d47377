//! Others in the place of brokers that are lost or drained.

use model::BrokerId;

use super::load::{Loads, weight};
use super::{Known, Policy, in_rack_of};
use crate::command::{ChangeShardMembers, MembersChange};
use crate::image::{ClusterImage, ShardImage};

/// Gives shards other members where one is away for longer than `broker.replacement.ms`, or drained:
/// the broker in the fewest of their racks, then the one that carries least. The successor takes the
/// predecessor's place, and with it the preference to lead.
///
/// No more than [`Policy::moves`] shards change at a time. Where no broker is left to take over,
/// or where no majority is there to agree on it, things stay as they are.
pub fn replacements(image: &ClusterImage, known: &Known, policy: &Policy, now_ms: i64) -> Option<ChangeShardMembers> {
    let is_lost = |id: &BrokerId| image.broker(*id).is_some_and(|broker| policy.is_lost(broker, now_ms));
    let mut room = known.room(image, policy);
    let mut loads = Loads::of(image);
    let mut shards = Vec::new();
    for shard in image.shards().filter(|shard| known.is_able(image, shard.id)) {
        // One that is on its way to a broker that is lost by now may turn.
        let is_moving = known.is_settled(image, shard.id) == Some(false);
        if !is_moving && room == 0 {
            continue;
        }
        if let Some(to) = without_lost(image, shard, &loads, &is_lost) {
            loads.change(&shard.members, &to, weight(shard));
            room = if is_moving { room } else { room - 1 };
            shards.push(MembersChange { shard: shard.id, from: shard.members.clone(), to });
        }
    }
    (!shards.is_empty()).then_some(ChangeShardMembers { shards })
}

fn without_lost(
    image: &ClusterImage,
    shard: &ShardImage,
    loads: &Loads,
    is_lost: &impl Fn(&BrokerId) -> bool,
) -> Option<Vec<BrokerId>> {
    let mut members = shard.members.clone();
    for place in 0..members.len() {
        if !is_lost(&members[place]) {
            continue;
        }
        let free = image.brokers().filter(|broker| broker.is_available() && !members.contains(&broker.id));
        let staying: Vec<BrokerId> = members.iter().copied().filter(|id| *id != members[place]).collect();
        let best = free.min_by_key(|broker| (in_rack_of(image, broker, &staying), loads.carried(broker.id), broker.id));
        if let Some(best) = best {
            members[place] = best.id;
        }
    }
    (members != shard.members).then_some(members)
}
