//! Reading a segment from its start to its end, large pieces at a time, each batch checked.

use std::sync::Arc;

use record::{BatchHead, BatchView, HEADER_BYTES};

use crate::LogError;
use crate::file_cache::OpenSegment;
use crate::partition_log::Shared;
use crate::scan::ScanError;
use crate::segment::{Kind, Segment};

/// What is read at once.
const CHUNK_BYTES: usize = 512 * 1024;

/// A closed segment that is being read. With `pread`: an I/O error is an error, and what was mapped stays untouched.
pub(super) struct Input {
    pub(super) segment: Segment,
    open: Arc<OpenSegment>,
    /// Of the next batch in the file, and in the buffer.
    position: u64,
    at: usize,
    buffer: Vec<u8>,
    /// The next batch's offsets are from here on, and below the end.
    next_offset: i64,
    end_offset: i64,
    /// Of the batch that was given last.
    last: (u64, i64),
}

impl Input {
    pub(super) fn open(shared: &Shared, segment: Segment) -> Result<Self, LogError> {
        let open = shared.open(&segment)?;
        let next_offset = segment.facts.base_offset;
        let end_offset = shared.end_of(&segment);
        let last = (0, next_offset);
        Ok(Input { segment, open, position: 0, at: 0, buffer: Vec::new(), next_offset, end_offset, last })
    }

    /// The next batch; none at the end of the segment.
    pub(super) fn next(&mut self, shared: &Shared) -> Result<Option<BatchView<'_>>, LogError> {
        if self.position == self.segment.facts.log_bytes {
            return Ok(None);
        }
        self.last = (self.position, self.next_offset);
        self.fill(shared, HEADER_BYTES)?;
        let size = BatchHead::copy_of(&self.buffer[self.at..]).map_or(0, |head| head.size_bytes());
        if size < HEADER_BYTES || size as u64 > self.segment.facts.log_bytes - self.position {
            return Err(self.damaged(shared, "no header of a batch".to_owned()));
        }
        self.fill(shared, size)?;
        let bytes = &self.buffer[self.at..self.at + size];
        let checked = BatchView::new(bytes).and_then(|batch| batch.verify_crc().map(|()| batch));
        let places = self.next_offset..self.end_offset;
        let problem = match checked {
            // Base offsets are not under the checksum.
            Ok(batch) if !places.contains(&batch.base_offset()) || !places.contains(&batch.last_offset()) => {
                "a batch with offsets out of place".to_owned()
            }
            Ok(batch) => {
                self.position += size as u64;
                self.at += size;
                self.next_offset = batch.last_offset() + 1;
                return Ok(Some(batch));
            }
            Err(error) => error.to_string(),
        };
        Err(self.damaged(shared, problem))
    }

    /// That the batch that was asked for last can't be understood.
    pub(super) fn damaged(&self, shared: &Shared, problem: String) -> LogError {
        let (position, offset) = self.last;
        let error = ScanError::Damaged { position, problem: problem.into() };
        shared.unreadable(&self.segment, error, offset)
    }

    /// Has at least `bytes` of what comes next in the buffer, if the segment has as many.
    fn fill(&mut self, shared: &Shared, bytes: usize) -> Result<(), LogError> {
        if self.buffer.len() - self.at >= bytes {
            return Ok(());
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        let have = self.buffer.len();
        let left = self.segment.facts.log_bytes - self.position - have as u64;
        let want = bytes.max(CHUNK_BYTES) - have;
        let want = usize::try_from(left).map_or(want, |left| left.min(want));
        self.buffer.resize(have + want, 0);
        self.open
            .log
            .read_exact_at(&mut self.buffer[have..], self.position + have as u64)
            .map_err(shared.io_error(Kind::Log, self.segment.name()))
    }
}
