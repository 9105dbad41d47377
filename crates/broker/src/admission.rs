//! What must hold before a batch is proposed: the right topic, a leader that may answer, room on
//! the disk, and a batch that is whole.

use bytes::{Bytes, BytesMut};
use controller::ClusterImage;
use model::{ErrorCode, PartitionId, TopicId};
use record::{BatchError, Compression, Limits, TimestampType, Timestamps};
use shard::{Appended, Shard};
use wire::messages::ProduceRequest;
use wire::messages::produce_request::{PartitionProduceData, TopicProduceData};

use crate::dispatch::Context;
use crate::topics::TopicSettings;

/// The first version whose clients know zstd (KIP-110).
const ZSTD_SINCE_VERSION: i16 = 7;

/// A batch that may be appended.
pub(crate) struct Admitted {
    pub(crate) partition: PartitionId,
    /// As it came, or with the broker's timestamp where the topic asks for that.
    pub(crate) batch: Bytes,
}

/// Where a batch went.
pub(crate) type Produced = Appended;

/// Why a batch was refused, with what a person may want to know.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) code: ErrorCode,
    pub(crate) message: Option<String>,
    /// The record that is to blame, by its place in the batch.
    pub(crate) record: Option<i32>,
}

impl From<ErrorCode> for Refused {
    fn from(code: ErrorCode) -> Self {
        Refused { code, message: None, record: None }
    }
}

impl From<BatchError> for Refused {
    fn from(error: BatchError) -> Self {
        Refused { code: error.code(), message: Some(error.to_string()), record: error.record_index() }
    }
}

fn refused(code: ErrorCode, message: impl Into<String>) -> Refused {
    Refused { code, message: Some(message.into()), record: None }
}

/// Judges one partition's part of a request.
pub(crate) fn admit(
    context: &Context,
    image: &ClusterImage,
    request: &ProduceRequest,
    topic: &TopicProduceData,
    data: &PartitionProduceData,
) -> Result<(Shard, Admitted), Refused> {
    let broker = &context.broker;
    if !matches!(request.acks, -1..=1) {
        return Err(ErrorCode::InvalidRequiredAcks.into());
    }
    let topic = match context.version {
        ..13 => image.topic(&topic.name).ok_or(ErrorCode::UnknownTopicOrPartition)?,
        13.. => image.topic_by_id(TopicId(topic.topic_id)).ok_or(ErrorCode::UnknownTopicId)?,
    };
    if topic.is_internal() {
        return Err(refused(
            ErrorCode::InvalidTopicException,
            format!("{} is written by the broker alone", topic.name),
        ));
    }
    let led = broker.led(image, topic, data.index)?;
    let settings = broker.topics.settings(topic);
    if settings.min_insync_replicas() > image.replicas(led.place).len() && request.acks == -1 {
        return Err(ErrorCode::NotEnoughReplicas.into());
    }
    let batch = data.records.as_ref().filter(|records| !records.is_empty());
    let batch = batch.ok_or_else(|| refused(ErrorCode::InvalidRecord, "a partition without a record batch"))?;
    let batch = check_batch(context, &settings, batch)?;
    broker.room.admit(led.shard.health(), broker.journal.live_bytes(), batch.len())?;
    Ok((led.shard.clone(), Admitted { partition: led.partition.id, batch }))
}

/// Checks a batch whole; gives it the broker's timestamp where the topic says so.
fn check_batch(context: &Context, settings: &TopicSettings, batch: &Bytes) -> Result<Bytes, Refused> {
    let now_ms = context.broker.env.clock.now_ms();
    let topic = &settings.config;
    let stamped = topic.message_timestamp_type == config::TimestampType::LogAppendTime;
    let timestamps = match stamped {
        true => Timestamps::LogAppendTime,
        false => {
            Timestamps::around(now_ms, topic.message_timestamp_before_max_ms, topic.message_timestamp_after_max_ms)
        }
    };
    let limits = Limits {
        max_batch_bytes: usize::try_from(topic.max_message_bytes).unwrap_or(0),
        max_record_bytes: u64::try_from(topic.max_decompressed_message_bytes).unwrap_or(0),
        max_decompressed_bytes: record::MAX_DECOMPRESSED_BATCH_BYTES,
        timestamps,
    };
    let info = record::check(batch, &limits)?;
    if info.compression == Compression::Zstd && context.version < ZSTD_SINCE_VERSION {
        return Err(refused(ErrorCode::UnsupportedCompressionType, "zstd needs produce version 7"));
    }
    if info.attributes.is_transactional() {
        return Err(refused(ErrorCode::InvalidTxnState, "transactions are not served yet"));
    }
    if topic.cleanup_policy.compact && info.has_null_key() {
        let message = "Compacted topic cannot accept message without key in topic partition.".to_owned();
        return Err(Refused { code: ErrorCode::InvalidRecord, message: Some(message), record: info.first_null_key });
    }
    match stamped {
        true => Ok(restamped(batch, TimestampType::LogAppendTime, now_ms)),
        false if !info.max_timestamp_is_stated => Ok(restamped(batch, TimestampType::CreateTime, info.max_timestamp)),
        false => Ok(batch.clone()),
    }
}

fn restamped(batch: &Bytes, timestamp_type: TimestampType, max_timestamp: i64) -> Bytes {
    let mut copy = BytesMut::from(&batch[..]);
    record::restamp(&mut copy, timestamp_type, max_timestamp);
    copy.freeze()
}
