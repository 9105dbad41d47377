//! Taking records out of a batch, as compaction does (KIP-98, KIP-534).

use std::borrow::Cow;

use crate::builder::BuildError;
use crate::compression::{compress, decompress};
use crate::header::{
    Attributes, BatchView, CRC_COVERS_FROM, HEADER_BYTES, NONE, OVERHEAD_BYTES, TimestampType, crc32c,
};
use crate::records::{take, take_nullable, take_varint, take_varlong};
use crate::varint::{put_varint, varint_len};
use crate::{BatchError, Compression, RecompressError};

/// What compaction goes by, of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyedRecord<'a> {
    /// The offset in the partition.
    pub offset: i64,
    /// What the record is about; compaction drops records without one.
    pub key: Option<&'a [u8]>,
    /// Whether it has no value, and so says that the key is gone.
    pub is_tombstone: bool,
}

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

/// The records of a batch whose records were decompressed, if they were compressed.
pub struct KeyedRecords<'a> {
    batch: BatchView<'a>,
    bytes: Cow<'a, [u8]>,
}

impl<'a> KeyedRecords<'a> {
    /// Opens a batch, decompressing at most `limit` bytes. The CRC is not checked.
    pub fn of(batch: &BatchView<'a>, limit: u64) -> Result<Self, BatchError> {
        let bytes = match batch.attributes().compression()? {
            _ if batch.count() == 0 => Cow::Borrowed(&[][..]),
            Compression::None => Cow::Borrowed(batch.body()),
            compression => Cow::Owned(decompress(compression, batch.body(), limit)?),
        };
        Ok(KeyedRecords { batch: *batch, bytes })
    }

    /// The records in order. After an error there is nothing more.
    pub fn iter(&self) -> impl Iterator<Item = Result<KeyedRecord<'_>, BatchError>> {
        let base_offset = self.batch.base_offset();
        self.raw().map(move |raw| raw.map(|raw| raw.keyed(base_offset)))
    }

    fn raw(&self) -> impl Iterator<Item = Result<Raw<'_>, BatchError>> {
        let mut rest = &*self.bytes;
        let mut failed = false;
        (0..self.batch.count()).map_while(move |index| {
            if failed {
                return None;
            }
            let raw = Raw::take(&mut rest).ok_or(BatchError::BadRecord { index, problem: "it is malformed" });
            failed = raw.is_err();
            Some(raw)
        })
    }
}

/// Keeps those records of a batch that `keep` says, and gives the batch a delete horizon if there are tombstones among
/// them. What stays is compressed as it was. First and last offset, producer, sequence and leader epoch do not change.
///
/// Kafka's `MemoryRecords.filterTo` does the same, but for the base timestamp, which it moves to the first record that
/// stays.
pub fn retain(
    batch: &BatchView<'_>,
    retention: &Retention,
    mut keep: impl FnMut(&KeyedRecord<'_>) -> bool,
) -> Result<Retained, RecompressError> {
    let records = KeyedRecords::of(batch, retention.limit)?;
    let mut kept = Vec::new();
    let mut has_tombstones = false;
    for raw in records.raw() {
        let raw = raw?;
        let record = raw.keyed(batch.base_offset());
        if keep(&record) {
            has_tombstones |= record.is_tombstone;
            kept.push(raw);
        }
    }
    let new_horizon_ms =
        retention.delete_horizon_ms.filter(|_| has_tombstones && !batch.attributes().has_delete_horizon());
    if kept.is_empty() {
        return Ok(match retention.keep_emptied {
            true if batch.count() == 0 => Retained::Whole,
            true => Retained::Rewritten(emptied(batch)),
            false => Retained::Nothing,
        });
    }
    if kept.len() == batch.count() as usize && new_horizon_ms.is_none() {
        return Ok(Retained::Whole);
    }
    Ok(Retained::Rewritten(rewritten(batch, &kept, new_horizon_ms)?))
}

fn rewritten(batch: &BatchView<'_>, kept: &[Raw<'_>], horizon_ms: Option<i64>) -> Result<Vec<u8>, RecompressError> {
    let mut records = Vec::with_capacity(kept.iter().map(|raw| raw.whole.len() + 8).sum());
    for raw in kept {
        match horizon_ms {
            None => records.extend_from_slice(raw.whole),
            // Timestamps are relative to the base timestamp, which the horizon takes the place of.
            Some(horizon_ms) => raw.put_relative_to(batch.base_timestamp(), horizon_ms, &mut records),
        }
    }
    let compression = batch.attributes().compression()?;
    let mut out = batch.bytes()[..HEADER_BYTES].to_vec();
    compress(compression.into(), &records, &mut out).map_err(|error| BuildError::Compression(compression, error))?;
    if let Some(horizon_ms) = horizon_ms {
        put(&mut out, 21, (batch.attributes().0 | Attributes::DELETE_HORIZON).to_be_bytes());
        put(&mut out, 27, horizon_ms.to_be_bytes());
    }
    if batch.attributes().timestamp_type() == TimestampType::CreateTime {
        let newest = kept.iter().map(|raw| batch.base_timestamp().saturating_add(raw.timestamp_delta)).max();
        put(&mut out, 35, newest.unwrap_or(NONE).to_be_bytes());
    }
    seal(out, kept.len() as i32)
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

/// A record, taken apart as far as needed to copy it.
struct Raw<'a> {
    whole: &'a [u8],
    attributes: u8,
    timestamp_delta: i64,
    /// Offset delta and all that follows.
    tail: &'a [u8],
    offset_delta: i32,
    key: Option<&'a [u8]>,
    has_value: bool,
}

impl<'a> Raw<'a> {
    fn take(rest: &mut &'a [u8]) -> Option<Self> {
        let start = *rest;
        let length = usize::try_from(take_varint(rest)?).ok()?;
        let mut record = take(rest, length)?;
        let attributes = take(&mut record, 1)?[0];
        let timestamp_delta = take_varlong(&mut record)?;
        let tail = record;
        let offset_delta = take_varint(&mut record)?;
        let key = take_nullable(&mut record)?;
        let has_value = take_nullable(&mut record)?.is_some();
        let whole = &start[..start.len() - rest.len()];
        Some(Raw { whole, attributes, timestamp_delta, tail, offset_delta, key, has_value })
    }

    fn keyed(&self, base_offset: i64) -> KeyedRecord<'a> {
        let offset = base_offset.saturating_add(i64::from(self.offset_delta));
        KeyedRecord { offset, key: self.key, is_tombstone: !self.has_value }
    }

    fn put_relative_to(&self, old_base: i64, new_base: i64, out: &mut Vec<u8>) {
        let delta = old_base.wrapping_add(self.timestamp_delta).wrapping_sub(new_base);
        put_varint(out, (1 + varint_len(delta) + self.tail.len()) as i64);
        out.push(self.attributes);
        put_varint(out, delta);
        out.extend_from_slice(self.tail);
    }
}
