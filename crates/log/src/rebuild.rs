//! Making a segment's indexes anew from its batches.

use std::io::IoSlice;
use std::sync::MutexGuard;

use disk::File;
use record::BatchView;

use crate::index::{OFFSET_ENTRY_BYTES, OffsetEntry, TIME_ENTRY_BYTES};
use crate::partition_log::Shared;
use crate::scan::{Found, Scan, ScanError};
use crate::segment::{Kind, Segment, SegmentFacts};
use crate::{LogError, LogSettings};

impl Shared {
    /// The segment, its indexes rebuilt if they are known to be bad.
    pub(crate) fn with_indexes(&self, segment: &Segment) -> Result<Segment, LogError> {
        if !segment.needs_indexes {
            return Ok(segment.clone());
        }
        self.rebuild_indexes(&self.hands(), segment.facts.base_offset)
    }

    /// Notes that an index of this segment led astray.
    pub(crate) fn suspect_indexes(&self, base_offset: i64) {
        let mut state = self.state();
        if let Some(segment) = state.segments.iter_mut().find(|segment| segment.facts.base_offset == base_offset) {
            segment.needs_indexes = true;
        }
    }

    /// Reads the whole segment and writes both indexes anew. Batches that fail their checksum get no entry; those after
    /// a header that makes no sense are looked for, and the first of them gets one.
    pub(crate) fn rebuild_indexes(&self, _hands: &MutexGuard<'_, ()>, base_offset: i64) -> Result<Segment, LogError> {
        let (segment, is_active, settings) = {
            let state = self.state();
            let place = state.segments.binary_search_by_key(&base_offset, |segment| segment.facts.base_offset);
            let Ok(place) = place else {
                let (start, end) = (base_offset, base_offset);
                return Err(LogError::OffsetOutOfRange { offset: base_offset, start, end });
            };
            (state.segments[place].clone(), place + 1 == state.segments.len(), state.settings.clone())
        };
        if !segment.needs_indexes {
            return Ok(segment);
        }
        let open = self.open(&segment)?;
        tracing::warn!(segment = %Kind::Log.path(&self.dir, base_offset).display(), "rebuilding the indexes of a segment");
        let indexes = Indexes::of(self.scan(&segment, &*open.log), &*open.log, &segment.facts, &settings, is_active);
        for (kind, bytes) in [(Kind::OffsetIndex, &indexes.offsets), (Kind::TimeIndex, &indexes.times)] {
            let path = kind.path(&self.dir, base_offset);
            let file = open.file(kind, &**self.files.disk())?;
            file.set_len(0).map_err(LogError::io(&path))?;
            file.write_all_at(&[IoSlice::new(bytes)], 0).map_err(LogError::io(&path))?;
        }
        self.install(base_offset, &indexes)
    }

    fn install(&self, base_offset: i64, indexes: &Indexes) -> Result<Segment, LogError> {
        let mut state = self.state();
        let state = &mut *state;
        state.changed = true;
        state.new_names = true; // of an index that was missing
        let (start, end) = (base_offset, base_offset);
        let segment = state
            .segments
            .iter_mut()
            .find(|segment| segment.facts.base_offset == base_offset)
            .ok_or(LogError::OffsetOutOfRange { offset: base_offset, start, end })?;
        segment.facts = indexes.facts;
        segment.needs_indexes = false;
        segment.dirty[Kind::OffsetIndex as usize] = true;
        segment.dirty[Kind::TimeIndex as usize] = true;
        Ok(segment.clone())
    }
}

/// Two indexes in memory, and the facts of the segment with them.
struct Indexes {
    offsets: Vec<u8>,
    times: Vec<u8>,
    facts: SegmentFacts,
    /// The next batch can be found by the index only.
    after_damage: bool,
}

impl Indexes {
    fn of(mut scan: Scan<'_>, log: &dyn File, facts: &SegmentFacts, settings: &LogSettings, is_active: bool) -> Self {
        let mut indexes = Indexes { offsets: Vec::new(), times: Vec::new(), facts: *facts, after_damage: false };
        indexes.facts.indexed_position = 0;
        indexes.facts.indexed_timestamp = record::NONE;
        indexes.facts.max_timestamp = record::NONE;
        let mut batch = Vec::new();
        let mut next = scan.at(0);
        loop {
            match next {
                Ok(None) => break,
                Ok(Some(found)) => {
                    match check(log, &found, &mut batch) {
                        Ok(()) => indexes.add(&found, settings),
                        Err(error) => indexes.pass_over(found.position, &error),
                    }
                    next = scan.at(found.end());
                }
                Err(error @ ScanError::Damaged { position, .. }) => {
                    indexes.pass_over(position, &error);
                    next = scan.resume_after(position, |found| check(log, found, &mut batch).is_ok());
                }
                Err(error @ ScanError::Io(_)) => {
                    tracing::warn!(segment = facts.base_offset, %error, "the rest of the segment gets no index");
                    break;
                }
            }
        }
        if indexes.facts.max_timestamp < facts.max_timestamp {
            // A damaged batch had it. What it decides (retention, rolls) must stay what it is on other replicas.
            indexes.facts.max_timestamp = facts.max_timestamp;
            indexes.facts.max_timestamp_offset = facts.max_timestamp_offset;
        }
        if !is_active && indexes.facts.max_timestamp > indexes.facts.indexed_timestamp {
            indexes.add_time();
        }
        indexes.facts.index_bytes = indexes.offsets.len() as u64;
        indexes.facts.time_index_bytes = indexes.times.len() as u64;
        indexes
    }

    fn add(&mut self, found: &Found, settings: &LogSettings) {
        let facts = &mut self.facts;
        if found.head.max_timestamp() > facts.max_timestamp {
            facts.max_timestamp = found.head.max_timestamp();
            facts.max_timestamp_offset = found.head.last_offset();
        }
        let is_due = found.position - facts.indexed_position > settings.index_interval_bytes || self.after_damage;
        let has_room = self.offsets.len() as u64 + OFFSET_ENTRY_BYTES <= settings.segment_index_bytes
            && self.times.len() as u64 + 2 * TIME_ENTRY_BYTES <= settings.segment_index_bytes;
        if !is_due || !has_room {
            return;
        }
        let relative_offset = (found.head.last_offset() - facts.base_offset) as u32;
        let entry = OffsetEntry { relative_offset, position: found.position as u32 };
        self.offsets.extend_from_slice(&entry.encode());
        self.after_damage = false;
        facts.indexed_position = found.position;
        if facts.max_timestamp > facts.indexed_timestamp {
            self.add_time();
        }
    }

    fn pass_over(&mut self, position: u64, error: &ScanError) {
        tracing::warn!(segment = self.facts.base_offset, position, %error, "a batch can't be read");
        self.after_damage = true;
    }

    fn add_time(&mut self) {
        self.times.extend_from_slice(&self.facts.time_entry().encode());
        self.facts.indexed_timestamp = self.facts.max_timestamp;
    }
}

fn check(log: &dyn File, found: &Found, buffer: &mut Vec<u8>) -> Result<(), ScanError> {
    let damaged =
        |error: record::BatchError| ScanError::Damaged { position: found.position, problem: error.to_string().into() };
    buffer.resize(found.head.size_bytes(), 0);
    log.read_exact_at(buffer, found.position).map_err(ScanError::Io)?;
    BatchView::new(buffer).and_then(|batch| batch.verify_crc()).map_err(damaged)
}
