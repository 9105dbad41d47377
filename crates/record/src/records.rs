//! Reading the records of a batch.

use std::borrow::Cow;

use crate::compression::decompress;
use crate::header::{BatchHead, BatchView, TimestampType};
use crate::varint::{MAX_VARINT_BYTES, MAX_VARLONG_BYTES, zigzag_decode};
use crate::walk::walk;
use crate::{BatchError, Compression};

/// The records of one batch, decompressed.
#[derive(Debug)]
pub struct Records<'a> {
    head: BatchHead,
    bytes: Cow<'a, [u8]>,
}

/// One record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordView<'a> {
    /// Its offset in the partition.
    pub offset: i64,
    /// In ms since the epoch; -1 if it has none. With LogAppendTime the batch's.
    pub timestamp: i64,
    /// What compaction and partitioning go by.
    pub key: Option<&'a [u8]>,
    /// The payload; none is a tombstone.
    pub value: Option<&'a [u8]>,
    /// In the order in which they were written; keys may repeat.
    pub headers: Headers<'a>,
}

/// A header of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header<'a> {
    /// UTF-8 by convention; not checked.
    pub key: &'a [u8],
    /// Any bytes, or none.
    pub value: Option<&'a [u8]>,
}

impl<'a> Records<'a> {
    /// Opens a batch, decompressing at most `limit` bytes. The CRC is not checked.
    pub fn of(batch: &BatchView<'a>, limit: u64) -> Result<Self, BatchError> {
        let bytes = match batch.attributes().compression()? {
            Compression::None => Cow::Borrowed(batch.body()),
            compression => Cow::Owned(decompress(compression, batch.body(), limit)?),
        };
        Ok(Records { head: batch.head(), bytes })
    }

    /// The records in order. After an error there is nothing more.
    pub fn iter(&self) -> RecordIter<'_> {
        RecordIter { head: &self.head, rest: &self.bytes, index: 0 }
    }
}

impl<'r> IntoIterator for &'r Records<'_> {
    type Item = Result<RecordView<'r>, BatchError>;
    type IntoIter = RecordIter<'r>;

    fn into_iter(self) -> RecordIter<'r> {
        self.iter()
    }
}

/// The records of a batch, one after the other.
#[derive(Debug)]
pub struct RecordIter<'a> {
    head: &'a BatchHead,
    rest: &'a [u8],
    index: i32,
}

impl<'a> Iterator for RecordIter<'a> {
    type Item = Result<RecordView<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.head.count() {
            return None;
        }
        let record = self.read();
        self.index = if record.is_ok() { self.index + 1 } else { i32::MAX };
        Some(record)
    }
}

impl<'a> RecordIter<'a> {
    fn read(&mut self) -> Result<RecordView<'a>, BatchError> {
        let malformed = BatchError::BadRecord { index: self.index, problem: "it is malformed" };
        let mut record = self.take_record().ok_or_else(|| malformed.clone())?;
        parse(&mut record, self.head).ok_or(malformed)
    }

    fn take_record(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(take_varint(&mut self.rest)?).ok()?;
        take(&mut self.rest, length)
    }
}

fn parse<'a>(record: &mut &'a [u8], head: &BatchHead) -> Option<RecordView<'a>> {
    take(record, 1)?;
    let timestamp_delta = take_varlong(record)?;
    let offset_delta = take_varint(record)?;
    let key = take_nullable(record)?;
    let value = take_nullable(record)?;
    let headers = Headers::parse(record)?;
    let timestamp = match head.attributes().timestamp_type() {
        TimestampType::CreateTime => head.base_timestamp().checked_add(timestamp_delta)?,
        TimestampType::LogAppendTime => head.max_timestamp(),
    };
    Some(RecordView {
        offset: head.base_offset().checked_add(i64::from(offset_delta))?,
        timestamp,
        key,
        value,
        headers,
    })
}

/// The headers of a record: a list, since keys may repeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Headers<'a> {
    count: i32,
    bytes: &'a [u8],
}

impl<'a> Headers<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The headers in order.
    pub fn iter(&self) -> HeaderIter<'a> {
        HeaderIter { left: self.count, rest: self.bytes }
    }

    /// Takes what remains of a record, if it is headers and nothing else.
    fn parse(rest: &mut &'a [u8]) -> Option<Self> {
        let count = take_varint(rest)?;
        let headers = Headers { count, bytes: rest };
        let mut all = headers.iter();
        for _ in 0..count {
            all.take_header()?;
        }
        (count >= 0 && all.rest.is_empty()).then_some(headers)
    }
}

impl<'a> IntoIterator for Headers<'a> {
    type Item = Header<'a>;
    type IntoIter = HeaderIter<'a>;

    fn into_iter(self) -> HeaderIter<'a> {
        self.iter()
    }
}

/// The headers of a record, one after the other.
#[derive(Debug)]
pub struct HeaderIter<'a> {
    left: i32,
    rest: &'a [u8],
}

impl<'a> HeaderIter<'a> {
    fn take_header(&mut self) -> Option<Header<'a>> {
        let key = take_nullable(&mut self.rest)??;
        let value = take_nullable(&mut self.rest)?;
        Some(Header { key, value })
    }
}

impl<'a> Iterator for HeaderIter<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.left = self.left.checked_sub(1).filter(|left| *left >= 0)?;
        self.take_header()
    }
}

/// An offset and the timestamp of the record there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimestampOffset {
    /// In ms since the epoch.
    pub timestamp: i64,
    /// Of the record that has it.
    pub offset: i64,
}

/// The first record of a batch that is at or after `offset` and whose timestamp is at or after `timestamp`
/// (ListOffsets). Decompresses at most `limit` bytes, a chunk at a time.
pub fn first_at_or_after(
    batch: &BatchView<'_>,
    offset: i64,
    timestamp: i64,
    limit: u64,
) -> Result<Option<TimestampOffset>, BatchError> {
    let stamped = batch.attributes().timestamp_type() == TimestampType::LogAppendTime;
    let mut first = None;
    walk(batch, limit, |record| {
        let own_offset = batch.base_offset().saturating_add(i64::from(record.offset_delta));
        let own_timestamp = match stamped {
            true => batch.max_timestamp(),
            false => batch.base_timestamp().saturating_add(record.timestamp_delta),
        };
        if first.is_none() && own_offset >= offset && own_timestamp >= timestamp {
            first = Some(TimestampOffset { timestamp: own_timestamp, offset: own_offset });
        }
        Ok(())
    })?;
    Ok(first)
}

pub(crate) fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

pub(crate) fn take_nullable<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    match usize::try_from(take_varint(rest)?) {
        Ok(length) => take(rest, length).map(Some),
        Err(_) => Some(None),
    }
}

pub(crate) fn take_varint(rest: &mut &[u8]) -> Option<i32> {
    let value = u32::try_from(take_unsigned(rest, MAX_VARINT_BYTES)?).ok()?;
    Some(zigzag_decode(u64::from(value)) as i32)
}

pub(crate) fn take_varlong(rest: &mut &[u8]) -> Option<i64> {
    take_unsigned(rest, MAX_VARLONG_BYTES).map(zigzag_decode)
}

fn take_unsigned(rest: &mut &[u8], max_bytes: usize) -> Option<u64> {
    let mut value = 0_u64;
    for place in 0..max_bytes {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if *byte < 0x80 {
            return Some(value);
        }
    }
    None
}
