//! Applying appends: the producer's sequence is judged, the base offset given, the leader epoch
//! stamped, the batch written.

use bytes::Bytes;
use coordinator::GroupStore;
use log::LogError;
use model::{ErrorCode, PartitionId, TopicName};
use record::{BatchHead, BatchView, HEADER_BYTES, Records, TimestampType};

use crate::entry::Appends;
use crate::limits::GROUP_BATCH_BYTES;
use crate::machine::{Cell, Machine};
use crate::partition::{Partition, Stage};
use crate::producers::{Sequence, Verdict, last_sequence};

/// Where a batch went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Offset of its first record.
    pub base_offset: i64,
    /// The timestamp that the broker gave it, or -1 where its producer's stand; of a duplicate the greatest
    /// timestamp, as in Kafka.
    pub log_append_time_ms: i64,
    /// The partition's first offset.
    pub log_start: i64,
}

/// What became of one batch.
pub type AppendResult = Result<Appended, ErrorCode>;

/// A batch could not be written.
pub(crate) struct Interrupted {
    pub(crate) error: LogError,
    pub(crate) batches_done: usize,
}

impl Machine {
    pub(crate) fn append(
        &mut self,
        term: u64,
        batches: Appends,
        done: usize,
    ) -> Result<Vec<AppendResult>, Interrupted> {
        let mut results = Vec::with_capacity(batches.len());
        for (number, (id, batch)) in batches.enumerate().skip(done) {
            let result = self.append_batch(term, id, &batch);
            results.push(result.map_err(|error| Interrupted { error, batches_done: number })?);
        }
        Ok(results)
    }

    fn append_batch(&mut self, term: u64, id: PartitionId, batch: &Bytes) -> Result<AppendResult, LogError> {
        let Some(cell) = self.cells.get_mut(&id) else {
            return Ok(Err(ErrorCode::UnknownTopicOrPartition));
        };
        if cell.partition.stage() != Stage::Serving {
            return Ok(Err(ErrorCode::NotLeaderOrFollower));
        }
        let Some(head) = BatchHead::copy_of(batch) else {
            return Ok(Err(ErrorCode::CorruptMessage));
        };
        let (now_ms, expiration_ms) = (self.clock_ms, cell.settings.producer_expiration_ms);
        let sequence = sequence_of(&head);
        if let Some(sequence) = &sequence {
            match cell.producers.judge(sequence, now_ms, expiration_ms) {
                Verdict::Append => {}
                Verdict::Refuse(error) => return Ok(Err(error)),
                Verdict::Duplicate { base_offset, timestamp } => {
                    let log_start = cell.partition.log.log_start();
                    return Ok(Ok(Appended { base_offset, log_append_time_ms: timestamp, log_start }));
                }
            }
        }
        let appended = cell.write(term, head, batch, now_ms)?;
        if let Some(sequence) = &sequence {
            let (base_offset, timestamp) = (appended.base_offset, head.max_timestamp());
            cell.producers.appended(sequence, base_offset, timestamp, now_ms, expiration_ms);
        }
        self.dirty.insert(id);
        Ok(Ok(appended))
    }
}

impl Cell {
    /// Stamps a batch and writes it at the end of the log.
    fn write(&self, term: u64, mut head: BatchHead, batch: &Bytes, now_ms: i64) -> Result<Appended, LogError> {
        let partition = &self.partition;
        let base_offset = partition.log.log_end();
        head.set_base_offset(base_offset);
        head.set_leader_epoch(partition.epoch_base().in_term(term));
        partition.log.append(&head, &batch[HEADER_BYTES..], now_ms)?;
        feed_groups(partition, batch, base_offset);
        partition.grown(now_ms);
        let log_append_time_ms = match head.attributes().timestamp_type() {
            TimestampType::LogAppendTime => head.max_timestamp(),
            TimestampType::CreateTime => -1,
        };
        Ok(Appended { base_offset, log_append_time_ms, log_start: partition.log.log_start() })
    }
}

fn sequence_of(head: &BatchHead) -> Option<Sequence> {
    if head.producer_id() < 0 || head.attributes().is_control() {
        return None;
    }
    let first = head.base_sequence();
    let last = last_sequence(first, head.last_offset_delta().saturating_add(1));
    Some(Sequence { producer_id: head.producer_id(), epoch: head.producer_epoch(), first, last })
}

/// Keeps the view of groups live: it has seen each record of its partition once it is applied.
pub(crate) fn feed_groups(partition: &Partition, batch: &[u8], base_offset: i64) {
    let Some(mut groups) = partition.groups() else { return };
    if let Err(why) = feed(&mut groups, batch, base_offset) {
        tracing::error!(topic = TopicName::CONSUMER_OFFSETS, base_offset, %why, "group records were not understood");
    }
}

fn feed(groups: &mut GroupStore, batch: &[u8], base_offset: i64) -> Result<(), Box<dyn std::error::Error>> {
    let view = BatchView::new(batch)?;
    for record in Records::of(&view, GROUP_BATCH_BYTES)?.iter() {
        let record = record?;
        let offset = base_offset + (record.offset - view.head().base_offset());
        groups.apply(offset, record.key.unwrap_or_default(), record.value)?;
    }
    Ok(())
}
