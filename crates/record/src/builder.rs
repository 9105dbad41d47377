//! Making batches: for internal topics, the command line and tests.

use bytes::Bytes;

use crate::compression::compress;
use crate::header::{Attributes, CRC_COVERS_FROM, HEADER_BYTES, NONE, OVERHEAD_BYTES, TimestampType, crc32c};
use crate::varint::{put_varint, varint_len};
use crate::{Compression, Header};

/// Why no batch could be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A batch has at least one record.
    #[error("a record batch without records can't be built: add a record first")]
    Empty,
    /// More than 2^31 - 1 bytes or records.
    #[error("the record batch grew beyond 2 GiB: build several smaller ones")]
    TooLarge,
    /// A codec failed.
    #[error("records can't be compressed as {0}: {1}")]
    Compression(Compression, std::io::Error),
}

/// Collects records into one batch. Its offsets count from 0 unless [`base_offset`](Self::base_offset) says otherwise.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    compression: Compression,
    attributes: i16,
    base_offset: i64,
    leader_epoch: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    count: i32,
    records: Vec<u8>,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// An empty batch: not compressed, CreateTime, no producer.
    pub fn new() -> Self {
        BatchBuilder {
            compression: Compression::None,
            attributes: 0,
            base_offset: 0,
            leader_epoch: NONE as i32,
            base_timestamp: NONE,
            max_timestamp: NONE,
            producer_id: NONE,
            producer_epoch: NONE as i16,
            base_sequence: NONE as i32,
            count: 0,
            records: Vec::new(),
        }
    }

    /// Compresses the records.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Makes it an idempotent producer's.
    pub fn producer(mut self, id: i64, epoch: i16, base_sequence: i32) -> Self {
        (self.producer_id, self.producer_epoch, self.base_sequence) = (id, epoch, base_sequence);
        self
    }

    /// Makes its records part of the producer's transaction.
    pub fn transactional(mut self) -> Self {
        self.attributes |= Attributes::TRANSACTIONAL;
        self
    }

    /// Marks it as a control batch. Clients may not.
    pub fn control(mut self) -> Self {
        self.attributes |= Attributes::CONTROL;
        self
    }

    /// Sets the offset of the first record.
    pub fn base_offset(mut self, offset: i64) -> Self {
        self.base_offset = offset;
        self
    }

    /// Sets the leader epoch.
    pub fn leader_epoch(mut self, epoch: i32) -> Self {
        self.leader_epoch = epoch;
        self
    }

    /// Says whose clock the timestamps come from.
    pub fn timestamp_type(mut self, timestamp_type: TimestampType) -> Self {
        match timestamp_type {
            TimestampType::CreateTime => self.attributes &= !Attributes::LOG_APPEND_TIME,
            TimestampType::LogAppendTime => self.attributes |= Attributes::LOG_APPEND_TIME,
        }
        self
    }

    /// Adds a record. The timestamp is in ms since the epoch, -1 for none.
    pub fn push(&mut self, timestamp: i64, key: Option<&[u8]>, value: Option<&[u8]>, headers: &[Header<'_>]) {
        if self.count == 0 {
            self.base_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let timestamp_delta = timestamp.wrapping_sub(self.base_timestamp);
        let headers_len: usize =
            headers.iter().map(|header| nullable_len(Some(header.key)) + nullable_len(header.value)).sum();
        let length = 1
            + varint_len(timestamp_delta)
            + varint_len(i64::from(self.count))
            + nullable_len(key)
            + nullable_len(value)
            + varint_len(headers.len() as i64)
            + headers_len;
        let out = &mut self.records;
        put_varint(out, length as i64);
        out.push(0);
        put_varint(out, timestamp_delta);
        put_varint(out, i64::from(self.count));
        put_nullable(out, key);
        put_nullable(out, value);
        put_varint(out, headers.len() as i64);
        for header in headers {
            put_nullable(out, Some(header.key));
            put_nullable(out, header.value);
        }
        self.count = self.count.saturating_add(1);
    }

    /// Adds a record without headers, and returns the builder.
    pub fn record(mut self, timestamp: i64, key: Option<&[u8]>, value: Option<&[u8]>) -> Self {
        self.push(timestamp, key, value, &[]);
        self
    }

    /// How many records were added.
    pub fn count(&self) -> i32 {
        self.count
    }

    /// Size that the batch would have without compression.
    pub fn size_bytes(&self) -> usize {
        HEADER_BYTES + self.records.len()
    }

    /// The batch.
    pub fn build(&self) -> Result<Bytes, BuildError> {
        if self.count == 0 {
            return Err(BuildError::Empty);
        }
        let mut batch = vec![0; HEADER_BYTES];
        batch.reserve(self.records.len());
        compress(self.compression.into(), &self.records, &mut batch)
            .map_err(|error| BuildError::Compression(self.compression, error))?;
        let length = i32::try_from(batch.len() - OVERHEAD_BYTES).map_err(|_| BuildError::TooLarge)?;
        if self.count == i32::MAX || i32::try_from(self.records.len()).is_err() {
            return Err(BuildError::TooLarge);
        }
        let attributes = self.attributes | self.compression.id();
        let mut put = |at: usize, field: &[u8]| batch[at..at + field.len()].copy_from_slice(field);
        put(0, &self.base_offset.to_be_bytes());
        put(8, &length.to_be_bytes());
        put(12, &self.leader_epoch.to_be_bytes());
        put(16, &[2]);
        put(21, &attributes.to_be_bytes());
        put(23, &(self.count - 1).to_be_bytes());
        put(27, &self.base_timestamp.to_be_bytes());
        put(35, &self.max_timestamp.to_be_bytes());
        put(43, &self.producer_id.to_be_bytes());
        put(51, &self.producer_epoch.to_be_bytes());
        put(53, &self.base_sequence.to_be_bytes());
        put(57, &self.count.to_be_bytes());
        let crc = crc32c(&batch[CRC_COVERS_FROM..]);
        batch[17..21].copy_from_slice(&crc.to_be_bytes());
        Ok(batch.into())
    }
}

fn nullable_len(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(varint_len(NONE), |bytes| varint_len(bytes.len() as i64) + bytes.len())
}

fn put_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => put_varint(out, NONE),
        Some(bytes) => {
            put_varint(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
    }
}
