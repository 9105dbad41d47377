//! Where partitions go: pure functions of the image, run by whoever proposes.
//!
//! `apply` only checks that what was chosen still exists; a choice by an older image is at worst
//! less even.

mod layout;
mod queue;
mod shards;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use model::{BrokerId, ErrorCode, GroupId, TopicId};

use crate::apply::{Refusal, check_name};
use crate::command::{NewPartitions, NewTopic};
use crate::image::{ClusterImage, PartitionImage, TopicImage};
use queue::Queue;

pub use layout::{Defaults, Growth, Layout, TopicSpec, check_replicas};
pub use shards::{default_shards_per_broker, missing_shards};

/// Partitions that one request may create, as Kafka bounds it: one entry must stay of a size that
/// replicates and applies within a few heartbeats.
pub const MAX_PARTITIONS_PER_REQUEST: usize = 10_000;

/// Places `partitions` partitions of one topic, with `replication_factor` replicas each: evenly
/// over the shards with so many members, beginning with the one that carries fewest partitions.
pub fn assign(
    image: &ClusterImage,
    partitions: usize,
    replication_factor: usize,
) -> Result<Vec<PartitionImage>, Refusal> {
    Planner::new(image).spread(partitions, replication_factor, &mut BTreeMap::new())
}

/// Places the topics of one request, so that each sees the load that the ones before it will bring.
#[derive(Debug)]
pub struct Planner<'a> {
    image: &'a ClusterImage,
    by_members: BTreeMap<&'a [BrokerId], Vec<GroupId>>,
    /// Partitions of each shard, planned ones too.
    loads: BTreeMap<GroupId, u32>,
    planned: usize,
}

/// How many partitions of one topic stand in each shard.
type TopicLoad = BTreeMap<GroupId, u32>;

impl<'a> Planner<'a> {
    /// A planner that starts from what `image` holds.
    pub fn new(image: &'a ClusterImage) -> Self {
        let mut by_members: BTreeMap<&[BrokerId], Vec<GroupId>> = BTreeMap::new();
        for shard in image.shards().filter(|shard| !shard.pinned) {
            by_members.entry(&shard.members).or_default().push(shard.id);
        }
        let loads = image.shards().map(|shard| (shard.id, shard.partitions)).collect();
        Planner { image, by_members, loads, planned: 0 }
    }

    /// The whole command for one new topic, or what Kafka would say against it. This is also what
    /// a validate-only request is answered from.
    pub fn topic(&mut self, spec: &TopicSpec, id: TopicId) -> Result<NewTopic, Refusal> {
        check_name(self.image, &spec.name)?;
        let partitions = self.place(&spec.layout, TopicLoad::new(), "partitions")?;
        Ok(NewTopic { id, name: spec.name.clone(), partitions, configs: spec.configs.clone() })
    }

    /// The whole command for more partitions of a topic (CreatePartitions).
    pub fn growth(&mut self, growth: &Growth) -> Result<NewPartitions, Refusal> {
        let unknown = "This server does not host this topic-partition.";
        let topic = self.image.topic(growth.topic.as_str());
        let topic = topic.ok_or_else(|| Refusal::new(ErrorCode::UnknownTopicOrPartition, unknown))?;
        let replication_factor = replication_factor(self.image, topic)?;
        let layout = growth.layout(self.image, topic, replication_factor)?;
        let mut there = TopicLoad::new();
        for partition in &topic.partitions {
            *there.entry(partition.shard).or_default() += 1;
        }
        let partitions = self.place(&layout, there, "additional partitions")?;
        let current = u32::try_from(topic.partitions.len()).expect("apply bounds the partitions of a topic");
        Ok(NewPartitions { topic: topic.id, current, shards: partitions.iter().map(|place| place.shard).collect() })
    }

    fn place(&mut self, layout: &Layout, mut there: TopicLoad, what: &str) -> Result<Vec<PartitionImage>, Refusal> {
        self.planned = self.planned.saturating_add(layout.partitions());
        if self.planned > MAX_PARTITIONS_PER_REQUEST {
            let message = format!("Excessively large number of {what} per request.");
            return Err(Refusal::new(ErrorCode::PolicyViolation, message));
        }
        match layout {
            Layout::Spread { partitions, replication_factor } => {
                self.spread(*partitions, *replication_factor, &mut there)
            }
            Layout::Assigned(replicas) => {
                layout::check_assigned(self.image, replicas)?;
                let mut places = Vec::with_capacity(replicas.len());
                for members in replicas {
                    let shards = self.by_members.get(members.as_slice()).cloned().unwrap_or_default();
                    places.extend(self.place_among(&shards, 1, &mut there)?);
                }
                Ok(places)
            }
        }
    }

    fn spread(
        &mut self,
        partitions: usize,
        replication_factor: usize,
        there: &mut TopicLoad,
    ) -> Result<Vec<PartitionImage>, Refusal> {
        layout::check_replication_factor(self.image, replication_factor)?;
        let shards = |wanted: &dyn Fn(BrokerId) -> bool| -> Vec<GroupId> {
            let fits = |members: &[BrokerId]| members.len() == replication_factor && wanted(members[0]);
            self.by_members.iter().filter(|(members, _)| fits(members)).flat_map(|(_, ids)| ids).copied().collect()
        };
        // A leader that is away would make its partitions wait for a failover first.
        let led = shards(&|leader| self.image.broker(leader).is_some_and(|broker| broker.is_available()));
        let shards = if led.is_empty() { shards(&|_| true) } else { led };
        self.place_among(&shards, partitions, there)
    }

    /// Takes, for each partition, the shard with the fewest partitions of this topic (so that one
    /// busy topic uses all leaders), of these one whose leader has the fewest of it, then the shard
    /// with the fewest of all topics, then the leader with the fewest, then the lowest id.
    fn place_among(
        &mut self,
        shards: &[GroupId],
        partitions: usize,
        there: &mut TopicLoad,
    ) -> Result<Vec<PartitionImage>, Refusal> {
        let mut queue = Queue::new(self.image, shards, there, &self.loads);
        let mut places = Vec::with_capacity(partitions);
        for _ in 0..partitions {
            let id = queue.take().ok_or_else(|| Refusal::stale("There is no such shard yet."))?;
            *there.entry(id).or_default() += 1;
            *self.loads.entry(id).or_default() += 1;
            places.push(PartitionImage::new(id));
        }
        Ok(places)
    }
}

/// A topic's replication factor: that of its first partition.
pub fn replication_factor(image: &ClusterImage, topic: &TopicImage) -> Result<usize, Refusal> {
    let first = topic.partitions.first().and_then(|partition| image.shard_of(partition));
    first.map(|shard| shard.members.len()).ok_or_else(|| Refusal::stale("The topic has no shard."))
}
