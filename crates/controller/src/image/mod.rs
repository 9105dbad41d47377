//! The cluster image: what the controller's group agrees on, as one immutable value.
//!
//! Its maps are persistent (they share what did not change), so that a clone costs a few counters
//! and applying one command to 10,000 topics copies a path through a tree, not the trees.

mod draft;
mod parts;
mod resource;
mod voters;

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use model::{BrokerId, GroupId, PartitionId, TopicId, TopicName};

use crate::features::FinalizedFeatures;

pub use draft::{Draft, Key};
pub use parts::{BrokerImage, Endpoint, Move, PartitionImage, ShardImage, TopicImage};
pub use resource::Resource;

/// The settings of one resource, by Kafka's names.
pub type Settings = BTreeMap<String, String>;

/// One version of the cluster's metadata. Cheap to clone and to share between threads.
///
/// Two images that applied the same commands are equal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterImage {
    version: u64,
    cluster_id: Arc<str>,
    controllers: Vec<BrokerId>,
    brokers: OrdMap<BrokerId, Arc<BrokerImage>>,
    shards: OrdMap<GroupId, Arc<ShardImage>>,
    next_shard: u32,
    next_broker: i32,
    topics: OrdMap<TopicName, Arc<TopicImage>>,
    topics_by_id: OrdMap<TopicId, Arc<TopicImage>>,
    /// Names with a `.` or `_`, by their form with `_` alone.
    metric_names: OrdMap<String, TopicName>,
    partitions: usize,
    moves: OrdMap<PartitionId, Move>,
    settings: OrdMap<Resource, Arc<Settings>>,
    features: Arc<FinalizedFeatures>,
    next_producer_id: i64,
}

impl ClusterImage {
    /// Index of the last command that it holds, which only grows; 0 before the first.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The cluster's id as clients see it; empty until the cluster is bootstrapped.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// Whether the first command of the cluster was applied.
    pub fn is_bootstrapped(&self) -> bool {
        !self.cluster_id.is_empty()
    }

    /// The topic of this name.
    pub fn topic(&self, name: &str) -> Option<&Arc<TopicImage>> {
        self.topics.get(name)
    }

    /// The topic with this id.
    pub fn topic_by_id(&self, id: TopicId) -> Option<&Arc<TopicImage>> {
        self.topics_by_id.get(&id)
    }

    /// All topics, by name.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<TopicImage>> {
        self.topics.values()
    }

    /// The topics whose names come after `name`: where a paged listing goes on.
    pub fn topics_from<'a>(&'a self, name: &TopicName) -> impl Iterator<Item = &'a Arc<TopicImage>> + use<'a> {
        self.topics.range(name.clone()..).map(|(_, topic)| topic)
    }

    /// Number of topics.
    pub fn topic_count(&self) -> usize {
        self.topics.len()
    }

    pub(crate) fn topic_id_count(&self) -> usize {
        self.topics_by_id.len()
    }

    /// Number of partitions of all topics.
    pub fn partition_count(&self) -> usize {
        self.partitions
    }

    /// One partition, unless it does not exist (any more).
    pub fn partition(&self, id: PartitionId) -> Option<&PartitionImage> {
        self.topic_by_id(id.topic)?.partition(id.index)
    }

    /// The shard that carries a partition.
    pub fn shard_of(&self, partition: &PartitionImage) -> Option<&Arc<ShardImage>> {
        self.shards.get(&partition.shard)
    }

    /// A partition's replicas, the preferred leader first: the members of its shard.
    pub fn replicas(&self, partition: &PartitionImage) -> &[BrokerId] {
        self.shard_of(partition).map_or(&[], |shard| &shard.members)
    }

    /// Where a partition is on its way to, if it is.
    pub fn move_of(&self, id: PartitionId) -> Option<&Move> {
        self.moves.get(&id)
    }

    /// All partitions that are on their way to other shards.
    pub fn moves(&self) -> impl Iterator<Item = (PartitionId, Move)> {
        self.moves.iter().map(|(id, moving)| (*id, *moving))
    }

    /// A topic other than `name` that would be the same in a metric's name.
    pub fn colliding_topic(&self, name: &TopicName) -> Option<&TopicName> {
        self.metric_names.get(&metric_name(name)).filter(|other| *other != name)
    }

    /// The shard with this id.
    pub fn shard(&self, id: GroupId) -> Option<&Arc<ShardImage>> {
        self.shards.get(&id)
    }

    /// All shards, by id.
    pub fn shards(&self) -> impl Iterator<Item = &Arc<ShardImage>> {
        self.shards.values()
    }

    /// The broker with this id, fenced or not.
    pub fn broker(&self, id: BrokerId) -> Option<&Arc<BrokerImage>> {
        self.brokers.get(&id)
    }

    /// All registered brokers, by id, fenced ones too.
    pub fn brokers(&self) -> impl Iterator<Item = &Arc<BrokerImage>> {
        self.brokers.values()
    }

    /// The brokers that clients may be sent to, by id.
    pub fn live_brokers(&self) -> impl Iterator<Item = &Arc<BrokerImage>> {
        self.brokers().filter(|broker| !broker.fenced)
    }

    /// The brokers that are to vote in the controller's group; at most five. All others follow it
    /// as learners.
    pub fn controllers(&self) -> &[BrokerId] {
        &self.controllers
    }

    /// What was set for a resource; `None` if nothing was. (A topic's settings stand with the topic.)
    pub fn settings(&self, resource: &Resource) -> Option<&Settings> {
        match resource {
            Resource::Topic(name) => {
                self.topic(name.as_str()).map(|topic| &topic.configs).filter(|set| !set.is_empty())
            }
            other => self.settings.get(other).map(Arc::as_ref),
        }
    }

    /// All resources but topics that have settings, with them.
    pub fn all_settings(&self) -> impl Iterator<Item = (&Resource, &Settings)> {
        self.settings.iter().map(|(resource, settings)| (resource, settings.as_ref()))
    }

    /// The feature levels in force, with their epoch.
    pub fn features(&self) -> &FinalizedFeatures {
        &self.features
    }

    /// The first producer id that was never handed out in a block.
    pub fn next_producer_id(&self) -> i64 {
        self.next_producer_id
    }

    /// The least `node.id` that was neither registered nor given away; 0 before the first was.
    pub(crate) fn next_broker(&self) -> i32 {
        self.next_broker
    }

    pub(crate) fn next_shard(&self) -> u32 {
        self.next_shard
    }

    /// Checks what must hold in every image and names each breach; for tests and simulation.
    pub fn violations(&self) -> Vec<String> {
        crate::invariants::violations(self)
    }
}

/// A topic's name as metrics write it, where `.` and `_` are alike.
fn metric_name(name: &TopicName) -> String {
    name.as_str().replace('.', "_")
}
