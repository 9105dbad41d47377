//! Finding batches in a segment: by the index, by what readers left behind, and by hopping from batch to batch.
//!
//! The index is never believed: an entry counts only if the batch that it names stands there.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use disk::File;

use crate::LogError;
use crate::file_cache::OpenSegment;
use crate::index::{OFFSET_ENTRY_BYTES, OffsetEntry, entry_at, last_where};
use crate::partition_log::Shared;
use crate::scan::{Found, Scan, ScanError};
use crate::segment::{Kind, Segment};

/// Index entries that are tried one after the other where some are wrong.
const ENTRIES_TRIED: usize = 16;

impl Shared {
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

    /// To hop through a segment with.
    pub(crate) fn scan<'a>(&self, segment: &Segment, file: &'a dyn File) -> Scan<'a> {
        Scan::new(file, &segment.facts, self.end_of(segment))
    }

    /// The first offset after the segment.
    pub(crate) fn end_of(&self, segment: &Segment) -> i64 {
        let after = self.segment_after(segment.facts.base_offset);
        after.unwrap_or_else(|| self.log_end.load(Ordering::Acquire))
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
        let mut scan = self.scan(&segment, &*open.log);
        let (position, misled) = self.start_by_index(&segment, open, &mut scan, offset);
        let found = scan.ending_at_or_after(offset, position);
        if misled && found.is_ok() {
            // The batches are whole, so the index is at fault: the next look-up makes it anew.
            self.suspect_indexes(segment.name());
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
    pub(crate) fn end_up_to(
        &self,
        segment: &Segment,
        open: &Arc<OpenSegment>,
        start: u64,
        limit: u64,
    ) -> Result<u64, LogError> {
        let mut scan = self.scan(segment, &*open.log);
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
        let found = self.scan(segment, &*open.log).at(position);
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
        last_where(&**file, segment.facts.index_bytes, holds).map_err(self.io_error(Kind::OffsetIndex, segment.name()))
    }

    /// Names damage: the offsets from the one asked for to the next that can be found by the index.
    pub(crate) fn unreadable(&self, segment: &Segment, error: ScanError, from: i64) -> LogError {
        let path = Kind::Log.path(&self.dir, segment.name());
        match error {
            ScanError::Io(source) => LogError::Io { path, source },
            ScanError::Damaged { position, problem } => {
                let to = self.next_readable(segment, position).max(from);
                LogError::Damaged { path, position, from, to, problem: problem.into_owned() }
            }
        }
    }

    /// The first offset after `position` that the index leads to, or else the segment's end.
    fn next_readable(&self, segment: &Segment, position: u64) -> i64 {
        self.next_by_index(segment, position).unwrap_or_else(|| self.end_of(segment))
    }

    fn next_by_index(&self, segment: &Segment, position: u64) -> Option<i64> {
        let open = self.if_open(segment.name())?;
        let file = open.file(Kind::OffsetIndex, &**self.files.disk()).ok()?;
        let before = self.last_entry(segment, &open, |entry| u64::from(entry.position) <= position).ok()?;
        let first = before.map_or(0, |(place, _)| place + 1);
        let mut scan = self.scan(segment, &*open.log);
        (first..segment.facts.index_bytes / OFFSET_ENTRY_BYTES).take(ENTRIES_TRIED).find_map(|place| {
            let entry: OffsetEntry = entry_at(&**file, place).ok()?;
            confirm(&mut scan, segment, entry).ok()?;
            Some(scan.at(u64::from(entry.position)).ok()??.head.base_offset())
        })
    }

    /// Where the segment after this one starts.
    pub(crate) fn segment_after(&self, base_offset: i64) -> Option<i64> {
        let state = self.state();
        let after = state.segments.partition_point(|segment| segment.facts.base_offset <= base_offset);
        state.segments.get(after).map(|segment| segment.facts.base_offset)
    }
}

/// Whether a batch stands where the index says, and ends as the index says.
fn confirm(scan: &mut Scan<'_>, segment: &Segment, entry: OffsetEntry) -> Result<u64, ScanError> {
    let position = u64::from(entry.position);
    let last_offset = segment.facts.base_offset + i64::from(entry.relative_offset);
    match scan.at(position)? {
        // The first batch never has an entry: this one is of zeros, as a crash may leave them.
        Some(_) if position == 0 => Err(ScanError::Damaged { position, problem: "an index entry of zeros".into() }),
        Some(found) if found.head.last_offset() == last_offset => Ok(position),
        _ => Err(ScanError::Damaged { position, problem: "not the batch that the index names".into() }),
    }
}
