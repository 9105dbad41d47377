//! Reading the partitions of a fetch once.

use std::sync::Arc;

use bytes::Bytes;
use controller::ClusterImage;
use log::LogError;
use model::{BrokerId, ErrorCode, TopicId};
use shard::Partition;

use super::{Key, Nearness};
use crate::broker::{Broker, Replica};
use crate::error::log_error_code;

/// What a client wants of one partition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) key: Key,
    pub(crate) offset: i64,
    pub(crate) max_bytes: usize,
    /// The epoch that the client believes in, or -1 (KIP-320).
    pub(crate) current_leader_epoch: i32,
    /// The epoch of the last record that it has, or -1 (KIP-595).
    pub(crate) last_fetched_epoch: i32,
}

/// Who reads, and how much.
#[derive(Clone)]
pub(crate) struct Reader {
    /// Of all partitions together; the first batch found may be larger (KIP-74).
    pub(crate) max_bytes: usize,
    /// The request's version.
    pub(crate) version: i16,
    /// Which replicas may answer.
    pub(crate) nearness: Nearness,
}

/// What was read of one partition.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) error: Option<ErrorCode>,
    /// The end of what is committed; -1 if unknown.
    pub(crate) high_watermark: i64,
    pub(crate) log_start: i64,
    /// Where the client's log leaves ours: epoch and end offset.
    pub(crate) diverging: Option<(i32, i64)>,
    /// The replica to read instead (KIP-392).
    pub(crate) preferred: Option<BrokerId>,
    /// Whether the client has more than this replica, which does not lead.
    pub(crate) is_ahead: bool,
    pub(crate) records: Vec<Bytes>,
    /// To wait for more, if there is nothing wrong with the partition.
    pub(crate) partition: Option<Arc<Partition>>,
}

impl Read {
    pub(crate) fn bytes(&self) -> usize {
        self.records.iter().map(Bytes::len).sum()
    }

    pub(super) fn failed(error: ErrorCode) -> Self {
        Read { error: Some(error), high_watermark: -1, log_start: -1, ..Read::default() }
    }
}

/// Whether a read may have to wait for the disk.
pub(crate) fn is_cold(broker: &Broker, wanted: &[Wanted], reader: &Reader) -> bool {
    let image = broker.image();
    wanted.iter().any(|wanted| {
        let replica = find(broker, &image, &wanted.key, reader);
        replica.is_ok_and(|replica| replica.partition.log.is_cold(wanted.offset))
    })
}

/// Reads `wanted` in order until the budget is spent; later partitions then give nothing this time.
pub(crate) fn read_all(broker: &Broker, wanted: &[Wanted], reader: &Reader) -> Vec<Read> {
    let image = broker.image();
    let mut left = reader.max_bytes;
    let mut nothing_yet = true;
    let read = wanted.iter().map(|wanted| {
        let budget = wanted.max_bytes.min(left);
        let read = read_one(broker, &image, wanted, budget, nothing_yet, reader);
        left = left.saturating_sub(read.bytes());
        nothing_yet &= read.records.is_empty();
        read
    });
    read.collect()
}

fn read_one(
    broker: &Broker,
    image: &ClusterImage,
    wanted: &Wanted,
    budget: usize,
    at_least_one_batch: bool,
    reader: &Reader,
) -> Read {
    let replica = match find(broker, image, &wanted.key, reader) {
        Ok(replica) => replica,
        Err(error) => return Read::failed(error),
    };
    if let Err(error) = check_epoch(wanted.current_leader_epoch, replica.leader_epoch) {
        return Read::failed(error);
    }
    let log = &replica.partition.log;
    let mut read = Read { high_watermark: log.log_end(), log_start: log.log_start(), ..Read::default() };
    if let Nearness::Rack(rack, listener) = &reader.nearness
        && replica.leads
    {
        read.preferred = broker.preferred_replica(image, &replica, wanted.offset, (rack, listener));
    }
    read.is_ahead = !replica.leads && wanted.offset > read.high_watermark;
    if read.preferred.is_some() {
        return read;
    }
    if !read.is_ahead {
        read.diverging = match diverging(&replica, wanted) {
            Ok(diverging) => diverging,
            Err(error) => return Read::failed(error),
        };
    }
    if read.diverging.is_none() && !read.is_ahead {
        let records = match log.is_cold(wanted.offset) {
            true => log.read_cold(wanted.offset, budget, at_least_one_batch),
            false => log.read(wanted.offset, budget, at_least_one_batch),
        };
        match records {
            Ok(records) => read.records = records,
            Err(LogError::OffsetOutOfRange { .. }) => return Read::failed(ErrorCode::OffsetOutOfRange),
            Err(why) => {
                let id = &replica.partition.id;
                tracing::error!(topic = %replica.partition.topic, partition = id.index, %why, "a read failed");
                let damaged_from = if let LogError::Damaged { from, .. } = why { from } else { wanted.offset };
                broker.mending.ask(*id, damaged_from);
                read.error = Some(log_error_code(&why));
            }
        }
    }
    read.partition = Some(replica.partition);
    read
}

fn find<'a>(broker: &Broker, image: &'a ClusterImage, key: &Key, reader: &Reader) -> Result<Replica<'a>, ErrorCode> {
    let topic = match reader.version {
        ..13 => image.topic(&key.name).ok_or(ErrorCode::UnknownTopicOrPartition)?,
        13.. => image.topic_by_id(TopicId(key.id)).ok_or(ErrorCode::UnknownTopicId)?,
    };
    match reader.nearness {
        Nearness::Leader => broker.led(image, topic, key.partition),
        Nearness::ThisReplica | Nearness::Rack(..) => broker.led_or_followed(image, topic, key.partition),
    }
}

/// A client that knows an older leader is fenced; one that knows a newer one must come again (KIP-320).
pub(crate) fn check_epoch(believed: i32, current: i32) -> Result<(), ErrorCode> {
    match believed {
        -1 => Ok(()),
        believed if believed < current => Err(ErrorCode::FencedLeaderEpoch),
        believed if believed > current => Err(ErrorCode::UnknownLeaderEpoch),
        _ => Ok(()),
    }
}

/// Whether what the client has ends beyond where our log has that epoch end (KIP-595). It is out of range if the epoch
/// is not known.
fn diverging(replica: &Replica<'_>, wanted: &Wanted) -> Result<Option<(i32, i64)>, ErrorCode> {
    if wanted.last_fetched_epoch < 0 {
        return Ok(None);
    }
    let (epoch, end) = replica.end_of_epoch(wanted.last_fetched_epoch).ok_or(ErrorCode::OffsetOutOfRange)?;
    Ok((epoch < wanted.last_fetched_epoch || end < wanted.offset).then_some((epoch, end)))
}
