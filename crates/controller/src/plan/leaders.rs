//! Who should lead.

use std::collections::BTreeMap;

use model::{BrokerId, GroupId};

use super::{GroupSeen, Known, Policy};
use crate::image::{ClusterImage, ShardImage};

/// Leadership of a shard that should go to another member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandOver {
    /// The shard.
    pub shard: GroupId,
    /// Who leads it, and is to hand it over.
    pub from: BrokerId,
    /// Who is to lead.
    pub to: BrokerId,
}

/// Which shards' leaders should hand over, and to whom.
///
/// The preferred leader leads as soon as it has been there for [`Policy::steady`] and is in sync.
/// As long as it can't, those who can share its shards: a leader that has two more than another
/// member hands one over. Each step leaves things more even than before, so that two brokers that
/// see the same never send a shard back and forth. Nobody is given leadership who is drained, and
/// who is drained gives it away.
pub fn hand_overs(image: &ClusterImage, known: &Known, policy: &Policy) -> Vec<HandOver> {
    let shards: Vec<(&ShardImage, &GroupSeen)> =
        image.shards().filter_map(|shard| Some((shard.as_ref(), known.groups.get(&shard.id)?))).collect();
    let may_lead = |shard: &ShardImage, seen: &GroupSeen, id: BrokerId| {
        shard.members.contains(&id) && seen.in_sync.contains(&id) && is_steady(image, known, policy, id)
    };
    let preferred = |shard: &ShardImage, seen: &GroupSeen| {
        shard
            .preferred_leader()
            .filter(|id| *id == seen.leader && is_available(image, *id) || may_lead(shard, seen, *id))
    };
    let mut led: BTreeMap<BrokerId, usize> = BTreeMap::new();
    for (shard, seen) in &shards {
        *led.entry(preferred(shard, seen).unwrap_or(seen.leader)).or_default() += 1;
    }
    let mut found = Vec::new();
    for (shard, seen) in shards {
        let from = seen.leader;
        let to = preferred(shard, seen).or_else(|| {
            let count = |id: &BrokerId| led.get(id).copied().unwrap_or(0);
            let others = shard.members.iter().copied().filter(|id| *id != from && may_lead(shard, seen, *id));
            let least = others.min_by_key(|id| (count(id), *id))?;
            let is_heavier = count(&from) >= count(&least) + 2;
            let must_go = !shard.members.contains(&from) || !is_available(image, from);
            (must_go || is_heavier).then(|| {
                *led.entry(from).or_default() -= 1;
                *led.entry(least).or_default() += 1;
                least
            })
        });
        found.extend(to.filter(|to| *to != from).map(|to| HandOver { shard: shard.id, from, to }));
    }
    found
}

fn is_available(image: &ClusterImage, id: BrokerId) -> bool {
    image.broker(id).is_some_and(|broker| broker.is_available())
}

/// There, for a while, and with the directory that it registered.
fn is_steady(image: &ClusterImage, known: &Known, policy: &Policy, id: BrokerId) -> bool {
    let (Some(broker), Some(seen)) = (image.broker(id), known.brokers.get(&id)) else { return false };
    broker.is_available() && !seen.gone && seen.steady >= policy.steady && seen.directory == broker.directory
}
