//! What must hold before a batch is proposed: the right topic, a leader that may answer, room on
//! the disk, and a batch that is whole.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use controller::{ClusterImage, PartitionImage};
use model::{ErrorCode, TopicId};
use record::{
    BatchError, BatchView, Compression, Limits, Recompression, RecordProblem, RefusedRecords, TimestampType, Timestamps,
};
use shard::{Appended, Partition, Shard};
use wire::messages::ProduceRequest;
use wire::messages::produce_request::{PartitionProduceData, TopicProduceData};

use crate::dispatch::Context;
use crate::recompression;
use crate::topics::TopicSettings;

/// The first version whose clients know zstd (KIP-110).
const ZSTD_SINCE_VERSION: i16 = 7;

/// A batch that may be appended.
pub(crate) struct Admitted {
    pub(crate) partition: Arc<Partition>,
    /// As it came, or with the broker's timestamp where the topic asks for that.
    pub(crate) batch: Bytes,
    /// How it is to be written anew, where the topic asks for a codec and this is another.
    pub(crate) recompression: Option<Recompression>,
    /// How many members must have it before it is acknowledged, where a majority is not enough.
    pub(crate) held_by: Option<usize>,
}

/// Where a batch went.
pub(crate) type Produced = Appended;

/// Why a batch was refused, with what a person may want to know.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) code: ErrorCode,
    pub(crate) message: Option<String>,
    /// The records that are to blame, by their places in the batch, each with what is wrong.
    pub(crate) records: Vec<(i32, String)>,
    /// The partition's first offset, or -1: Kafka tells it with what its log refuses.
    pub(crate) log_start: i64,
}

impl From<ErrorCode> for Refused {
    fn from(code: ErrorCode) -> Self {
        Refused { code, message: None, records: Vec::new(), log_start: -1 }
    }
}

impl From<BatchError> for Refused {
    fn from(error: BatchError) -> Self {
        Refused::because(error.code(), error.to_string())
    }
}

impl Refused {
    pub(crate) fn because(code: ErrorCode, message: impl Into<String>) -> Self {
        Refused { message: Some(message.into()), ..Refused::from(code) }
    }

    /// What the log of a partition refuses, comes with the log's start; but not what is damaged or too large.
    pub(crate) fn by_log(self, log_start: i64) -> Self {
        match self.code {
            ErrorCode::CorruptMessage | ErrorCode::MessageTooLarge => self,
            _ => Refused { log_start, ..self },
        }
    }
}

/// Judges one partition's part of a request. Of records that the topic refuses, `most_named` are named.
pub(crate) fn admit(
    context: &Context,
    image: &ClusterImage,
    request: &ProduceRequest,
    topic: &TopicProduceData,
    data: &PartitionProduceData,
    most_named: usize,
) -> Result<(Shard, Admitted), Refused> {
    let broker = &context.broker;
    let topic = match context.version {
        ..13 => image.topic(&topic.name).ok_or(ErrorCode::UnknownTopicOrPartition)?,
        13.. => image.topic_by_id(TopicId(topic.topic_id)).ok_or(ErrorCode::UnknownTopicId)?,
    };
    topic.partition(data.index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let batch = only_batch(context.version, data.records.as_ref())?;
    if !matches!(request.acks, -1..=1) {
        return Err(ErrorCode::InvalidRequiredAcks.into());
    }
    if topic.is_internal() {
        let why = format!("{} is written by the broker alone", topic.name);
        return Err(Refused::because(ErrorCode::InvalidTopicException, why));
    }
    let led = broker.led(image, topic, data.index)?;
    let settings = broker.topics.settings(topic);
    let held_by = match request.acks {
        -1 => enough_replicas(context, image, led.place, settings.config.min_insync_replicas)?,
        _ => None,
    };
    let partition = led.partition;
    let (batch, recompression) = check_batch(context, &settings, batch, &partition, most_named)
        .map_err(|refused| refused.by_log(partition.log.log_start()))?;
    broker.room.admit(led.shard.health(), broker.journal.live_bytes(), batch.len())?;
    Ok((led.shard, Admitted { partition, batch, recompression, held_by }))
}

/// Refuses a write where fewer members keep up than `min.insync.replicas`, which counts up to the number of replicas, as
/// in Kafka. Gives that number where it is above the majority that an acknowledgement means anyway.
fn enough_replicas(
    context: &Context,
    image: &ClusterImage,
    place: &PartitionImage,
    min_in_sync: i32,
) -> Result<Option<usize>, ErrorCode> {
    let replicas = image.replicas(place).len();
    let wanted = usize::try_from(min_in_sync).unwrap_or(1).min(replicas);
    if wanted <= 1 {
        return Ok(None);
    }
    let in_sync = context.broker.lead_of(place.shard).map_or(0, |lead| lead.in_sync.len());
    match in_sync < wanted {
        true => Err(ErrorCode::NotEnoughReplicas),
        false => Ok(Some(wanted).filter(|wanted| *wanted > replicas / 2 + 1)),
    }
}

/// The batch that a client sent for a partition, in a form that its version may send.
fn only_batch(version: i16, records: Option<&Bytes>) -> Result<Bytes, Refused> {
    let records = records.filter(|records| !records.is_empty());
    let records =
        records.ok_or_else(|| Refused::because(ErrorCode::InvalidRecord, "a partition without a record batch"))?;
    let batch = BatchView::only(records)?;
    if batch.attributes().compression() == Ok(Compression::Zstd) && version < ZSTD_SINCE_VERSION {
        return Err(Refused::because(ErrorCode::UnsupportedCompressionType, "zstd needs produce version 7"));
    }
    Ok(records.slice(..batch.bytes().len()))
}

/// Checks a batch whole; gives it the broker's timestamp where the topic says so, and tells how it is to be
/// compressed, if otherwise than it is.
fn check_batch(
    context: &Context,
    settings: &TopicSettings,
    batch: Bytes,
    partition: &Partition,
    most_named: usize,
) -> Result<(Bytes, Option<Recompression>), Refused> {
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
        needs_keys: topic.cleanup_policy.compact,
        most_named,
    };
    let info = record::check(&batch, &limits).map_err(|error| match error {
        BatchError::Refused(records) => refused_records(&records, partition),
        error => error.into(),
    })?;
    if info.attributes.is_transactional() {
        return Err(Refused::because(ErrorCode::InvalidTxnState, "transactions are not served yet"));
    }
    let batch = match stamped {
        true => restamped(&batch, TimestampType::LogAppendTime, now_ms),
        false if !info.max_timestamp_is_stated => restamped(&batch, TimestampType::CreateTime, info.max_timestamp),
        false => batch,
    };
    Ok((batch, recompression::wanted(topic, &info)))
}

/// Kafka's words for records that a topic does not take (KIP-467), which people search for.
fn refused_records(refused: &RefusedRecords, partition: &Partition) -> Refused {
    let (topic, number) = (&partition.topic, partition.id.index);
    let sentence = |(index, problem): &(i32, RecordProblem)| {
        let sentence = match problem {
            RecordProblem::NoKey => {
                format!("Compacted topic cannot accept message without key in topic partition {topic}-{number}")
            }
            RecordProblem::Timestamp { timestamp, oldest, newest } => format!(
                "Timestamp {timestamp} of message with offset {index} is out of range. The timestamp should be within \
                 [{oldest}, {newest}]"
            ),
            RecordProblem::StampedByProducer => "Producer should not set timestamp type to LogAppendTime.".to_owned(),
        };
        (*index, sentence)
    };
    let records: Vec<(i32, String)> = refused.named.iter().map(sentence).collect();
    let message = if refused.has_bad_timestamp {
        "One or more records have been rejected due to invalid timestamp".to_owned()
    } else {
        let shown = records.iter().take(3);
        let shown: Vec<_> = shown.map(|(at, why)| format!("RecordError(batchIndex={at}, message='{why}')")).collect();
        let (count, shown) = (refused.count, shown.join(", "));
        format!(
            "One or more records have been rejected due to {count} record errors in total, and only showing the first \
             three errors at most: [{shown}]"
        )
    };
    let code = if refused.has_bad_timestamp { ErrorCode::InvalidTimestamp } else { ErrorCode::InvalidRecord };
    Refused { records, ..Refused::because(code, message) }
}

fn restamped(batch: &Bytes, timestamp_type: TimestampType, max_timestamp: i64) -> Bytes {
    let mut copy = BytesMut::from(&batch[..]);
    record::restamp(&mut copy, timestamp_type, max_timestamp);
    copy.freeze()
}
