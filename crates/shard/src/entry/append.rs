//! Appends: the entry that every produced record travels in.
//!
//! After the common head, little-endian: the number of batches (4); for each batch the topic id
//! (16), the partition (4) and the length of the batch (4); then the batches themselves, one after
//! the other, as they will stand in the segments but for base offset and leader epoch.
//!
//! One that counts in one term only has that term (8) before all this.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use model::{PartitionId, TopicId};

use super::{HEAD_BYTES, Kind, head};

const ROW_BYTES: usize = 24;

const TERM_BYTES: usize = 8;

/// Gathers the batches of one proposal. The batches are copied once, into the entry's own memory,
/// so that an entry never pins the request that it came in.
#[derive(Debug, Default)]
pub struct AppendEntry<'a> {
    rows: Vec<(PartitionId, &'a [u8])>,
}

impl<'a> AppendEntry<'a> {
    /// Adds a batch that was checked whole; answers are in the order in which batches were added.
    pub fn push(&mut self, partition: PartitionId, batch: &'a [u8]) {
        self.rows.push((partition, batch));
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The entry's bytes.
    pub fn encode(&self, clock_ms: i64) -> Bytes {
        self.finish(head(clock_ms, Kind::Append, self.bytes()))
    }

    /// The same, to be refused in any other term: what was computed from a coordinator's state must not be applied to
    /// the state that a later coordinator has changed.
    pub fn encode_in_term(&self, clock_ms: i64, term: u64) -> Bytes {
        let mut entry = head(clock_ms, Kind::AppendInTerm, TERM_BYTES + self.bytes());
        entry.put_u64_le(term);
        self.finish(entry)
    }

    pub(super) fn bytes(&self) -> usize {
        4 + self.rows.iter().map(|(_, batch)| ROW_BYTES + batch.len()).sum::<usize>()
    }

    pub(super) fn finish(&self, mut entry: BytesMut) -> Bytes {
        entry.put_u32_le(length(self.rows.len()));
        for (partition, batch) in &self.rows {
            entry.put_slice(partition.topic.0.as_bytes());
            entry.put_i32_le(partition.index);
            entry.put_u32_le(length(batch.len()));
        }
        for (_, batch) in &self.rows {
            entry.put_slice(batch);
        }
        debug_assert!(entry.len() >= HEAD_BYTES);
        BytesMut::freeze(entry)
    }
}

fn length(value: usize) -> u32 {
    u32::try_from(value).expect("an entry is bounded by a request's frame, which is below 4 GiB")
}

/// The batches of an append, in order.
#[derive(Debug)]
pub struct Appends {
    table: Bytes,
    batches: Bytes,
}

impl Appends {
    pub(super) fn decode_in_term(mut body: Bytes) -> Result<(u64, Self), String> {
        let term = body.try_get_u64_le().map_err(|why| why.to_string())?;
        Ok((term, Appends::decode(body)?))
    }

    pub(super) fn decode(mut body: Bytes) -> Result<Self, String> {
        let count = body.try_get_u32_le().map_err(|why| why.to_string())? as usize;
        let table_bytes = count.checked_mul(ROW_BYTES).filter(|&bytes| bytes <= body.len());
        let table_bytes = table_bytes.ok_or_else(|| format!("{count} batches do not fit {} bytes", body.len()))?;
        let table = body.split_to(table_bytes);
        let announced: u64 = table.chunks_exact(ROW_BYTES).map(|row| u64::from(batch_bytes(row))).sum();
        if announced != body.len() as u64 {
            return Err(format!("batches of {announced} bytes announced, {} are there", body.len()));
        }
        Ok(Appends { table, batches: body })
    }

    /// How many batches there are.
    pub fn len(&self) -> usize {
        self.table.len() / ROW_BYTES
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

impl Iterator for Appends {
    type Item = (PartitionId, Bytes);

    fn next(&mut self) -> Option<Self::Item> {
        if self.table.is_empty() {
            return None;
        }
        let row = self.table.split_to(ROW_BYTES);
        let topic = TopicId(uuid::Uuid::from_slice(&row[..16]).expect("sixteen bytes"));
        let index = i32::from_le_bytes(row[16..20].try_into().expect("four bytes"));
        Some((PartitionId { topic, index }, self.batches.split_to(batch_bytes(&row) as usize)))
    }
}

fn batch_bytes(row: &[u8]) -> u32 {
    u32::from_le_bytes(row[20..24].try_into().expect("four bytes"))
}
