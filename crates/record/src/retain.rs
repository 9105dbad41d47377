//! Taking records out of a batch, as compaction does (KIP-98, KIP-534).

use std::io::{BufWriter, Write};
use std::ops::ControlFlow;

use crate::RecompressError;
use crate::builder::BuildError;
use crate::compression::compress_from;
use crate::header::{
    Attributes, BatchView, CRC_COVERS_FROM, HEADER_BYTES, NONE, OVERHEAD_BYTES, TimestampType, crc32c,
};
use crate::keyed::{self, Head, KeyedRecord, with_records};
use crate::recompress::Failure;
use crate::varint::{put_varint, varint_len};
use crate::walk::Source;

/// What a codec is given at once.
const COPY_BYTES: usize = 64 * 1024;

/// What is left of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Retained {
    /// All of it: the batch stands as it is.
    Whole,
    /// A batch with the same offsets, first and last, of fewer records or with a delete horizon.
    Rewritten(Vec<u8>),
    /// No record, and the batch need not stay either.
    Nothing,
}

/// How a batch is to be retained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// Most bytes that the records may decompress to.
    pub limit: u64,
    /// Whether the batch stays, with a header and nothing else, when no record does: for what the header says of its
    /// producer's sequence.
    pub keep_emptied: bool,
    /// When tombstones that stay may go, in ms since the epoch: set in a batch with tombstones that has no such time
    /// yet; none to leave it without.
    pub delete_horizon_ms: Option<i64>,
}

/// Keeps those records of a batch that `keep` says, and gives the batch a delete horizon if there are tombstones among
/// them. What stays is compressed as it was. First and last offset, producer, sequence and leader epoch do not change.
///
/// Records pass through memory a chunk at a time, twice where the batch has to be rewritten. Held whole are only a key,
/// and what the batch becomes.
///
/// Kafka's `MemoryRecords.filterTo` does the same, but for the base timestamp, which it moves to the first record that
/// stays.
pub fn retain(
    batch: &BatchView<'_>,
    retention: &Retention,
    mut keep: impl FnMut(&KeyedRecord<'_>) -> bool,
) -> Result<Retained, RecompressError> {
    let mut kept = Kept::new(batch, retention);
    keyed::walk(batch, retention.limit, |head, record| {
        kept.add(keep(record).then_some((head, record.is_tombstone)));
        ControlFlow::<()>::Continue(())
    })?;
    if kept.count == 0 {
        return Ok(match retention.keep_emptied {
            true if batch.count() == 0 => Retained::Whole,
            true => Retained::Rewritten(emptied(batch)),
            false => Retained::Nothing,
        });
    }
    if kept.count == batch.count() && kept.new_horizon_ms().is_none() {
        return Ok(Retained::Whole);
    }
    Ok(Retained::Rewritten(rewritten(batch, retention.limit, &kept)?))
}

/// What was decided of a batch's records.
struct Kept {
    /// One for each record.
    stays: Vec<bool>,
    count: i32,
    has_tombstones: bool,
    newest_delta: i64,
    base_timestamp: i64,
    /// The delete horizon that the batch gets if there are tombstones.
    horizon_ms: Option<i64>,
    /// Bytes of those that stay, with timestamps relative to the base timestamp, and to the horizon.
    bytes: u64,
    bytes_with_horizon: u64,
}

impl Kept {
    fn new(batch: &BatchView<'_>, retention: &Retention) -> Self {
        Kept {
            stays: Vec::new(),
            count: 0,
            has_tombstones: false,
            newest_delta: i64::MIN,
            base_timestamp: batch.base_timestamp(),
            horizon_ms: retention.delete_horizon_ms.filter(|_| !batch.attributes().has_delete_horizon()),
            bytes: 0,
            bytes_with_horizon: 0,
        }
    }

    fn add(&mut self, kept: Option<(&Head, bool)>) {
        self.stays.push(kept.is_some());
        let Some((head, is_tombstone)) = kept else { return };
        self.count += 1;
        self.has_tombstones |= is_tombstone;
        self.newest_delta = self.newest_delta.max(head.timestamp_delta);
        self.bytes += head.record_bytes(head.timestamp_delta);
        if let Some(horizon_ms) = self.horizon_ms {
            self.bytes_with_horizon += head.record_bytes(self.delta_to(horizon_ms, head));
        }
    }

    fn new_horizon_ms(&self) -> Option<i64> {
        self.horizon_ms.filter(|_| self.has_tombstones)
    }

    fn delta_to(&self, horizon_ms: i64, head: &Head) -> i64 {
        self.base_timestamp.wrapping_add(head.timestamp_delta).wrapping_sub(horizon_ms)
    }

    /// Timestamps are relative to the base timestamp, which a horizon takes the place of.
    fn delta(&self, head: &Head) -> i64 {
        self.new_horizon_ms().map_or(head.timestamp_delta, |horizon_ms| self.delta_to(horizon_ms, head))
    }
}

fn rewritten(batch: &BatchView<'_>, limit: u64, kept: &Kept) -> Result<Vec<u8>, RecompressError> {
    let compression = batch.attributes().compression()?;
    let horizon_ms = kept.new_horizon_ms();
    let bytes = if horizon_ms.is_some() { kept.bytes_with_horizon } else { kept.bytes };
    let mut out = batch.bytes()[..HEADER_BYTES].to_vec();
    compress_from(compression.into(), bytes, &mut out, |to| copy(batch, limit, kept, to)).map_err(|failure| {
        match failure {
            Failure::Read(error) => error.into(),
            Failure::Write(error) => RecompressError::from(BuildError::Compression(compression, error)),
        }
    })?;
    if let Some(horizon_ms) = horizon_ms {
        put(&mut out, 21, (batch.attributes().0 | Attributes::DELETE_HORIZON).to_be_bytes());
        put(&mut out, 27, horizon_ms.to_be_bytes());
    }
    if batch.attributes().timestamp_type() == TimestampType::CreateTime {
        put(&mut out, 35, batch.base_timestamp().saturating_add(kept.newest_delta).to_be_bytes());
    }
    seal(out, kept.count)
}

fn copy(batch: &BatchView<'_>, limit: u64, kept: &Kept, to: &mut dyn Write) -> Result<(), Failure> {
    let mut to = BufWriter::with_capacity(COPY_BYTES, to);
    let mut start = Vec::new();
    with_records(batch, limit, |source| {
        for (index, stays) in (0..).zip(&kept.stays) {
            let head = Head::read(source, index)?;
            if !stays {
                source.skip(head.tail_bytes, index)?;
                continue;
            }
            start.clear();
            head.put_start(kept.delta(&head), &mut start);
            to.write_all(&start)?;
            source.pass(head.tail_bytes, index, |piece| Ok::<(), Failure>(to.write_all(piece)?))?;
        }
        Ok(to.flush()?)
    })
}

/// The batch without records: Kafka's `DefaultRecordBatch.writeEmptyHeader`.
fn emptied(batch: &BatchView<'_>) -> Vec<u8> {
    let mut out = batch.bytes()[..HEADER_BYTES].to_vec();
    let attributes = batch.attributes().0 & !(Attributes::COMPRESSION | Attributes::DELETE_HORIZON);
    put(&mut out, 21, attributes.to_be_bytes());
    put(&mut out, 27, NONE.to_be_bytes());
    seal(out, 0).expect("a header alone is far below 2 GiB")
}

/// Sets count, length and checksum.
fn seal(mut out: Vec<u8>, count: i32) -> Result<Vec<u8>, RecompressError> {
    let length = i32::try_from(out.len() - OVERHEAD_BYTES).map_err(|_| BuildError::TooLarge)?;
    put(&mut out, 8, length.to_be_bytes());
    put(&mut out, 57, count.to_be_bytes());
    let crc = crc32c(&out[CRC_COVERS_FROM..]);
    put(&mut out, 17, crc.to_be_bytes());
    Ok(out)
}

fn put<const N: usize>(out: &mut [u8], at: usize, field: [u8; N]) {
    out[at..at + N].copy_from_slice(&field);
}

impl Head {
    /// What the record takes with another timestamp delta.
    fn record_bytes(&self, timestamp_delta: i64) -> u64 {
        let length = self.length(timestamp_delta);
        varint_len(length as i64) as u64 + length
    }

    fn length(&self, timestamp_delta: i64) -> u64 {
        1 + varint_len(timestamp_delta) as u64 + self.tail_bytes
    }

    /// All that stands before the tail.
    fn put_start(&self, timestamp_delta: i64, out: &mut Vec<u8>) {
        put_varint(out, self.length(timestamp_delta) as i64);
        out.push(self.attributes);
        put_varint(out, timestamp_delta);
    }
}
