//! Hopping from batch to batch through a segment, reading headers only.

use std::borrow::Cow;
use std::io;

use disk::File;
use record::{BatchHead, HEADER_BYTES};

use crate::segment::SegmentFacts;

/// What is read at once: usually some headers.
const BUFFER_BYTES: usize = 4096;

/// Reads headers of batches, and holds each against what must be true of it.
pub(crate) struct Scan<'a> {
    file: &'a dyn File,
    base_offset: i64,
    /// All offsets of the segment are below this.
    end_offset: i64,
    /// Where the batches end.
    log_bytes: u64,
    buffer: [u8; BUFFER_BYTES],
    buffered_from: u64,
    buffered: usize,
}

/// A batch's header that fits its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) position: u64,
    pub(crate) head: BatchHead,
}

impl Found {
    /// Where the next batch starts.
    pub(crate) fn end(&self) -> u64 {
        self.position + self.head.size_bytes() as u64
    }
}

/// Why there is no batch where one should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScanError {
    #[error("{problem} at byte {position}")]
    Damaged { position: u64, problem: Cow<'static, str> },
    #[error(transparent)]
    Io(io::Error),
}

impl<'a> Scan<'a> {
    pub(crate) fn new(file: &'a dyn File, facts: &SegmentFacts, end_offset: i64) -> Self {
        Scan {
            file,
            base_offset: facts.base_offset,
            end_offset,
            log_bytes: facts.log_bytes,
            buffer: [0; BUFFER_BYTES],
            buffered_from: 0,
            buffered: 0,
        }
    }

    /// The batch at `position`; none at the end of the segment.
    pub(crate) fn at(&mut self, position: u64) -> Result<Option<Found>, ScanError> {
        if position == self.log_bytes {
            return Ok(None);
        }
        let damaged = |problem: Cow<'static, str>| ScanError::Damaged { position, problem };
        if position > self.log_bytes {
            return Err(damaged(format!("the segment ends at byte {}", self.log_bytes).into()));
        }
        let head = self.read_head(position)?.ok_or_else(|| damaged("the file ends within a batch".into()))?;
        let end = position + head.size_bytes() as u64;
        if head.magic() != 2 || head.size_bytes() < HEADER_BYTES || end > self.log_bytes {
            return Err(damaged("no header of a batch".into()));
        }
        let is_in_place = head.base_offset() >= self.base_offset && head.base_offset() < self.end_offset;
        if !is_in_place || head.last_offset_delta() < 0 || head.last_offset() >= self.end_offset {
            return Err(damaged("a batch with offsets out of place".into()));
        }
        Ok(Some(Found { position, head }))
    }

    /// The first batch that ends at or after `offset`, from the batch at `position` on; none if all end before.
    pub(crate) fn ending_at_or_after(&mut self, offset: i64, mut position: u64) -> Result<Option<Found>, ScanError> {
        let mut last = None;
        while let Some(found) = self.at(position)? {
            if last.is_some_and(|last| found.head.base_offset() <= last) {
                let problem = format!("offset {} comes after offset {}", found.head.base_offset(), last.unwrap_or(-1));
                return Err(ScanError::Damaged { position, problem: problem.into() });
            }
            if found.head.last_offset() >= offset {
                // The checksum does not cover the base offset. One that leaves out what was asked for must at least
                // leave room for the batch after it.
                if found.head.base_offset() > offset {
                    self.check_order(&found)?;
                }
                return Ok(Some(found));
            }
            last = Some(found.head.last_offset());
            position = found.end();
        }
        Ok(None)
    }

    fn check_order(&mut self, found: &Found) -> Result<(), ScanError> {
        match self.at(found.end()) {
            Ok(Some(next)) if next.head.base_offset() <= found.head.last_offset() => {
                let problem =
                    format!("offset {} comes before offset {}", found.head.last_offset(), next.head.base_offset());
                Err(ScanError::Damaged { position: found.position, problem: problem.into() })
            }
            _ => Ok(()),
        }
    }

    /// The first batch that ends after `limit`, from the one at `position` on; none if all end before.
    pub(crate) fn ending_after(&mut self, limit: u64, mut position: u64) -> Result<Option<Found>, ScanError> {
        while let Some(found) = self.at(position)? {
            if found.end() > limit {
                return Ok(Some(found));
            }
            position = found.end();
        }
        Ok(None)
    }

    /// The first batch after the damage at `position` that `is_whole`, wherever it starts.
    pub(crate) fn resume_after(
        &mut self,
        position: u64,
        mut is_whole: impl FnMut(&Found) -> bool,
    ) -> Result<Option<Found>, ScanError> {
        for position in position + 1..self.log_bytes {
            match self.at(position) {
                Ok(Some(found)) if is_whole(&found) => return Ok(Some(found)),
                Err(ScanError::Io(error)) => return Err(ScanError::Io(error)),
                _ => {}
            }
        }
        Ok(None)
    }

    fn read_head(&mut self, position: u64) -> Result<Option<BatchHead>, ScanError> {
        let buffered_to = self.buffered_from + self.buffered as u64;
        if position < self.buffered_from || position + HEADER_BYTES as u64 > buffered_to {
            self.fill(position).map_err(ScanError::Io)?;
        }
        let at = (position - self.buffered_from) as usize;
        Ok(BatchHead::copy_of(&self.buffer[at..self.buffered]))
    }

    fn fill(&mut self, position: u64) -> io::Result<()> {
        self.buffered_from = position;
        self.buffered = 0;
        let want = BUFFER_BYTES.min(usize::try_from(self.log_bytes - position).unwrap_or(BUFFER_BYTES));
        while self.buffered < want {
            match self.file.read_at(&mut self.buffer[self.buffered..want], position + self.buffered as u64)? {
                0 => break,
                read => self.buffered += read,
            }
        }
        Ok(())
    }
}
