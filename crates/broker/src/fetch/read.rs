//! Reading the partitions of a fetch once.

use std::sync::Arc;

use bytes::Bytes;
use controller::ClusterImage;
use log::LogError;
use model::{ErrorCode, TopicId};
use shard::Partition;

use super::Key;
use crate::broker::{Broker, Led};
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

/// How much may be read.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Of all partitions together; the first batch found may be larger (KIP-74).
    pub(crate) max_bytes: usize,
    /// The request's version.
    pub(crate) version: i16,
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
    pub(crate) records: Vec<Bytes>,
    /// To wait for more, if there is nothing wrong with the partition.
    pub(crate) partition: Option<Arc<Partition>>,
}

impl Read {
    pub(crate) fn bytes(&self) -> usize {
        self.records.iter().map(Bytes::len).sum()
    }

    fn failed(error: ErrorCode) -> Self {
        Read { error: Some(error), high_watermark: -1, log_start: -1, ..Read::default() }
    }
}

/// Whether a read may have to wait for the disk.
pub(crate) fn is_cold(broker: &Broker, wanted: &[Wanted], version: i16) -> bool {
    let image = broker.image();
    wanted.iter().any(|wanted| {
        let led = find(broker, &image, &wanted.key, version);
        led.is_ok_and(|led| led.partition.log.is_cold(wanted.offset))
    })
}

/// Reads `wanted` in order until the budget is spent; later partitions then give nothing this time.
pub(crate) fn read_all(broker: &Broker, wanted: &[Wanted], limits: Limits) -> Vec<Read> {
    let image = broker.image();
    let mut left = limits.max_bytes;
    let mut nothing_yet = true;
    let read = wanted.iter().map(|wanted| {
        let budget = wanted.max_bytes.min(left);
        let read = read_one(broker, &image, wanted, budget, nothing_yet, limits.version);
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
    version: i16,
) -> Read {
    let led = match find(broker, image, &wanted.key, version) {
        Ok(led) => led,
        Err(error) => return Read::failed(error),
    };
    if let Err(error) = check_epoch(wanted.current_leader_epoch, led.leader_epoch) {
        return Read::failed(error);
    }
    let diverging = match diverging(&led, wanted) {
        Ok(diverging) => diverging,
        Err(error) => return Read::failed(error),
    };
    let log = &led.partition.log;
    let mut read = Read { high_watermark: log.log_end(), log_start: log.log_start(), diverging, ..Read::default() };
    if read.diverging.is_none() {
        let records = match log.is_cold(wanted.offset) {
            true => log.read_cold(wanted.offset, budget, at_least_one_batch),
            false => log.read(wanted.offset, budget, at_least_one_batch),
        };
        match records {
            Ok(records) => read.records = records,
            Err(LogError::OffsetOutOfRange { .. }) => return Read::failed(ErrorCode::OffsetOutOfRange),
            Err(why) => {
                let id = &led.partition.id;
                tracing::error!(topic = %led.partition.topic, partition = id.index, %why, "a read failed");
                read.error = Some(log_error_code(&why));
            }
        }
    }
    read.partition = Some(led.partition);
    read
}

fn find<'a>(broker: &Broker, image: &'a ClusterImage, key: &Key, version: i16) -> Result<Led<'a>, ErrorCode> {
    let topic = match version {
        ..13 => image.topic(&key.name).ok_or(ErrorCode::UnknownTopicOrPartition)?,
        13.. => image.topic_by_id(TopicId(key.id)).ok_or(ErrorCode::UnknownTopicId)?,
    };
    broker.led(image, topic, key.partition)
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
fn diverging(led: &Led<'_>, wanted: &Wanted) -> Result<Option<(i32, i64)>, ErrorCode> {
    if wanted.last_fetched_epoch < 0 {
        return Ok(None);
    }
    let (epoch, end) = led.end_of_epoch(wanted.last_fetched_epoch).ok_or(ErrorCode::OffsetOutOfRange)?;
    Ok((epoch < wanted.last_fetched_epoch || end < wanted.offset).then_some((epoch, end)))
}
