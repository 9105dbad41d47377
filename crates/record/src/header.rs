//! The 61-byte header of a record batch v2, by offset.

use std::ops::Deref;

use crate::{BatchError, Compression};

/// Size of a batch's header: everything before its first record.
pub const HEADER_BYTES: usize = 61;

/// Base offset and length field: what the length field does not count.
pub(crate) const OVERHEAD_BYTES: usize = 12;

/// The CRC covers everything from here on, so that offset and leader epoch can be set without it.
pub(crate) const CRC_COVERS_FROM: usize = 21;

const MAGIC: i8 = 2;

/// The least that a length field may state: an empty message of format 0.
const MIN_MESSAGE_BYTES: usize = 14;

/// "No timestamp", "no producer", "no sequence" and so on are all -1 in Kafka.
pub const NONE: i64 = -1;

/// A copy of a batch's header, whose fields outside the CRC may be set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BatchHead([u8; HEADER_BYTES]);

/// Whose clock the timestamps of a batch come from (`message.timestamp.type`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TimestampType {
    /// The producer's; each record has its own.
    #[default]
    CreateTime,
    /// The broker's; all records have the batch's greatest.
    LogAppendTime,
}

/// The flags of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Attributes(pub i16);

impl Attributes {
    pub(crate) const COMPRESSION: i16 = 0b111;
    pub(crate) const LOG_APPEND_TIME: i16 = 1 << 3;
    pub(crate) const TRANSACTIONAL: i16 = 1 << 4;
    pub(crate) const CONTROL: i16 = 1 << 5;
    pub(crate) const DELETE_HORIZON: i16 = 1 << 6;

    /// How the records are compressed.
    pub fn compression(self) -> Result<Compression, BatchError> {
        Compression::from_id((self.0 & Self::COMPRESSION) as u8)
    }

    /// Whose clock the timestamps come from.
    pub fn timestamp_type(self) -> TimestampType {
        if self.0 & Self::LOG_APPEND_TIME != 0 { TimestampType::LogAppendTime } else { TimestampType::CreateTime }
    }

    /// Whether the records belong to a transaction (KIP-98).
    pub fn is_transactional(self) -> bool {
        self.0 & Self::TRANSACTIONAL != 0
    }

    /// Whether this is a transaction marker or another control batch, which consumers skip.
    pub fn is_control(self) -> bool {
        self.0 & Self::CONTROL != 0
    }

    /// Whether the base timestamp is the time at which tombstones may go (KIP-534).
    pub fn has_delete_horizon(self) -> bool {
        self.0 & Self::DELETE_HORIZON != 0
    }
}

impl BatchHead {
    /// Copies the head of a batch; `None` if there are less than 61 bytes. Checks nothing else.
    pub fn copy_of(batch: &[u8]) -> Option<Self> {
        batch.first_chunk::<HEADER_BYTES>().copied().map(BatchHead)
    }

    /// The bytes, as they stand in front of the records.
    pub fn as_bytes(&self) -> &[u8; HEADER_BYTES] {
        &self.0
    }

    /// Sets the offset of the first record. Outside the CRC.
    pub fn set_base_offset(&mut self, offset: i64) {
        self.put(0, offset.to_be_bytes());
    }

    /// Stamps the leader epoch. Outside the CRC.
    pub fn set_leader_epoch(&mut self, epoch: i32) {
        self.put(12, epoch.to_be_bytes());
    }

    /// Offset of the first record.
    pub fn base_offset(&self) -> i64 {
        i64::from_be_bytes(self.get(0))
    }

    /// Offset of the last record (also where compaction removed it).
    pub fn last_offset(&self) -> i64 {
        self.base_offset().wrapping_add(i64::from(self.last_offset_delta()))
    }

    /// Size of the whole batch in bytes, as stated: the length field and the 12 bytes it does not count.
    /// Less than 61 if the field is nonsense.
    pub fn size_bytes(&self) -> usize {
        usize::try_from(self.length()).map_or(0, |length| length + OVERHEAD_BYTES)
    }

    pub(crate) fn length(&self) -> i32 {
        i32::from_be_bytes(self.get(8))
    }

    /// Epoch of the leader that appended it.
    pub fn leader_epoch(&self) -> i32 {
        i32::from_be_bytes(self.get(12))
    }

    /// Version of the format.
    pub fn magic(&self) -> i8 {
        i8::from_be_bytes(self.get(16))
    }

    /// The checksum that is stated.
    pub fn crc(&self) -> u32 {
        u32::from_be_bytes(self.get(17))
    }

    /// The flags.
    pub fn attributes(&self) -> Attributes {
        Attributes(i16::from_be_bytes(self.get(21)))
    }

    /// Offset of the last record, less that of the first.
    pub fn last_offset_delta(&self) -> i32 {
        i32::from_be_bytes(self.get(23))
    }

    /// What the records' timestamps are relative to, in ms since the epoch.
    pub fn base_timestamp(&self) -> i64 {
        i64::from_be_bytes(self.get(27))
    }

    /// The greatest timestamp of its records, in ms since the epoch; -1 if they have none.
    pub fn max_timestamp(&self) -> i64 {
        i64::from_be_bytes(self.get(35))
    }

    /// The idempotent producer, or -1.
    pub fn producer_id(&self) -> i64 {
        i64::from_be_bytes(self.get(43))
    }

    /// The producer's epoch, or -1.
    pub fn producer_epoch(&self) -> i16 {
        i16::from_be_bytes(self.get(51))
    }

    /// The producer's sequence number of the first record, or -1.
    pub fn base_sequence(&self) -> i32 {
        i32::from_be_bytes(self.get(53))
    }

    /// How many records it states to hold.
    pub fn count(&self) -> i32 {
        i32::from_be_bytes(self.get(57))
    }

    pub(crate) fn check_stated_size(&self) -> Result<usize, BatchError> {
        if self.magic() != MAGIC {
            return Err(BatchError::BadMagic(self.magic()));
        }
        match self.size_bytes() {
            size if size < HEADER_BYTES => Err(BatchError::BadLength(self.length())),
            size => Ok(size),
        }
    }

    fn get<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut field = [0; N];
        field.copy_from_slice(&self.0[at..at + N]);
        field
    }

    fn put<const N: usize>(&mut self, at: usize, field: [u8; N]) {
        self.0[at..at + N].copy_from_slice(&field);
    }
}

impl std::fmt::Debug for BatchHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchHead")
            .field("base_offset", &self.base_offset())
            .field("last_offset", &self.last_offset())
            .field("size_bytes", &self.size_bytes())
            .field("leader_epoch", &self.leader_epoch())
            .field("attributes", &self.attributes().0)
            .field("max_timestamp", &self.max_timestamp())
            .field("producer_id", &self.producer_id())
            .finish_non_exhaustive()
    }
}

/// A whole batch: its head, whose fields it derefs to, and the bytes.
#[derive(Clone, Copy, Debug)]
pub struct BatchView<'a> {
    head: BatchHead,
    bytes: &'a [u8],
}

impl<'a> BatchView<'a> {
    /// The batch that `bytes` start with, and what follows it. Looks at length and magic only.
    pub fn split_first(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), BatchError> {
        let truncated = |need| BatchError::Truncated { have: bytes.len(), need };
        let head = BatchHead::copy_of(bytes).ok_or(truncated(HEADER_BYTES))?;
        let size = head.check_stated_size()?;
        let (bytes, rest) = bytes.split_at_checked(size).ok_or(truncated(size))?;
        Ok((BatchView { head, bytes }, rest))
    }

    /// The one batch that `bytes` are. Looks at length and magic only.
    pub fn new(bytes: &'a [u8]) -> Result<Self, BatchError> {
        match Self::split_first(bytes)? {
            (batch, []) => Ok(batch),
            (_, rest) => Err(BatchError::Trailing(rest.len())),
        }
    }

    /// The one batch that a client sends for a partition. What follows it and is no whole batch is left out, as Kafka
    /// does (`ByteBufferLogInputStream`); a second batch is refused. Looks at lengths and magic only.
    pub fn only(bytes: &'a [u8]) -> Result<Self, BatchError> {
        let truncated = BatchError::Truncated { have: bytes.len(), need: HEADER_BYTES };
        let (first, rest) = bytes.split_at(whole_size(bytes)?.ok_or(truncated)?);
        match Self::new(first) {
            // It is all there: its length is wrong.
            Err(BatchError::Truncated { have, .. }) if first[16] == MAGIC as u8 => {
                Err(BatchError::BadLength((have - OVERHEAD_BYTES) as i32))
            }
            Err(BatchError::Truncated { .. }) => Err(BatchError::BadMagic(first[16] as i8)),
            batch => match whole_size(rest)? {
                Some(_) => Err(BatchError::Trailing(rest.len())),
                None => batch,
            },
        }
    }

    /// The batch whole.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// A copy of its head.
    pub fn head(&self) -> BatchHead {
        self.head
    }

    /// What follows the header: the records, compressed or not.
    pub fn body(&self) -> &'a [u8] {
        &self.bytes[HEADER_BYTES..]
    }

    /// Checks the CRC-32C.
    pub fn verify_crc(&self) -> Result<(), BatchError> {
        let computed = crc32c(&self.bytes[CRC_COVERS_FROM..]);
        let stated = self.crc();
        if stated == computed { Ok(()) } else { Err(BatchError::BadCrc { stated, computed }) }
    }
}

impl Deref for BatchView<'_> {
    type Target = BatchHead;

    fn deref(&self) -> &BatchHead {
        &self.head
    }
}

/// The size of the batch, or the message of an older format, that `bytes` begin with; none if it is not all there.
fn whole_size(bytes: &[u8]) -> Result<Option<usize>, BatchError> {
    let Some(length) = bytes.get(8..).and_then(|bytes| bytes.first_chunk()) else { return Ok(None) };
    let length = i32::from_be_bytes(*length);
    let size = usize::try_from(length).ok().filter(|length| *length >= MIN_MESSAGE_BYTES);
    let size = size.ok_or(BatchError::BadLength(length))? + OVERHEAD_BYTES;
    match bytes.get(16).map(|magic| *magic as i8) {
        None => Ok(None),
        Some(0..=MAGIC) => Ok((size <= bytes.len()).then_some(size)),
        Some(other) => Err(BatchError::BadMagic(other)),
    }
}

/// Sets timestamp type and greatest timestamp of a checked batch, and its CRC anew.
///
/// This is how `LogAppendTime` is stamped, and how a greatest timestamp that a producer stated wrongly is put right.
/// Since both lie under the CRC it must happen before the batch is replicated. Panics if `batch` is shorter than a
/// header.
pub fn restamp(batch: &mut [u8], timestamp_type: TimestampType, max_timestamp: i64) {
    assert!(batch.len() >= HEADER_BYTES, "only a checked batch is restamped");
    let attributes = i16::from_be_bytes([batch[21], batch[22]]);
    let attributes = match timestamp_type {
        TimestampType::CreateTime => attributes & !Attributes::LOG_APPEND_TIME,
        TimestampType::LogAppendTime => attributes | Attributes::LOG_APPEND_TIME,
    };
    batch[21..23].copy_from_slice(&attributes.to_be_bytes());
    batch[35..43].copy_from_slice(&max_timestamp.to_be_bytes());
    let crc = crc32c(&batch[CRC_COVERS_FROM..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
}

/// CRC-32C (Castagnoli), the checksum of record batches.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}
