//! The fields of each command. Names of fields are part of the format: never rename one.

use std::collections::BTreeMap;

use model::{BrokerId, GroupId, PartitionId, TopicId, TopicName};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::image::{BrokerImage, Endpoint, PartitionImage, Resource, Settings, ShardImage};

/// See [`Command::Bootstrap`](super::Command::Bootstrap). Refused where a cluster exists already.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Bootstrap {
    /// The cluster's id for ever; not empty.
    pub cluster_id: String,
    /// The first broker.
    pub broker: Registration,
    /// How many shards it gets, with itself as the only member.
    pub shards: u32,
    /// Feature levels to start with.
    pub features: BTreeMap<String, i16>,
    /// The other brokers that found the cluster. They are known from now on, so that they vote in
    /// the controller's group, and fenced until they register by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub founders: Vec<Registration>,
}

/// See [`Command::RegisterBroker`](super::Command::RegisterBroker).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registration {
    /// Its `node.id`.
    pub id: BrokerId,
    /// Identity of its data directory.
    pub directory: Uuid,
    /// `broker.rack`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rack: Option<String>,
    /// Where clients reach it, by the listener's name.
    pub listeners: BTreeMap<String, Endpoint>,
    /// Where other brokers reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Endpoint>,
    /// Its `shards.per.broker`: how many shards it leads for each replication factor in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<u32>,
}

impl Registration {
    /// A broker that says no more of itself than who it is.
    pub fn new(id: BrokerId, directory: Uuid) -> Self {
        Registration { id, directory, rack: None, listeners: BTreeMap::new(), cluster: None, shards: None }
    }

    /// Whether registering anew would change nothing.
    pub fn is_same_as(&self, known: &BrokerImage) -> bool {
        let BrokerImage { id, directory, rack, listeners, cluster, shards, .. } = known;
        (self.id, self.directory, self.shards) == (*id, *directory, *shards)
            && (&self.rack, &self.listeners, &self.cluster) == (rack, listeners, cluster)
    }
}

/// See [`Command::FenceBroker`](super::Command::FenceBroker).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FenceBroker {
    /// The broker.
    pub id: BrokerId,
    /// Precondition: the registration that this is about.
    pub epoch: u64,
    /// Whether it is to be left out of what clients are told.
    pub fenced: bool,
    /// When it was found to be away, by the proposer's wall clock, in ms since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
}

/// See [`Command::UnregisterBroker`](super::Command::UnregisterBroker).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UnregisterBroker {
    /// The broker.
    pub id: BrokerId,
}

/// See [`Command::DrainBroker`](super::Command::DrainBroker).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DrainBroker {
    /// The broker.
    pub id: BrokerId,
    /// Whether it is to carry nothing; `false` takes it back.
    pub drained: bool,
}

/// See [`Command::SetControllers`](super::Command::SetControllers).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SetControllers {
    /// Precondition: the voters as the proposer saw them.
    pub from: Vec<BrokerId>,
    /// The voters that there are to be.
    pub to: Vec<BrokerId>,
}

/// See [`Command::AllocateBrokerId`](super::Command::AllocateBrokerId).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AllocateBrokerId {}

/// See [`Command::CreateShards`](super::Command::CreateShards).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CreateShards {
    /// Sets of members, each with how many shards there are to be of it.
    pub wishes: Vec<ShardWish>,
}

/// Shards of one list of members. It asks for a total, so that asking twice creates no more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ShardWish {
    /// The replicas, the preferred leader first.
    pub members: Vec<BrokerId>,
    /// How many shards with exactly these members, in this order, there are to be at least.
    pub at_least: u32,
    /// Whether they are for partitions that were assigned by hand: their members change in the place of lost ones
    /// alone, and no other partitions are put there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
}

impl ShardWish {
    /// Whether a shard is one of those wished for.
    pub(crate) fn fits(&self, shard: &ShardImage) -> bool {
        shard.members == self.members && shard.pinned == self.pinned
    }
}

/// See [`Command::ChangeShardMembers`](super::Command::ChangeShardMembers).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangeShardMembers {
    /// Changes, one a shard.
    pub shards: Vec<MembersChange>,
}

/// A change to the members of one shard.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MembersChange {
    /// The shard.
    pub shard: GroupId,
    /// Precondition: its members as the proposer saw them, in their order.
    pub from: Vec<BrokerId>,
    /// The members that it is to have, the preferred leader first.
    pub to: Vec<BrokerId>,
}

/// See [`Command::MovePartitions`](super::Command::MovePartitions).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MovePartitions {
    /// Moves, one a partition.
    pub moves: Vec<PartitionMove>,
}

/// A partition is to go to another shard, or to stay where it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartitionMove {
    /// The partition.
    pub partition: PartitionId,
    /// Precondition: the shard that it lives in.
    pub from: GroupId,
    /// The shard that it is to live in; none calls off what is under way.
    pub to: Option<GroupId>,
}

/// See [`Command::FinishMoves`](super::Command::FinishMoves).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FinishMoves {
    /// The partitions that have arrived.
    pub arrivals: Vec<Arrival>,
}

/// A partition has arrived: its old shard takes no more records for it, and the new one has them all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Arrival {
    /// The partition.
    pub partition: PartitionId,
    /// Precondition: the [`Move::id`](crate::image::Move::id) of what is under way.
    pub id: u64,
    /// Its leader epoch in the new shard's first term, so that epochs go on rising.
    pub base_epoch: i32,
}

/// See [`Command::CreateTopics`](super::Command::CreateTopics).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CreateTopics {
    /// The topics, with their places as the proposer computed them.
    pub topics: Vec<NewTopic>,
}

/// A topic to be created.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewTopic {
    /// Its identity: random, chosen by the proposer.
    pub id: TopicId,
    /// Its name.
    pub name: TopicName,
    /// Its partitions in order.
    pub partitions: Vec<PartitionImage>,
    /// Its settings, already checked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub configs: Settings,
}

/// See [`Command::DeleteTopics`](super::Command::DeleteTopics).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeleteTopics {
    /// The topics by identity, so that a topic created anew under the name is not hit.
    pub topics: Vec<TopicId>,
}

/// See [`Command::CreatePartitions`](super::Command::CreatePartitions).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CreatePartitions {
    /// The topics that grow.
    pub topics: Vec<NewPartitions>,
}

/// Partitions to be appended to one topic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewPartitions {
    /// The topic.
    pub topic: TopicId,
    /// Precondition: how many partitions it has.
    pub current: u32,
    /// The shards of the new ones, in order.
    pub shards: Vec<GroupId>,
}

/// See [`Command::SetSettings`](super::Command::SetSettings).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SetSettings {
    /// Changes, one a resource; each is made whole or not at all.
    pub resources: Vec<SettingsChange>,
}

/// Changes to the settings of one resource. Values are checked before they are proposed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SettingsChange {
    /// The resource.
    pub resource: Resource,
    /// Whether what is not named here is reset (AlterConfigs) or kept (IncrementalAlterConfigs).
    #[serde(default)]
    pub replace: bool,
    /// The settings named.
    pub changes: Vec<SettingChange>,
}

/// A change to one setting.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SettingChange {
    /// Kafka's name of the setting.
    pub name: String,
    /// Its new value; `None` resets it.
    pub value: Option<String>,
    /// Precondition, where the new value was computed from the old one (APPEND, SUBTRACT): the old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Precondition>,
}

/// What a setting must be for a change to apply.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Precondition {
    /// The value that was set; `None` if none was.
    pub value: Option<String>,
}

/// See [`Command::AllocateProducerIds`](super::Command::AllocateProducerIds).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AllocateProducerIds {
    /// The broker that will hand them out.
    pub broker: BrokerId,
    /// How many, above 0.
    pub count: u32,
}

/// See [`Command::SetFeatures`](super::Command::SetFeatures).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SetFeatures {
    /// New levels by name; 0 switches a feature off.
    pub levels: BTreeMap<String, i16>,
}
