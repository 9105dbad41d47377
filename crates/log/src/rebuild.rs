//! Making a segment's indexes anew from its batches.

use std::io::IoSlice;
use std::sync::MutexGuard;

use disk::File;
use record::BatchView;

use crate::index::{OFFSET_ENTRY_BYTES, OffsetEntry, TIME_ENTRY_BYTES};
use crate::partition_log::Shared;
use crate::scan::{Found, Scan, ScanError};
use crate::segment::{Kind, Name, Segment, SegmentFacts};
use crate::{LogError, LogSettings};

impl Shared {
    /// The segment, its indexes rebuilt if they are known to be bad.
    pub(crate) fn with_indexes(&self, segment: &Segment) -> Result<Segment, LogError> {
        if !segment.needs_indexes {
            return Ok(segment.clone());
        }
        self.rebuild_indexes(&self.hands(), segment.name())
    }

    /// Notes that an index of this segment led astray.
    pub(crate) fn suspect_indexes(&self, name: Name) {
        let mut state = self.state();
        if let Some(place) = state.place_of(name) {
            state.segments[place].needs_indexes = true;
        }
    }

    /// Reads the whole segment and writes both indexes anew. Batches that fail their checksum get no entry; those after
    /// a header that makes no sense are looked for, and the first of them gets one.
    pub(crate) fn rebuild_indexes(&self, _hands: &MutexGuard<'_, ()>, name: Name) -> Result<Segment, LogError> {
        let (segment, is_active, settings) = {
            let state = self.state();
            let place = state.place_of(name).ok_or(gone(name))?;
            (state.segments[place].clone(), place + 1 == state.segments.len(), state.settings.clone())
        };
        if !segment.needs_indexes {
            return Ok(segment);
        }
        let open = self.open(&segment)?;
        tracing::warn!(segment = %Kind::Log.path(&self.dir, name).display(), "rebuilding the indexes of a segment");
        let indexes = Indexes::of(self.scan(&segment, &*open.log), &*open.log, &segment.facts, &settings, is_active);
        for (kind, bytes) in [(Kind::OffsetIndex, &indexes.offsets), (Kind::TimeIndex, &indexes.times)] {
            let path = kind.path(&self.dir, name);
            let file = open.file(kind, &**self.files.disk())?;
            file.set_len(0).map_err(LogError::io(&path))?;
            file.write_all_at(&[IoSlice::new(bytes)], 0).map_err(LogError::io(&path))?;
        }
        self.install(name, &indexes)
    }

    fn install(&self, name: Name, indexes: &Indexes) -> Result<Segment, LogError> {
        let mut state = self.state();
        let state = &mut *state;
        state.changed = true;
        state.new_names = true; // of an index that was missing
        let place = state.place_of(name).ok_or(gone(name))?;
        let segment = &mut state.segments[place];
        segment.facts = indexes.facts;
        segment.needs_indexes = false;
        segment.dirty[Kind::OffsetIndex as usize] = true;
        segment.dirty[Kind::TimeIndex as usize] = true;
        Ok(segment.clone())
    }
}

/// The log start has passed it, or a compaction has replaced it.
fn gone(Name { base_offset, .. }: Name) -> LogError {
    LogError::OffsetOutOfRange { offset: base_offset, start: base_offset, end: base_offset }
}

/// Two indexes in memory, and the facts of the segment with them.
pub(crate) struct Indexes {
    pub(crate) offsets: Vec<u8>,
    pub(crate) times: Vec<u8>,
    pub(crate) facts: SegmentFacts,
    /// The next batch can be found by the index only.
    after_damage: bool,
}

impl Indexes {
    /// Empty ones, of a segment about which everything else is known.
    pub(crate) fn new(mut facts: SegmentFacts) -> Self {
        facts.indexed_position = 0;
        facts.indexed_timestamp = record::NONE;
        facts.max_timestamp = record::NONE;
        Indexes { offsets: Vec::new(), times: Vec::new(), facts, after_damage: false }
    }

    fn of(mut scan: Scan<'_>, log: &dyn File, facts: &SegmentFacts, settings: &LogSettings, is_active: bool) -> Self {
        let mut indexes = Indexes::new(*facts);
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
        indexes.finish(!is_active);
        indexes
    }

    /// Ends them; with a last entry for the time, if the segment is closed.
    pub(crate) fn finish(&mut self, is_closed: bool) {
        if is_closed && self.facts.max_timestamp > self.facts.indexed_timestamp {
            self.add_time();
        }
        self.facts.index_bytes = self.offsets.len() as u64;
        self.facts.time_index_bytes = self.times.len() as u64;
    }

    /// Adds entries for the batch that follows, where they are due.
    pub(crate) fn add(&mut self, found: &Found, settings: &LogSettings) {
        let facts = &mut self.facts;
        // A batch that compaction emptied has no record that would have the timestamp.
        if found.head.count() > 0 && found.head.max_timestamp() > facts.max_timestamp {
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
