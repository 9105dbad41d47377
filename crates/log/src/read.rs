//! Reading batches.

use std::sync::Arc;

use bytes::Bytes;

use crate::file_cache::OpenSegment;
use crate::index::{OffsetEntry, last_where};
use crate::partition_log::Shared;
use crate::scan::{Found, Scan, ScanError};
use crate::segment::{Kind, Segment};
use crate::{LogError, PartitionLog};

impl PartitionLog {
    /// Whole batches from the one that contains `from` (or, in a gap, the next one), at most `max_bytes` of them; the
    /// first in any case if `min_one_batch` (KIP-74). The first batch may begin before `from`: consumers skip.
    ///
    /// The bytes are slices of mapped segments, one for each segment, and for sockets only. Nothing is copied or
    /// checked. At the log end there is nothing; beyond it, and below the log start, is an error.
    pub fn read(&self, from: i64, max_bytes: usize, min_one_batch: bool) -> Result<Vec<Bytes>, LogError> {
        let (start, end) = (self.log_start(), self.log_end());
        if from < start || from > end {
            return Err(LogError::OffsetOutOfRange { offset: from, start, end });
        }
        let mut chunks: Vec<Bytes> = Vec::new();
        let mut left = max_bytes as u64;
        let mut from = from;
        while let Some(segment) = self.shared.segment_holding(from)? {
            let take = Take { from, max_bytes: left, min_one_batch: min_one_batch && chunks.is_empty() };
            match self.shared.read_segment(&segment, &take) {
                Ok(Some(bytes)) => {
                    left = left.saturating_sub(bytes.len() as u64);
                    chunks.push(bytes);
                }
                Ok(None) => {}
                // What lies before the damage is good; who asks for what comes next will learn of it.
                Err(LogError::Damaged { .. } | LogError::Io { .. }) if !chunks.is_empty() => break,
                Err(error) => return Err(error),
            }
            match self.shared.segment_after(segment.facts.base_offset) {
                Some(next) if left > 0 => from = next,
                _ => break,
            }
        }
        chunks.retain(|bytes| !bytes.is_empty());
        Ok(chunks)
    }
}

struct Take {
    from: i64,
    max_bytes: u64,
    min_one_batch: bool,
}

impl Shared {
    /// The last segment that starts at or before `offset`, or the first one. None if the log is empty.
    pub(crate) fn segment_holding(&self, offset: i64) -> Result<Option<Segment>, LogError> {
        if self.state().segments.is_empty() {
            return Ok(None);
        }
        self.prepare_once()?;
        let state = self.state();
        let after = state.segments.partition_point(|segment| segment.facts.base_offset <= offset);
        Ok(state.segments.get(after.saturating_sub(1)).cloned())
    }

    /// Where the segment after this one starts.
    pub(crate) fn segment_after(&self, base_offset: i64) -> Option<i64> {
        let state = self.state();
        let after = state.segments.partition_point(|segment| segment.facts.base_offset <= base_offset);
        state.segments.get(after).map(|segment| segment.facts.base_offset)
    }

    /// Slices of one segment; none if it ends before `take.from`. Empty if not even a batch fits.
    fn read_segment(&self, segment: &Segment, take: &Take) -> Result<Option<Bytes>, LogError> {
        let open = self.open(segment)?;
        let Some(start) = self.position_of(segment, &open, take.from)? else { return Ok(None) };
        let log_bytes = segment.facts.log_bytes;
        let limit = start.saturating_add(take.max_bytes);
        let end = if limit >= log_bytes { log_bytes } else { self.end_up_to(segment, &open, start, limit)? };
        let end = match end {
            _ if end > start || !take.min_one_batch => end,
            _ => self.batch_at(segment, &open, start)?.map_or(start, |found| found.end()),
        };
        let reach = if self.segment_after(segment.facts.base_offset).is_some() {
            log_bytes
        } else {
            self.state().settings.segment_bytes
        };
        let bytes = open
            .slice(start..end, reach)
            .map_err(|error| self.unreadable(segment, ScanError::from_map(error, start), take.from))?;
        self.remember_end(segment, &open, end);
        Ok(Some(bytes))
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
        let relative = offset - segment.facts.base_offset;
        let hint = self.last_entry(&segment, open, |entry| i64::from(entry.relative_offset) <= relative);
        let from = match hint {
            Ok(entry) => entry.map_or(Ok(0), |entry| confirm(&mut scan, &segment, entry)),
            Err(LogError::Io { .. }) => Err(ScanError::Damaged { position: 0, problem: String::new() }),
            Err(other) => return Err(other),
        };
        let result = match from {
            Ok(position) => scan.ending_at_or_after(offset, position),
            // The index, or the batch that it points to, is damaged. A whole segment shows which.
            Err(_) => self.find_without_index(&segment, &mut scan, offset),
        };
        result.map_err(|error| self.unreadable(&segment, error, offset))
    }

    /// Hops through the segment from its start. If that works, the index was at fault: the next look-up rebuilds it.
    fn find_without_index(
        &self,
        segment: &Segment,
        scan: &mut Scan<'_>,
        offset: i64,
    ) -> Result<Option<Found>, ScanError> {
        let found = scan.ending_at_or_after(offset, 0)?;
        self.suspect_indexes(segment.facts.base_offset);
        Ok(found)
    }

    /// The greatest end of a batch up to `limit`, for a batch that starts at `start`.
    fn end_up_to(&self, segment: &Segment, open: &Arc<OpenSegment>, start: u64, limit: u64) -> Result<u64, LogError> {
        let mut scan = Scan::new(&*open.log, &segment.facts);
        let entry = self.last_entry(segment, open, |entry| u64::from(entry.position) <= limit).unwrap_or(None);
        let from = entry
            .filter(|entry| u64::from(entry.position) > start)
            .and_then(|entry| confirm(&mut scan, segment, entry).ok())
            .unwrap_or(start);
        match scan.last_end_up_to(limit, from) {
            Ok(end) => Ok(end),
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
    ) -> Result<Option<OffsetEntry>, LogError> {
        if segment.facts.index_bytes == 0 || segment.needs_indexes {
            return Ok(None);
        }
        let file = open.file(Kind::OffsetIndex, &**self.files.disk())?;
        last_where(&**file, segment.facts.index_bytes, holds)
            .map_err(LogError::io(&Kind::OffsetIndex.path(&self.dir, segment.facts.base_offset)))
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
        let Ok(open) = self.open(segment) else { return segment_end };
        let mut scan = Scan::new(&*open.log, &segment.facts);
        let mut before = segment.facts.log_bytes;
        let mut next = segment_end;
        // From the end of the index backwards: damage is rare, and this is its only cost.
        while let Ok(Some(entry)) = self.last_entry(segment, &open, |entry| u64::from(entry.position) < before) {
            let at = u64::from(entry.position);
            if at <= position || at >= before {
                break;
            }
            if let Ok(Some(found)) = scan.at(at) {
                next = found.head.base_offset();
            }
            before = at;
        }
        next
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
