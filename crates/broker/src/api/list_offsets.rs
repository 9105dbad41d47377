//! ListOffsets (key 2), versions 1 to 11.

use model::ErrorCode;
use wire::messages::list_offsets_request::ListOffsetsPartition;
use wire::messages::list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse};
use wire::messages::{ListOffsetsRequest, ListOffsetsResponse};

use crate::dispatch::Context;
use crate::distinct::grouped;
use crate::error::log_error_code;
use crate::fetch::{DEBUGGING_CONSUMER, check_epoch};

/// Timestamps that stand for something else than a time.
mod special {
    /// The end of the log.
    pub(super) const LATEST: i64 = -1;
    /// The log's start.
    pub(super) const EARLIEST: i64 = -2;
    /// The record with the greatest timestamp (KIP-734), from version 7.
    pub(super) const MAX_TIMESTAMP: i64 = -3;
    /// The first offset on local disk (KIP-405), from version 8.
    pub(super) const EARLIEST_LOCAL: i64 = -4;
    /// The last offset in tiered storage (KIP-1005), from version 9.
    pub(super) const LATEST_TIERED: i64 = -5;
    /// The first offset that waits to be tiered (KIP-1023), from version 11.
    pub(super) const EARLIEST_PENDING_UPLOAD: i64 = -6;
}

/// An offset with its timestamp and leader epoch; -1 where there is none.
#[derive(PartialEq, Eq)]
struct Found {
    timestamp: i64,
    offset: i64,
    leader_epoch: i32,
}

const NOTHING: Found = Found { timestamp: -1, offset: -1, leader_epoch: -1 };

/// Looks offsets up by time. Look-ups read segments, so they run off the async threads.
pub(crate) async fn handle(context: Context, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let broker = context.broker.clone();
    let by_time = |timestamp| timestamp >= 0 || timestamp == special::MAX_TIMESTAMP;
    let mut asked = request.topics.iter().flat_map(|topic| &topic.partitions);
    match asked.any(|partition| by_time(partition.timestamp)) {
        true => broker.env.blocking(move || answer(&context, request)).await,
        false => answer(&context, request),
    }
}

fn answer(context: &Context, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let any_replica = request.replica_id.0 == DEBUGGING_CONSUMER;
    let asked = request.topics.into_iter().flat_map(|topic| {
        let name = topic.name;
        topic.partitions.into_iter().map(move |partition| ((name.clone(), partition.partition_index), partition))
    });
    let partitions = grouped(asked).into_iter().map(|((topic, partition), asked)| {
        let response = ListOffsetsPartitionResponse::default().with_partition_index(partition);
        let found = match &asked[..] {
            [once] => find(context, &topic, once, any_replica),
            _ => Err(ErrorCode::InvalidRequest), // which of them is meant?
        };
        let response = match found {
            Ok(Found { timestamp, offset, leader_epoch }) => {
                response.with_timestamp(timestamp).with_offset(offset).with_leader_epoch(leader_epoch)
            }
            Err(error) => {
                response.with_error_code(error.code()).with_timestamp(-1).with_offset(-1).with_leader_epoch(-1)
            }
        };
        (topic, response)
    });
    let topics = grouped(partitions)
        .into_iter()
        .map(|(name, partitions)| ListOffsetsTopicResponse::default().with_name(name).with_partitions(partitions));
    ListOffsetsResponse::default().with_topics(topics.collect())
}

fn find(context: &Context, topic: &str, asked: &ListOffsetsPartition, any_replica: bool) -> Result<Found, ErrorCode> {
    let broker = &context.broker;
    let image = broker.image();
    let topic = image.topic(topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let replica = match any_replica {
        true => broker.led_or_followed(&image, topic, asked.partition_index)?,
        false => broker.led(&image, topic, asked.partition_index)?,
    };
    check_epoch(asked.current_leader_epoch, replica.leader_epoch)?;
    if asked.timestamp < lowest_timestamp(context.version) {
        return Err(ErrorCode::UnsupportedVersion);
    }
    let log = &replica.partition.log;
    let at = |offset| Found { timestamp: -1, offset, leader_epoch: log.epoch_at(offset).unwrap_or(-1) };
    let record = |found: Option<record::TimestampOffset>| match found {
        Some(found) => Found { timestamp: found.timestamp, ..at(found.offset) },
        None => NOTHING,
    };
    let failed = |why: log::LogError| {
        tracing::error!(topic = %topic.name, partition = asked.partition_index, %why, "an offset was not found");
        log_error_code(&why)
    };
    match asked.timestamp {
        special::LATEST => Ok(Found { leader_epoch: replica.leader_epoch, ..at(log.log_end()) }),
        special::EARLIEST | special::EARLIEST_LOCAL => {
            Ok(Found { leader_epoch: replica.first_epoch(), ..at(log.log_start()) })
        }
        // The record may lie below the log start, where no epoch is known any more: Kafka gives the leader's.
        special::MAX_TIMESTAMP => match log.max_timestamp().map(record).map_err(failed)? {
            NOTHING => Ok(NOTHING),
            found => Ok(Found { leader_epoch: replica.leader_epoch, ..found }),
        },
        special::LATEST_TIERED | special::EARLIEST_PENDING_UPLOAD => Ok(NOTHING), // nothing is ever tiered
        timestamp => log.offset_for_timestamp(timestamp).map(record).map_err(failed),
    }
}

/// The lowest timestamp that a version may send.
fn lowest_timestamp(version: i16) -> i64 {
    match version {
        ..7 => special::EARLIEST,
        7 => special::MAX_TIMESTAMP,
        8 => special::EARLIEST_LOCAL,
        9 | 10 => special::LATEST_TIERED,
        11.. => special::EARLIEST_PENDING_UPLOAD,
    }
}
