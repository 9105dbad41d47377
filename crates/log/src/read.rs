//! Reading batches.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use record::BatchView;

use crate::file_cache::OpenSegment;
use crate::partition_log::Shared;
use crate::scan::{Found, ScanError};
use crate::segment::{Kind, Segment};
use crate::{LogError, PartitionLog};

impl PartitionLog {
    /// Whole batches from the one that contains `from` (or, in a gap, the next one), at most `max_bytes` of them; the
    /// first in any case if `min_one_batch` (KIP-74). The first batch may begin before `from`: consumers skip.
    ///
    /// The bytes are slices of mapped segments, one for each segment, and for sockets only. Nothing is copied or
    /// checked. At the log end there is nothing; beyond it, and below the log start, is an error.
    pub fn read(&self, from: i64, max_bytes: usize, min_one_batch: bool) -> Result<Vec<Bytes>, LogError> {
        self.read_mapped(from, max_bytes, min_one_batch, false)
    }

    /// As [`read`](Self::read), for offsets that are [cold](Self::is_cold): blocks until the bytes are in memory, so
    /// that the thread that sends them does not.
    pub fn read_cold(&self, from: i64, max_bytes: usize, min_one_batch: bool) -> Result<Vec<Bytes>, LogError> {
        self.read_mapped(from, max_bytes, min_one_batch, true)
    }

    /// As [`read`](Self::read), each batch by itself in memory of its own, read with `pread` and its checksum checked:
    /// for those who look at the bytes. Blocks. At least one batch, if there is one.
    pub fn read_checked(&self, from: i64, max_bytes: usize) -> Result<Vec<Bytes>, LogError> {
        let mut batches: Vec<Bytes> = Vec::new();
        let mut left = max_bytes;
        for segment in self.segments_from(from, max_bytes as u64)? {
            let from = from.max(segment.facts.base_offset);
            match self.shared.read_checked(&segment, from, &mut left, &mut batches) {
                Ok(true) => {}
                Ok(false) => break,
                Err(LogError::Damaged { .. } | LogError::Io { .. }) if !batches.is_empty() => break,
                Err(_) if self.was_replaced(from, &segment) => return self.read_checked(from, max_bytes),
                Err(error) => return Err(self.unless_dropped(from, error)),
            }
        }
        Ok(batches)
    }

    /// Whether a read from this offset may have to wait for the disk.
    pub fn is_cold(&self, offset: i64) -> bool {
        offset < self.log_end() && self.shared.warmth.is_cold(offset)
    }

    fn read_mapped(
        &self,
        from: i64,
        max_bytes: usize,
        min_one_batch: bool,
        cold: bool,
    ) -> Result<Vec<Bytes>, LogError> {
        let mut chunks: Vec<Bytes> = Vec::new();
        let mut left = max_bytes as u64;
        for segment in self.segments_from(from, left)? {
            let from = from.max(segment.facts.base_offset);
            let take = Take { from, max_bytes: left, min_one_batch: min_one_batch && chunks.is_empty(), cold };
            match self.shared.read_segment(&segment, &take) {
                Ok(Taken { bytes, to_end }) => {
                    left = left.saturating_sub(bytes.len() as u64);
                    chunks.extend((!bytes.is_empty()).then_some(bytes));
                    if !to_end || (left == 0 && !chunks.is_empty()) {
                        break;
                    }
                }
                // What lies before the damage is good; who asks for what comes next will learn of it.
                Err(LogError::Damaged { .. } | LogError::Io { .. }) if !chunks.is_empty() => break,
                Err(_) if self.was_replaced(from, &segment) => {
                    return self.read_mapped(from, max_bytes, min_one_batch, cold);
                }
                Err(error) => return Err(self.unless_dropped(from, error)),
            }
        }
        Ok(chunks)
    }

    /// The segments, as they are at one moment, that a read of `max_bytes` from `offset` on may touch.
    pub(crate) fn segments_from(&self, offset: i64, max_bytes: u64) -> Result<Vec<Segment>, LogError> {
        let shared = &*self.shared;
        let (start, end) = (self.log_start(), self.log_end());
        if offset < start || offset > end {
            return Err(LogError::OffsetOutOfRange { offset, start, end });
        }
        if offset == end {
            return Ok(Vec::new());
        }
        shared.prepare_once()?;
        let state = shared.state();
        // The segments may have changed since, and the log start with them.
        let start = self.log_start();
        if offset < start {
            return Err(LogError::OffsetOutOfRange { offset, start, end });
        }
        let holding = state.segments.partition_point(|segment| segment.facts.base_offset <= offset).saturating_sub(1);
        let mut after_first = 0;
        let mut segments = Vec::with_capacity(2);
        for segment in &state.segments[holding..] {
            if !segments.is_empty() {
                after_first += segment.facts.log_bytes;
            }
            segments.push(segment.clone());
            if after_first > max_bytes {
                break;
            }
        }
        Ok(segments)
    }

    /// Whether a compaction has put another segment in the place of this one, from which an offset that is still there
    /// was to be read: its files may be gone. Another look finds what took its place.
    fn was_replaced(&self, offset: i64, segment: &Segment) -> bool {
        self.shared.is_gone(segment.name()) && offset >= self.log_start()
    }

    /// The log start may have moved, and files gone, while they were being read.
    fn unless_dropped(&self, offset: i64, error: LogError) -> LogError {
        let (start, end) = (self.log_start(), self.log_end());
        if offset < start { LogError::OffsetOutOfRange { offset, start, end } } else { error }
    }
}

struct Take {
    from: i64,
    max_bytes: u64,
    min_one_batch: bool,
    /// Whether to bring the bytes into memory.
    cold: bool,
}

/// Batches of one segment, and whether they are all up to its end.
struct Taken {
    bytes: Bytes,
    to_end: bool,
}

impl Shared {
    /// Batches of one segment; none if it ends before `take.from`, or if not even one fits.
    fn read_segment(&self, segment: &Segment, take: &Take) -> Result<Taken, LogError> {
        let log_bytes = segment.facts.log_bytes;
        let nothing = Taken { bytes: Bytes::new(), to_end: true };
        if log_bytes == 0 {
            return Ok(nothing);
        }
        let open = self.open(segment)?;
        let Some(start) = self.position_of(segment, &open, take.from)? else { return Ok(nothing) };
        let limit = start.saturating_add(take.max_bytes);
        let mut end = if limit >= log_bytes { log_bytes } else { self.end_up_to(segment, &open, start, limit)? };
        if end == start && take.min_one_batch {
            end = self.batch_at(segment, &open, start)?.map_or(start, |found| found.end());
        }
        if end == start {
            return Ok(Taken { bytes: Bytes::new(), to_end: false });
        }
        let bytes = match open.slice(start..end, self.reach(segment), take.cold) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                end = self.whole_up_to(segment, &open, start, take.from)?;
                open.slice(start..end, log_bytes, take.cold)
            }
            sliced => sliced,
        };
        let bytes = bytes.map_err(|error| self.unreadable(segment, ScanError::from_map(error, start), take.from))?;
        self.remember_end(segment, &open, end);
        Ok(Taken { bytes, to_end: end == log_bytes })
    }

    /// Adds batches of one segment; whether there may be room for more.
    fn read_checked(
        &self,
        segment: &Segment,
        from: i64,
        left: &mut usize,
        batches: &mut Vec<Bytes>,
    ) -> Result<bool, LogError> {
        if segment.facts.log_bytes == 0 {
            return Ok(true);
        }
        let open = self.open(segment)?;
        let Some(mut position) = self.position_of(segment, &open, from)? else { return Ok(true) };
        while position < segment.facts.log_bytes {
            let Some(found) = self.batch_at(segment, &open, position)? else { break };
            if found.head.size_bytes() > *left && !batches.is_empty() {
                return Ok(false);
            }
            batches.push(self.checked_batch(segment, &open, &found)?);
            *left = left.saturating_sub(found.head.size_bytes());
            position = found.end();
        }
        Ok(*left > 0)
    }

    /// Where the last whole batch ends in a file that was cut. The one at `start` at least must be whole.
    fn whole_up_to(&self, segment: &Segment, open: &Arc<OpenSegment>, start: u64, from: i64) -> Result<u64, LogError> {
        let left = open.log.len().map_err(self.io_error(Kind::Log, segment.name()))?;
        match self.end_up_to(segment, open, start, left.max(start)) {
            Ok(end) if end > start => return Ok(end),
            Err(error @ LogError::Io { .. }) => return Err(error),
            _ => {}
        }
        let problem = "the file is shorter than it was".into();
        Err(self.unreadable(segment, ScanError::Damaged { position: start, problem }, from))
    }

    /// A batch in memory, its checksum checked.
    pub(crate) fn checked_batch(
        &self,
        segment: &Segment,
        open: &OpenSegment,
        found: &Found,
    ) -> Result<Bytes, LogError> {
        let mut bytes = vec![0; found.head.size_bytes()];
        open.log.read_exact_at(&mut bytes, found.position).map_err(self.io_error(Kind::Log, segment.name()))?;
        match BatchView::new(&bytes).and_then(|batch| batch.verify_crc()) {
            Ok(()) => Ok(bytes.into()),
            // The header is in order, so the batch after it can be found.
            Err(error) => Err(LogError::Damaged {
                path: Kind::Log.path(&self.dir, segment.name()),
                position: found.position,
                from: found.head.base_offset(),
                to: found.head.last_offset() + 1,
                problem: error.to_string(),
            }),
        }
    }

    /// How far a map of the segment should reach: to where it will grow.
    fn reach(&self, segment: &Segment) -> u64 {
        let state = self.state();
        let is_active =
            state.segments.last().is_some_and(|active| active.facts.base_offset == segment.facts.base_offset);
        if is_active { state.settings.segment_bytes } else { segment.facts.log_bytes }
    }

    /// A reader who took all that there is will be back for the next offset, and find it here.
    fn remember_end(&self, segment: &Segment, open: &OpenSegment, end: u64) {
        if end == segment.facts.log_bytes
            && let Some(next) = self.offset_after(segment)
        {
            open.remember(next, end);
        }
    }

    /// The log end as of when `segment` was looked at, if it was the last one.
    fn offset_after(&self, segment: &Segment) -> Option<i64> {
        let state = self.state();
        let active = state.segments.last()?;
        let is_current =
            active.facts.base_offset == segment.facts.base_offset && active.facts.log_bytes == segment.facts.log_bytes;
        is_current.then(|| self.log_end.load(Ordering::Acquire))
    }
}

impl ScanError {
    fn from_map(error: io::Error, position: u64) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                ScanError::Damaged { position, problem: "the file is shorter than it was".into() }
            }
            _ => ScanError::Io(error),
        }
    }
}
