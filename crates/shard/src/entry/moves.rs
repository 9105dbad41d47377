//! The entries of a partition's way from one shard to another. Bodies are MessagePack, but for [`Import`], which carries
//! records.

use bytes::{Buf, BufMut, Bytes};
use model::PartitionId;
use serde::{Deserialize, Serialize};

use super::append::{AppendEntry, Appends};
use super::{Kind, OpenPartition, head};
use crate::producers::Producers;

const IMPORT_HEAD_BYTES: usize = 16;

/// A partition is to come to this shard: it begins as an empty log that nobody sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expect {
    /// Version of the cluster image that has it on the way here.
    pub as_of: u64,
    /// The move.
    pub id: u64,
    /// What it will be; its first offset is the first that is there to be copied.
    pub partition: OpenPartition,
}

/// A partition takes no more records in this shard, and answers nobody, since it goes to another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Depart {
    /// Version of the cluster image that has it on the way.
    pub as_of: u64,
    /// The move.
    pub id: u64,
    /// Which.
    pub partition: PartitionId,
}

/// A partition that was to depart stays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stay {
    /// Version of the cluster image in which it does not move.
    pub as_of: u64,
    /// Which.
    pub partition: PartitionId,
}

/// Batches of a partition that is on its way here, as they are where it comes from.
#[derive(Debug)]
pub struct Import {
    /// The move.
    pub id: u64,
    /// The partition's first offset where it comes from: what is below need not be kept.
    pub log_start: i64,
    /// The batches, in the order of their offsets; those that are here already are passed over.
    pub batches: Appends,
}

impl Import {
    /// The entry's bytes.
    pub fn encode(clock_ms: i64, id: u64, log_start: i64, batches: &AppendEntry<'_>) -> Bytes {
        let mut entry = head(clock_ms, Kind::Import, IMPORT_HEAD_BYTES + batches.bytes());
        entry.put_u64_le(id);
        entry.put_i64_le(log_start);
        batches.finish(entry)
    }

    pub(super) fn decode(mut body: Bytes) -> Result<Self, String> {
        let id = body.try_get_u64_le().map_err(|why| why.to_string())?;
        let log_start = body.try_get_i64_le().map_err(|why| why.to_string())?;
        Ok(Import { id, log_start, batches: Appends::decode(body)? })
    }
}

/// A partition whose records are all here lives here from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adopt {
    /// The move.
    pub id: u64,
    /// Which.
    pub partition: PartitionId,
    /// What its old shard said when it departed.
    pub departure: Departure,
}

/// What a partition takes along beside its records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Departure {
    /// Its first offset.
    pub log_start: i64,
    /// The offset after its last record.
    pub log_end: i64,
    /// Its leader epoch. The next one is greater.
    pub epoch: i32,
    pub(crate) producers: Producers,
}
