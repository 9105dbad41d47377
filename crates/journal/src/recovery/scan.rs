//! Reads the writes of one file.

use std::io;

use bytes::Bytes;

use crate::files::OpenFile;
use crate::format::write::{HEAD_BYTES, Outline, Record, Tag, WriteHead};
use crate::format::{PAGE_BYTES, Position};

/// Bytes read by one call: few calls, and what was read is still in the core's cache when it is checked.
const CHUNK_BYTES: u64 = 256 << 10;

/// A write whose control checks.
pub(super) struct FoundWrite {
    pub(super) head: WriteHead,
    pub(super) records: Vec<FoundRecord>,
    /// Where the next write starts.
    pub(super) end: Position,
}

pub(super) struct FoundRecord {
    pub(super) record: Record,
    /// Whether its payload checks.
    pub(super) good: bool,
    /// The payload of a vote; others are not kept.
    pub(super) vote: Bytes,
}

impl FoundWrite {
    pub(super) fn is_good(&self) -> bool {
        self.records.iter().all(|found| found.good)
    }
}

/// One file, read in large pieces.
pub(super) struct Scan<'a> {
    pub(super) file: &'a OpenFile,
    identity: [u8; 16],
    buffer: Vec<u8>,
    /// So much of the buffer is filled.
    filled: usize,
    /// Where the buffer's first byte is in the file.
    start: u64,
    pub(super) bytes_read: u64,
}

impl<'a> Scan<'a> {
    pub(super) fn new(file: &'a OpenFile, identity: [u8; 16]) -> Self {
        Scan { file, identity, buffer: Vec::new(), filled: 0, start: 0, bytes_read: 0 }
    }

    /// Bytes of the file, `None` beyond its end.
    pub(super) fn bytes(&mut self, offset: u64, len: u64) -> io::Result<Option<&[u8]>> {
        if offset + len > self.file.len {
            return Ok(None);
        }
        if offset < self.start || offset + len > self.start + self.filled as u64 {
            self.fill(offset, len.max(CHUNK_BYTES).min(self.file.len - offset))?;
        }
        let from = (offset - self.start) as usize;
        Ok(Some(&self.buffer[from..from + len as usize]))
    }

    fn fill(&mut self, offset: u64, len: u64) -> io::Result<()> {
        let len = len as usize;
        self.filled = 0;
        if self.buffer.len() < len {
            self.buffer = vec![0; len]; // zeroed by the kernel, unlike a resized one
        }
        self.file.file.read_exact_at(&mut self.buffer[..len], offset)?;
        (self.start, self.filled) = (offset, len);
        self.bytes_read += len as u64;
        Ok(())
    }

    /// The write that starts here, if there is one whose control checks.
    pub(super) fn write_at(&mut self, offset: u64) -> io::Result<Option<FoundWrite>> {
        let Some((outline, head, records)) = self.control_at(offset)? else { return Ok(None) };
        let end = Position::new(self.file.generation, offset + outline.padded_bytes());
        let mut at = offset + outline.control_bytes;
        let mut found = Vec::with_capacity(records.len());
        for record in records {
            let good = self.crc(at, record.len.into())? == record.crc;
            let vote = match record.tag {
                Tag::Vote => self.bytes(at, record.len.into())?.map_or_else(Bytes::new, Bytes::copy_from_slice),
                _ => Bytes::new(),
            };
            found.push(FoundRecord { record, good, vote });
            at += u64::from(record.len);
        }
        Ok(Some(FoundWrite { head, records: found, end }))
    }

    /// The head of the write that starts here, without a look at its payloads.
    pub(super) fn head_at(&mut self, offset: u64) -> io::Result<Option<WriteHead>> {
        Ok(self.control_at(offset)?.map(|(_, head, _)| head))
    }

    /// Whether here are the first bytes of a write, finished or not.
    pub(super) fn starts_at(&mut self, offset: u64) -> io::Result<bool> {
        Ok(self.outline_at(offset)?.is_some())
    }

    fn outline_at(&mut self, offset: u64) -> io::Result<Option<Outline>> {
        let position = Position::new(self.file.generation, offset);
        let room = self.file.len.saturating_sub(offset);
        let head = self.bytes(offset, HEAD_BYTES as u64)?;
        Ok(head.and_then(|head| Outline::peek(head, position, room)))
    }

    fn control_at(&mut self, offset: u64) -> io::Result<Option<(Outline, WriteHead, Vec<Record>)>> {
        let identity = self.identity;
        let Some(outline) = self.outline_at(offset)? else { return Ok(None) };
        let control = self.bytes(offset, outline.control_bytes)?;
        let decoded = control.and_then(|control| outline.decode(control, &identity));
        Ok(decoded.map(|(head, records)| (outline, head, records)))
    }

    /// Checks a payload of any length piece by piece.
    fn crc(&mut self, mut offset: u64, mut len: u64) -> io::Result<u32> {
        let mut hasher = crc32fast::Hasher::new();
        while len > 0 {
            let piece = len.min(CHUNK_BYTES);
            let Some(bytes) = self.bytes(offset, piece)? else { break };
            hasher.update(bytes);
            (offset, len) = (offset + piece, len - piece);
        }
        Ok(hasher.finalize())
    }

    /// The heads of all writes from a page on that check, wherever they start.
    pub(super) fn heads_from(&mut self, offset: u64) -> io::Result<Vec<WriteHead>> {
        let mut heads = Vec::new();
        let mut at = offset;
        while at < self.file.len {
            heads.extend(self.head_at(at)?);
            at += PAGE_BYTES;
        }
        Ok(heads)
    }
}
