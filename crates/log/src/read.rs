//! Reading batches.

use std::sync::Arc;

use bytes::Bytes;
use record::BatchView;

use crate::file_cache::OpenSegment;
use crate::index::{OFFSET_ENTRY_BYTES, OffsetEntry, entry_at, last_where};
use crate::partition_log::Shared;
use crate::scan::{Found, Scan, ScanError};
use crate::segment::{Kind, Segment};
use crate::{LogError, PartitionLog};

/// Index entries that are tried one after the other where some are wrong.
const ENTRIES_TRIED: usize = 16;

impl PartitionLog {
    /// Whole batches from the one that contains `from` (or, in a gap, the next one), at most `max_bytes` of them; the
    /// first in any case if `min_one_batch` (KIP-74). The first batch may begin before `from`: consumers skip.
    ///
    /// The bytes are slices of mapped segments, one for each segment, and for sockets only. Nothing is copied or
    /// checked. At the log end there is nothing; beyond it, and below the log start, is an error.
    pub fn read(&self, from: i64, max_bytes: usize, min_one_batch: bool) -> Result<Vec<Bytes>, LogError> {
        let mut chunks: Vec<Bytes> = Vec::new();
        let mut left = max_bytes as u64;
        for segment in self.segments_from(from, left)? {
            let take = Take { from, max_bytes: left, min_one_batch: min_one_batch && chunks.is_empty() };
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
                Err(error) => return Err(self.unless_dropped(from, error)),
            }
        }
        Ok(chunks)
    }

    /// As [`read`](Self::read), into memory and with every batch checked against its CRC: for whoever reads the batches
    /// itself, or sends them on as good. What precedes a damaged batch is given; a read that starts with one fails.
    /// Ends with a segment.
    pub fn read_checked(&self, from: i64, max_bytes: usize, min_one_batch: bool) -> Result<Vec<Bytes>, LogError> {
        let take = Take { from, max_bytes: max_bytes as u64, min_one_batch };
        for segment in self.segments_from(from, 0)? {
            let batches = self.shared.read_batches(&segment, &take);
            if let Some(batches) = batches.map_err(|error| self.unless_dropped(from, error))? {
                return Ok(batches);
            }
        }
        Ok(Vec::new())
    }

    /// The segments, as they are at one moment, that a read of `max_bytes` from `offset` on may touch.
    fn segments_from(&self, offset: i64, max_bytes: u64) -> Result<Vec<Segment>, LogError> {
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
}

/// Batches of one segment, and whether they are all up to its end.
struct Taken {
    bytes: Bytes,
    to_end: bool,
}

impl Shared {
    /// Where the segment after this one starts.
    pub(crate) fn segment_after(&self, base_offset: i64) -> Option<i64> {
        let state = self.state();
        let after = state.segments.partition_point(|segment| segment.facts.base_offset <= base_offset);
        state.segments.get(after).map(|segment| segment.facts.base_offset)
    }

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
        let bytes = open
            .slice(start..end, self.reach(segment))
            .map_err(|error| self.unreadable(segment, ScanError::from_map(error, start), take.from))?;
        self.remember_end(segment, &open, end);
        Ok(Taken { bytes, to_end: end == log_bytes })
    }

    /// Batches of one segment, each checked; none if it ends before `take.from`.
    fn read_batches(&self, segment: &Segment, take: &Take) -> Result<Option<Vec<Bytes>>, LogError> {
        if segment.facts.log_bytes == 0 {
            return Ok(None);
        }
        let open = self.open(segment)?;
        let Some(mut position) = self.position_of(segment, &open, take.from)? else { return Ok(None) };
        let mut scan = Scan::new(&*open.log, &segment.facts);
        let mut batches: Vec<Bytes> = Vec::new();
        let mut left = take.max_bytes;
        let checked = loop {
            let found = match scan.at(position) {
                Ok(Some(found)) => found,
                Ok(None) => break Ok(()),
                Err(error) => break Err(self.unreadable(segment, error, take.from)),
            };
            let size = found.head.size_bytes() as u64;
            if size > left && !(batches.is_empty() && take.min_one_batch) {
                break Ok(());
            }
            match self.checked_batch(segment, &open, &found) {
                Ok(batch) => batches.push(batch),
                Err(error) => break Err(error),
            }
            left = left.saturating_sub(size);
            position = found.end();
        };
        match checked {
            Err(error) if batches.is_empty() => Err(error),
            _ => Ok(Some(batches)),
        }
    }

    /// A batch in memory, its checksum checked.
    pub(crate) fn checked_batch(
        &self,
        segment: &Segment,
        open: &OpenSegment,
        found: &Found,
    ) -> Result<Bytes, LogError> {
        let mut bytes = vec![0; found.head.size_bytes()];
        open.log
            .read_exact_at(&mut bytes, found.position)
            .map_err(self.io_error(Kind::Log, segment.facts.base_offset))?;
        match BatchView::new(&bytes).and_then(|batch| batch.verify_crc()) {
            Ok(()) => Ok(bytes.into()),
            // The header is in order, so the batch after it can be found.
            Err(error) => Err(LogError::Damaged {
                path: Kind::Log.path(&self.dir, segment.facts.base_offset),
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
        is_current.then(|| self.log_end.load(std::sync::atomic::Ordering::Acquire))
    }

    /// Where the first batch that ends at or after `offset` starts.
    pub(crate) fn position_of(
        &self,
        segment: &Segment,
        open: &Arc<OpenSegment>,
        offset: i64,
    ) -> Result<Option<u64>, LogError> {
        if let Some(position) = open.remembered(offset) {
            return Ok((position < segment.facts.log_bytes).then_some(position));
        }
        match self.find(segment, open, offset)? {
            Some(found) => {
                open.remember(offset, found.position);
                Ok(Some(found.position))
            }
            None => Ok(None),
        }
    }

    /// The first batch that ends at or after `offset`.
    pub(crate) fn find(
        &self,
        segment: &Segment,
        open: &Arc<OpenSegment>,
        offset: i64,
    ) -> Result<Option<Found>, LogError> {
        // Where the indexes can't be rebuilt (a full disk, say) the segment is read from its start.
        let segment = self.with_indexes(segment).unwrap_or_else(|_| segment.clone());
        let mut scan = Scan::new(&*open.log, &segment.facts);
        let (position, misled) = self.start_by_index(&segment, open, &mut scan, offset);
        let found = scan.ending_at_or_after(offset, position);
        if misled && found.is_ok() {
            // The batches are whole, so the index is at fault: the next look-up makes it anew.
            self.suspect_indexes(segment.facts.base_offset);
        }
        found.map_err(|error| self.unreadable(&segment, error, offset))
    }

    /// Where to start looking for `offset`: at the last batch that ends at or before it and that the index is right
    /// about; and whether it was wrong about some.
    fn start_by_index(&self, segment: &Segment, open: &OpenSegment, scan: &mut Scan<'_>, offset: i64) -> (u64, bool) {
        let mut below = offset - segment.facts.base_offset + 1;
        for tries in 0..ENTRIES_TRIED {
            let misled = tries > 0;
            match self.last_entry(segment, open, |entry| i64::from(entry.relative_offset) < below) {
                Ok(None) => return (0, misled),
                Ok(Some((_, entry))) => match confirm(scan, segment, entry) {
                    Ok(position) => return (position, misled),
                    Err(_) => below = i64::from(entry.relative_offset),
                },
                Err(_) => return (0, true),
            }
        }
        (0, true)
    }

    /// The greatest end of a batch up to `limit`, for a batch that starts at `start`.
    fn end_up_to(&self, segment: &Segment, open: &Arc<OpenSegment>, start: u64, limit: u64) -> Result<u64, LogError> {
        let mut scan = Scan::new(&*open.log, &segment.facts);
        let entry = self.last_entry(segment, open, |entry| u64::from(entry.position) <= limit).unwrap_or(None);
        let from = entry
            .filter(|(_, entry)| u64::from(entry.position) > start)
            .and_then(|(_, entry)| confirm(&mut scan, segment, entry).ok())
            .unwrap_or(start);
        match scan.ending_after(limit, from) {
            Ok(None) => Ok(segment.facts.log_bytes),
            Ok(Some(next)) => {
                // Where a reader goes on who takes what is given.
                open.remember(next.head.base_offset(), next.position);
                Ok(next.position)
            }
            // Up to the damage all is good.
            Err(ScanError::Damaged { position, .. }) if position > start => Ok(position),
            Err(error) => Err(self.unreadable(segment, error, segment.facts.base_offset)),
        }
    }

    pub(crate) fn batch_at(
        &self,
        segment: &Segment,
        open: &Arc<OpenSegment>,
        position: u64,
    ) -> Result<Option<Found>, LogError> {
        let found = Scan::new(&*open.log, &segment.facts).at(position);
        found.map_err(|error| self.unreadable(segment, error, segment.facts.base_offset))
    }

    fn last_entry(
        &self,
        segment: &Segment,
        open: &OpenSegment,
        holds: impl Fn(&OffsetEntry) -> bool,
    ) -> Result<Option<(u64, OffsetEntry)>, LogError> {
        if segment.facts.index_bytes == 0 || segment.needs_indexes {
            return Ok(None);
        }
        let file = open.file(Kind::OffsetIndex, &**self.files.disk())?;
        last_where(&**file, segment.facts.index_bytes, holds)
            .map_err(self.io_error(Kind::OffsetIndex, segment.facts.base_offset))
    }

    /// Names damage: the offsets from the one asked for to the next that can be found by the index.
    pub(crate) fn unreadable(&self, segment: &Segment, error: ScanError, from: i64) -> LogError {
        let path = Kind::Log.path(&self.dir, segment.facts.base_offset);
        match error {
            ScanError::Io(source) => LogError::Io { path, source },
            ScanError::Damaged { position, problem } => {
                let to = self.next_readable(segment, position).max(from);
                LogError::Damaged { path, position, from, to, problem }
            }
        }
    }

    /// The first offset after `position` that the index leads to, or else the segment's end.
    fn next_readable(&self, segment: &Segment, position: u64) -> i64 {
        let segment_end = self
            .segment_after(segment.facts.base_offset)
            .unwrap_or_else(|| self.log_end.load(std::sync::atomic::Ordering::Acquire));
        self.next_by_index(segment, position).unwrap_or(segment_end)
    }

    fn next_by_index(&self, segment: &Segment, position: u64) -> Option<i64> {
        let open = self.if_open(segment.facts.base_offset)?;
        let file = open.file(Kind::OffsetIndex, &**self.files.disk()).ok()?;
        let before = self.last_entry(segment, &open, |entry| u64::from(entry.position) <= position).ok()?;
        let first = before.map_or(0, |(place, _)| place + 1);
        let mut scan = Scan::new(&*open.log, &segment.facts);
        (first..segment.facts.index_bytes / OFFSET_ENTRY_BYTES).take(ENTRIES_TRIED).find_map(|place| {
            let entry: OffsetEntry = entry_at(&**file, place).ok()?;
            confirm(&mut scan, segment, entry).ok()?;
            Some(scan.at(u64::from(entry.position)).ok()??.head.base_offset())
        })
    }
}

/// Whether a batch stands where the index says, and ends as the index says.
fn confirm(scan: &mut Scan<'_>, segment: &Segment, entry: OffsetEntry) -> Result<u64, ScanError> {
    let position = u64::from(entry.position);
    let last_offset = segment.facts.base_offset + i64::from(entry.relative_offset);
    match scan.at(position)? {
        Some(found) if found.head.last_offset() == last_offset => Ok(position),
        _ => Err(ScanError::Damaged { position, problem: "not the batch that the index names".to_owned() }),
    }
}

impl ScanError {
    fn from_map(error: std::io::Error, position: u64) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                ScanError::Damaged { position, problem: "the file is shorter than it was".to_owned() }
            }
            _ => ScanError::Io(error),
        }
    }
}
