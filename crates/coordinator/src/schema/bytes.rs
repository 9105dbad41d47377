//! Kafka's primitive types, read with every length checked against what is there.

use std::str;

use super::{MAX_STRING_BYTES, RecordError};

/// Reads one key or value from its start to its end.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
    /// Whether lengths are varints plus one, and structures end in tagged fields (KIP-482).
    flexible: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Reader { rest: bytes, what, flexible: false }
    }

    pub(super) fn flexible(mut self, flexible: bool) -> Self {
        self.flexible = flexible;
        self
    }

    pub(super) fn malformed(&self, field: &'static str) -> RecordError {
        RecordError::Malformed { what: self.what, field }
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], RecordError> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(RecordError::Truncated(self.what))?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(RecordError::Truncated(self.what))?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn i16(&mut self) -> Result<i16, RecordError> {
        self.array().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, RecordError> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, RecordError> {
        self.array().map(i64::from_be_bytes)
    }

    fn uvarint(&mut self) -> Result<u32, RecordError> {
        let mut value = 0u32;
        for shift in (0..35).step_by(7) {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.malformed("varint"))
    }

    /// A length or count; `None` is null. It is not yet known to fit what remains.
    fn length(&mut self, short: bool) -> Result<Option<usize>, RecordError> {
        let length = match (self.flexible, short) {
            (true, _) => i64::from(self.uvarint()?) - 1,
            (false, true) => i64::from(self.i16()?),
            (false, false) => i64::from(self.i32()?),
        };
        match length {
            -1 => Ok(None),
            length => usize::try_from(length).map(Some).map_err(|_| self.malformed("length")),
        }
    }

    pub(super) fn nullable_string(&mut self, field: &'static str) -> Result<Option<&'a str>, RecordError> {
        let Some(length) = self.length(true)? else { return Ok(None) };
        if length > MAX_STRING_BYTES {
            return Err(self.malformed(field));
        }
        let text = self.take(length)?;
        str::from_utf8(text).map(Some).map_err(|_| self.malformed(field))
    }

    pub(super) fn string(&mut self, field: &'static str) -> Result<&'a str, RecordError> {
        self.nullable_string(field)?.ok_or_else(|| self.malformed(field))
    }

    pub(super) fn bytes(&mut self, field: &'static str) -> Result<&'a [u8], RecordError> {
        let length = self.length(false)?.ok_or_else(|| self.malformed(field))?;
        self.take(length)
    }

    /// The count of an array. Nothing may be reserved for it: each element has yet to be read.
    pub(super) fn count(&mut self, field: &'static str) -> Result<usize, RecordError> {
        self.length(false)?.ok_or_else(|| self.malformed(field))
    }

    /// The tagged fields at the end of a structure: none in versions that are not flexible. Unknown ones are
    /// for `field` to pass over.
    pub(super) fn tagged(
        &mut self,
        mut field: impl FnMut(u32, &'a [u8]) -> Result<(), RecordError>,
    ) -> Result<(), RecordError> {
        if !self.flexible {
            return Ok(());
        }
        for _ in 0..self.uvarint()? {
            let tag = self.uvarint()?;
            let length = self.uvarint()?;
            field(tag, self.take(length as usize)?)?;
        }
        Ok(())
    }
}

/// Writes one key or value.
#[derive(Default)]
pub(super) struct Writer {
    out: Vec<u8>,
    flexible: bool,
}

impl Writer {
    pub(super) fn new(version: i16, flexible: bool) -> Self {
        let mut writer = Writer { out: Vec::with_capacity(64), flexible };
        writer.i16(version);
        writer
    }

    pub(super) fn i16(&mut self, value: i16) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn i32(&mut self, value: i32) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn i64(&mut self, value: i64) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.out.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    pub(super) fn nullable_string(&mut self, text: Option<&str>) {
        let Some(text) = text else {
            return if self.flexible { self.uvarint(0) } else { self.i16(-1) };
        };
        assert!(text.len() <= MAX_STRING_BYTES, "requests are refused at the door when a string is longer");
        match self.flexible {
            true => self.uvarint(text.len() as u32 + 1),
            false => self.i16(text.len() as i16),
        }
        self.raw(text.as_bytes());
    }

    pub(super) fn string(&mut self, text: &str) {
        self.nullable_string(Some(text));
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    pub(super) fn count(&mut self, count: usize) {
        let count = i32::try_from(count).expect("what arrived in one frame is below 2 GiB");
        match self.flexible {
            true => self.uvarint(count as u32 + 1),
            false => self.i32(count),
        }
    }

    pub(super) fn finish(self) -> ::bytes::Bytes {
        self.out.into()
    }
}
