//! The check of a produced batch, whole, before it is replicated.

use crate::header::{Attributes, BatchView, NONE, TimestampType};
use crate::walk::walk;
use crate::{BatchError, Compression, RecordProblem, RefusedRecords};

/// Most bytes that a batch may decompress to, whatever `max.decompressed.message.bytes` allows for each of its records:
/// a bound on the time that one small request can take. zstd expands up to 32,000 times.
pub const MAX_DECOMPRESSED_BATCH_BYTES: u64 = 256 * 1024 * 1024;

/// What a topic allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// `max.message.bytes`: the batch as sent, header included.
    pub max_batch_bytes: usize,
    /// `max.decompressed.message.bytes`: one record.
    pub max_record_bytes: u64,
    /// All records together.
    pub max_decompressed_bytes: u64,
    /// Which timestamps are taken.
    pub timestamps: Timestamps,
    /// Whether each record needs a key: the topic is compacted.
    pub needs_keys: bool,
    /// Of the records that the topic does not take, how many are named.
    pub most_named: usize,
}

/// What a topic does with the producer's timestamps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timestamps {
    /// Keeps them, where they are within these bounds (both included, in ms since the epoch) or -1.
    CreateTime {
        /// Now less `message.timestamp.before.max.ms`.
        oldest: i64,
        /// Now plus `message.timestamp.after.max.ms`.
        newest: i64,
    },
    /// Overwrites them: see [`restamp`](crate::restamp).
    LogAppendTime,
}

impl Timestamps {
    /// Any timestamp at all.
    pub const ANY: Timestamps = Timestamps::CreateTime { oldest: i64::MIN, newest: i64::MAX };

    /// The bounds of `message.timestamp.before.max.ms` and `message.timestamp.after.max.ms` around now.
    pub fn around(now_ms: i64, before_max_ms: i64, after_max_ms: i64) -> Self {
        Timestamps::CreateTime {
            oldest: now_ms.saturating_sub(before_max_ms),
            newest: now_ms.saturating_add(after_max_ms),
        }
    }
}

impl Default for Limits {
    /// Kafka's defaults, with any timestamp.
    fn default() -> Self {
        Limits {
            max_batch_bytes: 1_048_588,
            max_record_bytes: 2_147_483_639,
            max_decompressed_bytes: MAX_DECOMPRESSED_BATCH_BYTES,
            timestamps: Timestamps::ANY,
            needs_keys: false,
            most_named: 1000,
        }
    }
}

/// What is known of a batch that passed the check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchInfo {
    /// The whole batch, header included.
    pub size_bytes: usize,
    /// The flags.
    pub attributes: Attributes,
    /// How the records are compressed.
    pub compression: Compression,
    /// What they come to decompressed.
    pub records_bytes: u64,
    /// Records in it; at least 1.
    pub count: i32,
    /// `count - 1`.
    pub last_offset_delta: i32,
    /// The greatest timestamp of its records, by the records themselves; -1 if they have none.
    pub max_timestamp: i64,
    /// The first record that has it.
    pub max_timestamp_offset_delta: i32,
    /// Whether the header states that same greatest timestamp, as the producer's. If not, [`restamp`](crate::restamp) the batch: the time
    /// index, retention and consumers go by the header.
    pub max_timestamp_is_stated: bool,
    /// The idempotent producer, or -1.
    pub producer_id: i64,
    /// The producer's epoch, or -1.
    pub producer_epoch: i16,
    /// The producer's sequence number of the first record, or -1.
    pub base_sequence: i32,
}

impl BatchInfo {
    /// Whether the batch is an idempotent producer's.
    pub fn has_producer(&self) -> bool {
        self.producer_id >= 0
    }
}

/// Checks that `bytes` are exactly one batch that a client may append, by the rules of Kafka's `LogValidator`.
///
/// Nothing is allocated for a batch that is not compressed. A compressed one is decompressed through a buffer of the
/// thread, chunk by chunk; no input makes that larger than 4 MiB, but for raw snappy, which is one chunk of at most
/// 22 times the input.
pub fn check(bytes: &[u8], limits: &Limits) -> Result<BatchInfo, BatchError> {
    let batch = BatchView::new(bytes)?;
    if bytes.len() > limits.max_batch_bytes {
        return Err(BatchError::TooLarge { size: bytes.len(), limit: limits.max_batch_bytes });
    }
    batch.verify_crc()?;
    check_header(&batch)?;
    check_records(&batch, limits)
}

fn check_header(batch: &BatchView<'_>) -> Result<(), BatchError> {
    let attributes = batch.attributes();
    let problem = if batch.base_offset() != 0 {
        "its base offset is not 0"
    } else if batch.count() <= 0 {
        "its count of records is not positive"
    } else if batch.last_offset_delta() != batch.count() - 1 {
        "its last offset delta is not its count less one"
    } else if attributes.is_control() {
        "clients may not write control records"
    } else if batch.producer_id() == NONE && attributes.is_transactional() {
        "it is transactional but has no producer id"
    } else if batch.producer_id() >= 0 && batch.base_sequence() < 0 {
        "it has a producer id but no sequence number"
    } else if batch.producer_id() >= 0 && i64::from(batch.producer_epoch()) < NONE {
        return Err(BatchError::BadProducerEpoch(batch.producer_epoch()));
    } else {
        return Ok(());
    };
    Err(BatchError::BadHeader(problem))
}

fn check_records(batch: &BatchView<'_>, limits: &Limits) -> Result<BatchInfo, BatchError> {
    let mut max_timestamp = NONE;
    let mut max_timestamp_offset_delta = 0;
    let mut records_bytes = 0;
    let mut refused = RefusedRecords::default();
    let is_stamped = batch.attributes().timestamp_type() == TimestampType::LogAppendTime;
    walk(batch, limits.max_decompressed_bytes, |record| {
        let index = record.index;
        records_bytes += record.size_bytes;
        if record.offset_delta != index {
            return Err(BatchError::BadRecord { index, problem: "its offset does not follow on the last one's" });
        }
        if record.size_bytes > limits.max_record_bytes {
            let what = format!("record {index}");
            return Err(BatchError::DecompressedTooLarge { what, limit: limits.max_record_bytes });
        }
        let timestamp = match is_stamped {
            true => batch.max_timestamp(),
            false => batch
                .base_timestamp()
                .checked_add(record.timestamp_delta)
                .ok_or(BatchError::BadRecord { index, problem: "its timestamp is out of range" })?,
        };
        if let Some(problem) = problem_of(record.has_key, timestamp, is_stamped, limits) {
            refused.add(index, problem, limits.most_named);
        }
        if timestamp > max_timestamp {
            max_timestamp = timestamp;
            max_timestamp_offset_delta = index;
        }
        Ok(())
    })?;
    if refused.count > 0 {
        return Err(BatchError::Refused(Box::new(refused)));
    }
    Ok(BatchInfo {
        size_bytes: batch.bytes().len(),
        attributes: batch.attributes(),
        compression: batch.attributes().compression()?,
        records_bytes,
        count: batch.count(),
        last_offset_delta: batch.last_offset_delta(),
        max_timestamp,
        max_timestamp_offset_delta,
        max_timestamp_is_stated: batch.max_timestamp() == max_timestamp && !is_stamped,
        producer_id: batch.producer_id(),
        producer_epoch: batch.producer_epoch(),
        base_sequence: batch.base_sequence(),
    })
}

/// What a topic has against a record. A producer may say that it stamped the batch with one time for all of it, where
/// the topic takes the producers' times.
fn problem_of(has_key: bool, timestamp: i64, is_stamped: bool, limits: &Limits) -> Option<RecordProblem> {
    if limits.needs_keys && !has_key {
        return Some(RecordProblem::NoKey);
    }
    match limits.timestamps {
        Timestamps::CreateTime { oldest, newest } if timestamp != NONE => {
            let is_within = (oldest..=newest).contains(&timestamp);
            (!is_within).then_some(RecordProblem::Timestamp { timestamp, oldest, newest })
        }
        _ => is_stamped.then_some(RecordProblem::StampedByProducer),
    }
}
