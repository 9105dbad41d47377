//! Looking up offsets by time (ListOffsets).

use std::sync::Arc;

use record::{BatchHead, BatchView, MAX_DECOMPRESSED_BATCH_BYTES, TimestampOffset, first_at_or_after};

use crate::file_cache::OpenSegment;
use crate::index::{TimeEntry, last_where};
use crate::partition_log::Shared;
use crate::scan::{Found, ScanError};
use crate::segment::{Kind, Segment};
use crate::{LogError, PartitionLog};

impl PartitionLog {
    /// The first record, not below the log start, whose timestamp is at or after `timestamp`. Reads with `pread`.
    pub fn offset_for_timestamp(&self, timestamp: i64) -> Result<Option<TimestampOffset>, LogError> {
        for segment in self.shared.prepared_segments()? {
            if segment.facts.max_timestamp < timestamp {
                continue;
            }
            match self.shared.first_at_or_after(&segment, timestamp, self.log_start()) {
                Ok(None) => {}
                // Another look, at what has taken its place.
                Err(_) if self.shared.is_gone(segment.name()) => return self.offset_for_timestamp(timestamp),
                found => return found,
            }
        }
        Ok(None)
    }

    /// The greatest timestamp in the log and the first record that has it (KIP-734).
    pub fn max_timestamp(&self) -> Result<Option<TimestampOffset>, LogError> {
        let segments = self.shared.prepared_segments()?;
        let newest = segments.iter().rev().max_by_key(|segment| segment.facts.max_timestamp);
        let Some(segment) = newest.filter(|segment| segment.facts.max_timestamp >= 0) else { return Ok(None) };
        match self.shared.newest_in(segment) {
            // It was not the newest that is left. Another look, at fewer segments.
            Err(_) if self.shared.is_gone(segment.name()) => self.max_timestamp(),
            newest => newest,
        }
    }
}

impl Shared {
    fn prepared_segments(&self) -> Result<Vec<Segment>, LogError> {
        if self.state().segments.is_empty() {
            return Ok(Vec::new());
        }
        self.prepare_once()?;
        Ok(self.state().segments.clone())
    }

    fn newest_in(&self, segment: &Segment) -> Result<Option<TimestampOffset>, LogError> {
        let open = self.open(segment)?;
        let facts = &segment.facts;
        match self.find(segment, &open, facts.max_timestamp_offset)? {
            Some(found) => self.first_in_batch(segment, &open, &found, 0, facts.max_timestamp),
            None => Ok(None),
        }
    }

    fn first_at_or_after(
        &self,
        segment: &Segment,
        timestamp: i64,
        log_start: i64,
    ) -> Result<Option<TimestampOffset>, LogError> {
        let segment = &self.with_indexes(segment).unwrap_or_else(|_| segment.clone());
        let open = self.open(segment)?;
        let from = self.offset_before(segment, &open, timestamp)?.unwrap_or(segment.facts.base_offset).max(log_start);
        let Some(first) = self.find(segment, &open, from)? else { return Ok(None) };
        let mut scan = self.scan(segment, &*open.log);
        let mut position = first.position;
        while let Some(found) = scan.at(position).map_err(|error| self.unreadable(segment, error, from))? {
            if found.head.max_timestamp() >= timestamp {
                let record = self.first_in_batch(segment, &open, &found, log_start, timestamp)?;
                if record.is_some() {
                    return Ok(record);
                }
            }
            position = found.end();
        }
        Ok(None)
    }

    /// An offset before which no record is as new as `timestamp`, if the index knows one. Its entry counts only if the
    /// batch that it names has the timestamp that it says.
    fn offset_before(
        &self,
        segment: &Segment,
        open: &Arc<OpenSegment>,
        timestamp: i64,
    ) -> Result<Option<i64>, LogError> {
        let facts = &segment.facts;
        if facts.time_index_bytes == 0 || segment.needs_indexes {
            return Ok(None);
        }
        let file = open.file(Kind::TimeIndex, &**self.files.disk())?;
        let entry = last_where(&**file, facts.time_index_bytes, |entry: &TimeEntry| entry.timestamp <= timestamp)
            .map_err(self.io_error(Kind::TimeIndex, facts.name()))?;
        let Some((_, entry)) = entry else { return Ok(None) };
        let offset = facts.base_offset + i64::from(entry.relative_offset);
        let named = self.find(segment, open, offset).unwrap_or(None).map(|found| found.head);
        let is_so = |head: BatchHead| head.last_offset() == offset && head.max_timestamp() == entry.timestamp;
        Ok(named.is_some_and(is_so).then_some(offset))
    }

    fn first_in_batch(
        &self,
        segment: &Segment,
        open: &Arc<OpenSegment>,
        found: &Found,
        offset: i64,
        timestamp: i64,
    ) -> Result<Option<TimestampOffset>, LogError> {
        let bytes = self.checked_batch(segment, open, found)?;
        let damaged = |error: record::BatchError| {
            let error = ScanError::Damaged { position: found.position, problem: error.to_string().into() };
            self.unreadable(segment, error, found.head.base_offset())
        };
        let batch = BatchView::new(&bytes).map_err(damaged)?;
        first_at_or_after(&batch, offset, timestamp, MAX_DECOMPRESSED_BATCH_BYTES).map_err(damaged)
    }
}
