//! Shards in the order in which they should get the next partition of a topic.

use std::collections::{BTreeMap, BTreeSet};

use model::{BrokerId, GroupId};

use super::TopicLoad;
use crate::image::ClusterImage;

/// Partitions of the topic in the shard and at its leader, of all topics in the shard and at its
/// leader. What comes first counts most.
type Rank = (u32, u32, u32, u32, GroupId);

#[derive(Clone, Copy, Default)]
struct Count {
    of_topic: u32,
    of_all: u32,
}

pub(super) struct Queue {
    order: BTreeSet<Rank>,
    shards: BTreeMap<GroupId, (BrokerId, Count)>,
    leaders: BTreeMap<BrokerId, (Vec<GroupId>, Count)>,
}

impl Queue {
    pub(super) fn new(
        image: &ClusterImage,
        shards: &[GroupId],
        there: &TopicLoad,
        loads: &BTreeMap<GroupId, u32>,
    ) -> Self {
        let mut queue = Queue { order: BTreeSet::new(), shards: BTreeMap::new(), leaders: BTreeMap::new() };
        let leader = |id: GroupId| image.shard(id).and_then(|shard| shard.preferred_leader());
        let of = |counts: &BTreeMap<GroupId, u32>, id: GroupId| counts.get(&id).copied().unwrap_or(0);
        for shard in image.shards() {
            // What else a leader leads counts too, whether or not it fits this topic.
            if let Some(leader) = shard.preferred_leader() {
                let (_, count) = queue.leaders.entry(leader).or_default();
                count.of_topic += of(there, shard.id);
                count.of_all += of(loads, shard.id);
            }
        }
        for id in shards {
            let Some(leader) = leader(*id) else { continue };
            let count = Count { of_topic: of(there, *id), of_all: of(loads, *id) };
            queue.shards.insert(*id, (leader, count));
            queue.leaders.entry(leader).or_default().0.push(*id);
        }
        queue.order = shards.iter().map(|id| queue.rank(*id)).collect();
        queue
    }

    /// The next shard; it is counted as having got a partition.
    pub(super) fn take(&mut self) -> Option<GroupId> {
        let (.., id) = *self.order.first()?;
        let (leader, _) = self.shards[&id];
        let siblings = self.leaders[&leader].0.clone();
        for sibling in &siblings {
            self.order.remove(&self.rank(*sibling));
        }
        let (shard, leader) = (self.shards.get_mut(&id), self.leaders.get_mut(&leader));
        for count in shard.map(|(_, count)| count).into_iter().chain(leader.map(|(_, count)| count)) {
            count.of_topic += 1;
            count.of_all += 1;
        }
        for sibling in siblings {
            let rank = self.rank(sibling);
            self.order.insert(rank);
        }
        Some(id)
    }

    fn rank(&self, id: GroupId) -> Rank {
        let (leader, shard) = self.shards[&id];
        let (_, leader) = self.leaders[&leader];
        (shard.of_topic, leader.of_topic, shard.of_all, leader.of_all, id)
    }
}
