//! An image being changed, with a note of what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{BrokerId, GroupId, PartitionId, TopicId};
use uuid::Uuid;

use super::{BrokerImage, ClusterImage, Move, PartitionImage, Resource, Settings, ShardImage, TopicImage, metric_name};
use crate::features::FinalizedFeatures;

/// One separately stored part of the image: the unit of a checkpoint.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Key {
    /// Cluster id, version and counters.
    Cluster,
    /// Finalized feature levels.
    Features,
    /// A broker's registration.
    Broker(BrokerId),
    /// A shard's members.
    Shard(GroupId),
    /// A topic with its partitions and settings.
    Topic(TopicId),
    /// A partition on its way to another shard.
    Move(PartitionId),
    /// The settings of anything but a topic.
    Settings(Resource),
}

/// The only way to change an image. Every change notes the key under which it is stored.
///
/// The counts that the image derives (partitions of a shard, of all topics) and its second indexes
/// are kept here, so that `apply` can't forget them.
#[derive(Debug, Default)]
pub struct Draft {
    image: ClusterImage,
    changed: BTreeSet<Key>,
}

impl Draft {
    /// A draft that starts from `image`.
    pub fn new(image: ClusterImage) -> Self {
        Draft { image, changed: BTreeSet::new() }
    }

    /// The image as it is now.
    pub fn image(&self) -> &ClusterImage {
        &self.image
    }

    /// Takes the note of what changed since the last call.
    pub fn take_changed(&mut self) -> BTreeSet<Key> {
        std::mem::take(&mut self.changed)
    }

    /// Notes parts as changed: those of a checkpoint that failed.
    pub fn mark_changed(&mut self, keys: BTreeSet<Key>) {
        self.changed.extend(keys);
    }

    pub(crate) fn set_version(&mut self, version: u64) {
        self.image.version = version;
        self.changed.insert(Key::Cluster);
    }

    pub(crate) fn set_cluster_id(&mut self, id: &str) {
        self.image.cluster_id = id.into();
        self.changed.insert(Key::Cluster);
    }

    pub(crate) fn set_controllers(&mut self, controllers: Vec<BrokerId>) {
        self.image.controllers = controllers;
        self.changed.insert(Key::Cluster);
    }

    pub(crate) fn set_next_producer_id(&mut self, id: i64) {
        self.image.next_producer_id = id;
        self.changed.insert(Key::Cluster);
    }

    pub(crate) fn set_next_broker(&mut self, id: i32) {
        self.image.next_broker = id;
        self.changed.insert(Key::Cluster);
    }

    pub(crate) fn set_next_shard(&mut self, id: u32) {
        self.image.next_shard = id;
        self.changed.insert(Key::Cluster);
    }

    pub(crate) fn set_features(&mut self, features: FinalizedFeatures) {
        self.image.features = Arc::new(features);
        self.changed.insert(Key::Features);
    }

    pub(crate) fn put_broker(&mut self, broker: BrokerImage) {
        self.changed.insert(Key::Broker(broker.id));
        self.image.brokers.insert(broker.id, Arc::new(broker));
    }

    pub(crate) fn remove_broker(&mut self, id: BrokerId) {
        self.changed.insert(Key::Broker(id));
        self.image.brokers.remove(&id);
    }

    /// Adds a shard without partitions.
    pub(crate) fn add_shard(
        &mut self,
        id: GroupId,
        members: Vec<BrokerId>,
        founders: Option<BTreeMap<BrokerId, Uuid>>,
        pinned: bool,
    ) {
        self.changed.insert(Key::Shard(id));
        self.image.shards.insert(id, Arc::new(ShardImage { id, members, founders, partitions: 0, pinned }));
    }

    /// Gives a shard that exists other members, or puts them in another order.
    pub(crate) fn set_members(&mut self, id: GroupId, members: Vec<BrokerId>) {
        if let Some(shard) = self.image.shards.get_mut(&id) {
            self.changed.insert(Key::Shard(id));
            let shard = Arc::make_mut(shard);
            let sorted = |members: &[BrokerId]| members.iter().copied().collect::<BTreeSet<BrokerId>>();
            if sorted(&members) != sorted(&shard.members) {
                shard.founders = Some(BTreeMap::new());
            }
            shard.members = members;
        }
    }

    /// Adds a topic, or replaces the one with the same id.
    pub(crate) fn put_topic(&mut self, topic: TopicImage) -> Arc<TopicImage> {
        self.remove_topic(topic.id);
        self.changed.insert(Key::Topic(topic.id));
        self.count(&topic.partitions, true);
        if topic.name.as_str().contains(['.', '_']) {
            self.image.metric_names.insert(metric_name(&topic.name), topic.name.clone());
        }
        let topic = Arc::new(topic);
        self.image.topics.insert(topic.name.clone(), Arc::clone(&topic));
        self.image.topics_by_id.insert(topic.id, Arc::clone(&topic));
        topic
    }

    pub(crate) fn remove_topic(&mut self, id: TopicId) -> Option<Arc<TopicImage>> {
        let topic = self.image.topics_by_id.remove(&id)?;
        self.changed.insert(Key::Topic(id));
        self.image.topics.remove(&topic.name);
        self.image.metric_names.remove(&metric_name(&topic.name));
        self.count(&topic.partitions, false);
        Some(topic)
    }

    pub(crate) fn put_move(&mut self, id: PartitionId, to: Move) {
        self.changed.insert(Key::Move(id));
        self.image.moves.insert(id, to);
    }

    pub(crate) fn remove_move(&mut self, id: PartitionId) -> Option<Move> {
        self.changed.insert(Key::Move(id));
        self.image.moves.remove(&id)
    }

    /// Replaces the settings of anything but a topic; no settings leave no trace.
    pub(crate) fn put_settings(&mut self, resource: Resource, settings: Settings) {
        self.changed.insert(Key::Settings(resource.clone()));
        if settings.is_empty() {
            self.image.settings.remove(&resource);
        } else {
            self.image.settings.insert(resource, Arc::new(settings));
        }
    }

    fn count(&mut self, partitions: &[PartitionImage], added: bool) {
        let mut per_shard: BTreeMap<GroupId, u32> = BTreeMap::new();
        for partition in partitions {
            *per_shard.entry(partition.shard).or_default() += 1;
        }
        for (id, change) in per_shard {
            if let Some(shard) = self.image.shards.get_mut(&id) {
                let shard = Arc::make_mut(shard);
                let counted =
                    if added { shard.partitions.checked_add(change) } else { shard.partitions.checked_sub(change) };
                shard.partitions = counted.expect("a shard counts exactly the partitions that the topics have in it");
            }
        }
        let total = &mut self.image.partitions;
        *total = if added { *total + partitions.len() } else { *total - partitions.len() };
    }
}
