//! What the image is made of: brokers, shards, topics, partitions.

use std::collections::BTreeMap;

use model::{BrokerId, GroupId, TopicId, TopicName};
use raft::Voter;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Settings;

/// A broker as it last registered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BrokerImage {
    /// Its `node.id`.
    pub id: BrokerId,
    /// Identity of its data directory. An empty directory is another one, whatever the broker's id.
    pub directory: Uuid,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Where clients reach it, by the listener's name.
    pub listeners: BTreeMap<String, Endpoint>,
    /// Whether it is known not to serve: left out of what clients are told.
    pub fenced: bool,
    /// Index of the command that registered it: grows with each registration. 0 for a founder that
    /// did not register by itself yet.
    pub epoch: u64,
    /// Where other brokers reach it; `None` if it registered with a build that knew no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Endpoint>,
    /// Its `shards.per.broker`; `None` if it registered with a build that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<u32>,
    /// Whether it is to carry nothing: others take over its shards and its votes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drained: bool,
    /// While it is fenced: since when, by the wall clock of whoever found out, in ms since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away_since_ms: Option<i64>,
}

impl BrokerImage {
    /// The member of Raft groups that it is, as long as it keeps its directory.
    pub fn voter(&self) -> Voter {
        Voter::new(self.id, self.directory)
    }

    /// Whether it may take on something: it serves, and is not being drained.
    pub fn is_available(&self) -> bool {
        !self.fenced && !self.drained
    }
}

/// An advertised address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    /// Name or address, as clients are to resolve it.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// A Raft group that carries partitions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShardImage {
    /// The group.
    pub id: GroupId,
    /// The replicas that it is to have, the preferred leader first; never empty, no broker twice.
    pub members: Vec<BrokerId>,
    /// Its first members, with the directories that they had: those and no others may begin the
    /// group's history, so that a broker with an empty directory never begins it a second time. Nobody may
    /// once the members are others than at first: who left and comes back has no history of it either.
    /// `None` of a shard from the days of single brokers, whose members they are.
    pub founders: Option<BTreeMap<BrokerId, Uuid>>,
    /// How many partitions it carries.
    pub partitions: u32,
    /// Whether it is for partitions that were assigned by hand, which stay where they were put.
    pub pinned: bool,
}

impl ShardImage {
    /// The broker that should lead.
    pub fn preferred_leader(&self) -> Option<BrokerId> {
        self.members.first().copied()
    }
}

/// A topic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TopicImage {
    /// Its identity.
    pub id: TopicId,
    /// Its name.
    pub name: TopicName,
    /// Its partitions; a partition's number is its place.
    pub partitions: Vec<PartitionImage>,
    /// The settings that were set for it (checked before they were proposed), by Kafka's names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub configs: Settings,
}

impl TopicImage {
    /// Whether the broker alone writes it.
    pub fn is_internal(&self) -> bool {
        self.name.is_internal()
    }

    /// The partition of this number.
    pub fn partition(&self, index: i32) -> Option<&PartitionImage> {
        usize::try_from(index).ok().and_then(|index| self.partitions.get(index))
    }

    /// The partitions with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (i32, &PartitionImage)> {
        (0..).zip(&self.partitions)
    }
}

/// Where one partition lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartitionImage {
    /// The shard that carries it.
    pub shard: GroupId,
    /// Its leader epoch in the shard's first term; a move to another shard raises it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub base_epoch: i32,
}

/// A partition on its way to another shard, where its records are copied first. It lives where it is until it has
/// arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Move {
    /// The shard that it goes to.
    pub to: GroupId,
    /// Index of the command that began it: tells it from any other move.
    pub id: u64,
}

impl PartitionImage {
    /// A new partition in a shard.
    pub fn new(shard: GroupId) -> Self {
        PartitionImage { shard, base_epoch: 0 }
    }

    /// The partition's leader epoch while its shard is in `term`.
    pub fn leader_epoch(&self, term: u64) -> i32 {
        model::leader_epoch(self.base_epoch, term)
    }
}

fn is_zero(value: &i32) -> bool {
    *value == 0
}
