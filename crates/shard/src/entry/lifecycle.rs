//! The bodies of the entries that are not appends. Fields may be added with a default; none may
//! change its meaning.

use log::LogSettings;
use model::{PartitionId, TopicName};
use serde::{Deserialize, Serialize};

/// What apply needs to know of a partition's configuration. It comes with entries and never from
/// the configuration itself, so that all replicas roll and expire alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartitionSettings {
    /// Rolling and indexing.
    pub log: LogSettings,
    /// Idle producers are forgotten after so long (`producer.id.expiration.ms`).
    pub producer_expiration_ms: i64,
    /// Dropped files are unlinked after so long (`file.delete.delay.ms`).
    pub file_delete_delay_ms: i64,
}

/// Partitions come to live in a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenPartitions {
    /// Version of the cluster image that has them in this shard.
    pub as_of: u64,
    /// Each of them.
    pub partitions: Vec<OpenPartition>,
}

/// Partitions cease to live in a shard, with their files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClosePartitions {
    /// Version of the cluster image that does not have them in this shard.
    pub as_of: u64,
    /// Which.
    pub ids: Vec<PartitionId>,
}

/// A partition comes to live in a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenPartition {
    /// Which.
    pub id: PartitionId,
    /// Names its directory.
    pub topic: TopicName,
    /// Its settings to begin with.
    pub settings: PartitionSettings,
    /// Its leader epoch in the shard's first term; later terms add to it.
    pub epoch_base: i32,
    /// Offset of its first record: 0, unless it comes from another shard.
    pub start_offset: i64,
}

/// New settings for one partition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configure {
    /// Which.
    pub id: PartitionId,
    /// All of its settings.
    pub settings: PartitionSettings,
}

/// Moves of log starts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AdvanceStart {
    /// Each partition with its new start.
    pub partitions: Vec<LogStart>,
}

/// One partition's new log start offset. Never moves backwards.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogStart {
    /// Which.
    pub id: PartitionId,
    /// The first offset to keep.
    pub offset: i64,
}

/// How apply behaves from here on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureLevel {
    /// The level; 1 is the first.
    pub level: u16,
}
