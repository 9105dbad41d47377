//! Where partitions go: pure functions of the image, run by whoever proposes.
//!
//! `apply` only checks that what was chosen still exists; a choice by an older image is at worst
//! less even.

mod layout;
mod shards;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use model::{BrokerId, ErrorCode, GroupId, TopicId};

use crate::apply::{Refusal, check_name};
use crate::command::{NewPartitions, NewTopic};
use crate::image::{ClusterImage, PartitionImage, TopicImage};

pub use layout::{Defaults, Growth, Layout, TopicSpec};
pub use shards::{default_shards_per_broker, missing_shards};

/// Partitions that one request may create, as Kafka bounds it: one entry must stay of a size that
/// replicates and applies within a few heartbeats.
pub const MAX_PARTITIONS_PER_REQUEST: usize = 10_000;

/// Places `partitions` new partitions of `replication_factor` replicas: each into the shard with
/// the fewest partitions among those with so many members.
pub fn assign(
    image: &ClusterImage,
    partitions: usize,
    replication_factor: usize,
) -> Result<Vec<PartitionImage>, Refusal> {
    Planner::new(image).spread(partitions, replication_factor)
}

/// Places the topics of one request, so that each sees the load that the ones before it will bring.
#[derive(Debug)]
pub struct Planner<'a> {
    image: &'a ClusterImage,
    /// Shards by members, then by load, so that the first is the one to take.
    by_members: BTreeMap<&'a [BrokerId], BTreeSet<(u32, GroupId)>>,
    planned: usize,
}

impl<'a> Planner<'a> {
    /// A planner that starts from what `image` holds.
    pub fn new(image: &'a ClusterImage) -> Self {
        let mut by_members: BTreeMap<&[BrokerId], BTreeSet<_>> = BTreeMap::new();
        for shard in image.shards() {
            by_members.entry(&shard.members).or_default().insert((shard.partitions, shard.id));
        }
        Planner { image, by_members, planned: 0 }
    }

    /// The whole command for one new topic, or what Kafka would say against it. This is also what
    /// a validate-only request is answered from.
    pub fn topic(&mut self, spec: &TopicSpec, id: TopicId) -> Result<NewTopic, Refusal> {
        check_name(self.image, &spec.name)?;
        let partitions = self.place(&spec.layout)?;
        Ok(NewTopic { id, name: spec.name.clone(), partitions, configs: spec.configs.clone() })
    }

    /// The whole command for more partitions of a topic (CreatePartitions).
    pub fn growth(&mut self, growth: &Growth) -> Result<NewPartitions, Refusal> {
        let unknown = "This server does not host this topic-partition.";
        let topic = self.image.topic(growth.topic.as_str());
        let topic = topic.ok_or_else(|| Refusal::new(ErrorCode::UnknownTopicOrPartition, unknown))?;
        let replication_factor = replication_factor(self.image, topic)?;
        let layout = growth.layout(topic, replication_factor)?;
        let partitions = self.place(&layout)?;
        let current = u32::try_from(topic.partitions.len()).expect("apply bounds the partitions of a topic");
        Ok(NewPartitions { topic: topic.id, current, shards: partitions.iter().map(|place| place.shard).collect() })
    }

    fn place(&mut self, layout: &Layout) -> Result<Vec<PartitionImage>, Refusal> {
        self.planned = self.planned.saturating_add(layout.partitions());
        if self.planned > MAX_PARTITIONS_PER_REQUEST {
            let message = "Excessively large number of partitions per request.";
            return Err(Refusal::new(ErrorCode::PolicyViolation, message));
        }
        match layout {
            Layout::Spread { partitions, replication_factor } => self.spread(*partitions, *replication_factor),
            Layout::Assigned(replicas) => {
                layout::check_assigned(self.image, replicas)?;
                replicas.iter().map(|members| self.take(|shard| shard == members.as_slice())).collect()
            }
        }
    }

    fn spread(&mut self, partitions: usize, replication_factor: usize) -> Result<Vec<PartitionImage>, Refusal> {
        layout::check_replication_factor(self.image, replication_factor)?;
        let image = self.image;
        let is_live = |id: BrokerId| image.broker(id).is_some_and(|broker| !broker.fenced);
        // A leader that is away would make the partition wait for a failover first.
        let led = |members: &[BrokerId]| members.len() == replication_factor && is_live(members[0]);
        let any = |members: &[BrokerId]| members.len() == replication_factor;
        let is_led = self.by_members.keys().any(|members| led(members));
        (0..partitions).map(|_| if is_led { self.take(led) } else { self.take(any) }).collect()
    }

    /// Takes the least loaded shard among those whose members are wanted; the lowest id on a tie.
    fn take(&mut self, wanted: impl Fn(&[BrokerId]) -> bool) -> Result<PartitionImage, Refusal> {
        let sets = self.by_members.iter_mut().filter(|(members, _)| wanted(members));
        let best = sets
            .filter_map(|(_, shards)| shards.first().copied().map(|first| (first, shards)))
            .min_by_key(|best| best.0);
        let ((load, id), shards) = best.ok_or_else(|| Refusal::stale("There is no shard with such members yet."))?;
        shards.remove(&(load, id));
        shards.insert((load + 1, id));
        Ok(PartitionImage::new(id))
    }
}

/// A topic's replication factor: that of its first partition.
pub fn replication_factor(image: &ClusterImage, topic: &TopicImage) -> Result<usize, Refusal> {
    let first = topic.partitions.first().and_then(|partition| image.shard_of(partition));
    first.map(|shard| shard.members.len()).ok_or_else(|| Refusal::stale("The topic has no shard."))
}
