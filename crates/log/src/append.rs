//! Appending a batch.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use disk::Open;
use record::{BatchHead, HEADER_BYTES};

use crate::file_cache::OpenSegment;
use crate::index::{OFFSET_ENTRY_BYTES, OffsetEntry, TIME_ENTRY_BYTES, TimeEntry};
use crate::partition_log::{Shared, State};
use crate::scan::ScanError;
use crate::segment::{IncomingBatch, Kind, Name, Segment, SegmentFacts};
use crate::{LogError, LogSettings, PartitionLog};

/// Written bytes are handed to the disk in steps of this size, so that a checkpoint finds little left to sync.
const WRITE_BACK_BYTES: u64 = 4 * 1024 * 1024;

impl PartitionLog {
    /// Appends one batch, its header as patched by the caller: base offset, leader epoch, and a greatest timestamp that
    /// is that of its records. `now_ms` is the shard's clock, from the entry.
    ///
    /// Whether it goes to a new segment depends on settings and earlier batches only, so replicas have the same files.
    /// After an error nothing was appended, and the same batch may be tried again.
    pub fn append(&self, head: &BatchHead, body: &[u8], now_ms: i64) -> Result<(), LogError> {
        let shared = &*self.shared;
        let hands = shared.hands();
        shared.prepare(&hands)?;
        self.check_follows(head)?;
        let batch = IncomingBatch {
            size_bytes: (HEADER_BYTES + body.len()) as u64,
            last_offset: head.last_offset(),
            max_timestamp: head.max_timestamp(),
            now_ms,
        };
        let (mut segment, settings) = shared.segment_for(head.base_offset(), &batch)?;
        if segment.needs_indexes {
            segment = shared.rebuild_indexes(&hands, segment.name())?;
        }
        let open = shared.open(&segment)?;
        let position = segment.facts.log_bytes;
        let parts = [IoSlice::new(head.as_bytes()), IoSlice::new(body)];
        open.log.write_all_at(&parts, position).map_err(shared.io_error(Kind::Log, segment.name()))?;
        let mut facts = segment.facts;
        facts.note(&batch);
        shared.index(&open, &mut facts, &batch, position, &settings)?;
        shared.publish(facts, head);
        pace_write_back(&open, position, facts.log_bytes);
        Ok(())
    }

    fn check_follows(&self, head: &BatchHead) -> Result<(), LogError> {
        let (base, last, end) = (head.base_offset(), head.last_offset(), self.log_end());
        if base >= end && last >= base {
            return Ok(());
        }
        Err(LogError::NotAtEnd { dir: self.dir().to_owned(), base, last, end })
    }
}

impl Shared {
    /// The segment that the batch goes to, after a roll if it is time for one.
    fn segment_for(&self, base_offset: i64, batch: &IncomingBatch) -> Result<(Segment, LogSettings), LogError> {
        let (active, settings) = {
            let state = self.state();
            (state.segments.last().cloned(), state.settings.clone())
        };
        match active {
            Some(active) => {
                let roll_after_ms = settings.roll_after_ms(&self.dir, active.facts.base_offset);
                if !active.facts.must_roll_for(batch, &settings, roll_after_ms) {
                    return Ok((active, settings));
                }
                self.close(active)?;
            }
            None => self.make_dir()?,
        }
        let segment = Segment::new(SegmentFacts::new(base_offset, batch.now_ms));
        let mut state = self.state();
        state.segments.push(segment.clone());
        state.changed = true;
        Ok((segment, settings))
    }

    /// Ends a segment: its time index gets a last entry, so that it says how new the segment is.
    fn close(&self, mut segment: Segment) -> Result<(), LogError> {
        if segment.facts.max_timestamp > segment.facts.indexed_timestamp {
            let open = match self.open(&segment) {
                // Its file is gone. That is told to those who read it; appends go on in a new one.
                Err(LogError::Damaged { .. }) => return Ok(()),
                other => other?,
            };
            self.append_time_entry(&open, &mut segment.facts)?;
            self.state().replace_active(segment.facts);
        }
        Ok(())
    }

    pub(crate) fn make_dir(&self) -> Result<(), LogError> {
        if self.state().has_dir {
            return Ok(());
        }
        self.files.disk().create_dir_all(&self.dir).map_err(LogError::io(&self.dir))?;
        let mut state = self.state();
        state.has_dir = true;
        state.new_dir = true;
        Ok(())
    }

    /// Adds index entries for the batch at `position` where one is due. As `LogSegment.append` of Kafka.
    fn index(
        &self,
        open: &OpenSegment,
        facts: &mut SegmentFacts,
        batch: &IncomingBatch,
        position: u64,
        settings: &LogSettings,
    ) -> Result<(), LogError> {
        let is_due = position.saturating_sub(facts.indexed_position) > settings.index_interval_bytes;
        if !is_due || !facts.has_room_in_indexes(settings) {
            return Ok(());
        }
        let entry =
            OffsetEntry { relative_offset: (batch.last_offset - facts.base_offset) as u32, position: position as u32 };
        let file = open.file(Kind::OffsetIndex, &**self.files.disk())?;
        file.write_all_at(&[IoSlice::new(&entry.encode())], facts.index_bytes)
            .map_err(self.io_error(Kind::OffsetIndex, facts.name()))?;
        facts.index_bytes += OFFSET_ENTRY_BYTES;
        facts.indexed_position = position;
        if facts.max_timestamp > facts.indexed_timestamp {
            self.append_time_entry(open, facts)?;
        }
        Ok(())
    }

    fn append_time_entry(&self, open: &OpenSegment, facts: &mut SegmentFacts) -> Result<(), LogError> {
        let entry = facts.time_entry();
        let file = open.file(Kind::TimeIndex, &**self.files.disk())?;
        file.write_all_at(&[IoSlice::new(&entry.encode())], facts.time_index_bytes)
            .map_err(self.io_error(Kind::TimeIndex, facts.name()))?;
        facts.time_index_bytes += TIME_ENTRY_BYTES;
        facts.indexed_timestamp = facts.max_timestamp;
        Ok(())
    }

    /// Makes the batch visible to readers.
    fn publish(&self, facts: SegmentFacts, head: &BatchHead) {
        let mut state = self.state();
        let appended = state.replace_active(facts);
        self.size_bytes.fetch_add(appended, Ordering::Relaxed);
        state.epochs.assign(head.leader_epoch(), head.base_offset());
        self.log_end.store(head.last_offset() + 1, Ordering::Release);
        self.warmth.appended(appended, head.last_offset() + 1);
    }

    pub(crate) fn io_error(&self, kind: Kind, name: Name) -> impl FnOnce(io::Error) -> LogError {
        move |source| LogError::Io { path: kind.path(&self.dir, name), source }
    }

    /// The files of a segment, if they are open.
    pub(crate) fn if_open(&self, name: Name) -> Option<Arc<OpenSegment>> {
        let state = self.state();
        let place = state.place_of(name)?;
        state.segments[place].open.upgrade()
    }

    /// The files of a segment, open.
    pub(crate) fn open(&self, segment: &Segment) -> Result<Arc<OpenSegment>, LogError> {
        if let Some(open) = segment.open.upgrade() {
            open.touch();
            return Ok(open);
        }
        let how = if segment.facts.log_bytes == 0 { Open::Create } else { Open::Write };
        let open = match self.files.open(&self.dir, segment.name(), how) {
            Err(LogError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                let missing = ScanError::Damaged { position: 0, problem: "the file is missing".into() };
                return Err(self.unreadable(segment, missing, segment.facts.base_offset));
            }
            other => other?,
        };
        let mut state = self.state();
        if let Some(place) = state.place_of(segment.name()) {
            state.segments[place].open = Arc::downgrade(&open);
        }
        Ok(open)
    }
}

impl State {
    /// Says what the active segment has become, and returns by how many bytes of batches it grew.
    fn replace_active(&mut self, facts: SegmentFacts) -> u64 {
        let Some(active) = self.segments.last_mut() else { return 0 };
        let before = std::mem::replace(&mut active.facts, facts);
        for kind in Kind::ALL {
            let grew = facts.bytes_of(kind) > before.bytes_of(kind);
            active.dirty[kind as usize] |= grew;
            // The first write to a file made it.
            self.new_names |= grew && before.bytes_of(kind) == 0;
        }
        self.changed = true;
        facts.log_bytes - before.log_bytes
    }
}

impl SegmentFacts {
    /// Takes a batch at its end into account.
    pub(crate) fn note(&mut self, batch: &IncomingBatch) {
        if self.log_bytes == 0 {
            self.first_timestamp = batch.max_timestamp;
        }
        self.log_bytes += batch.size_bytes;
        self.appended_ms = batch.now_ms;
        if batch.max_timestamp > self.max_timestamp {
            self.max_timestamp = batch.max_timestamp;
            self.max_timestamp_offset = batch.last_offset;
        }
    }

    pub(crate) fn time_entry(&self) -> TimeEntry {
        TimeEntry {
            timestamp: self.max_timestamp,
            relative_offset: (self.max_timestamp_offset - self.base_offset) as u32,
        }
    }
}

fn pace_write_back(open: &OpenSegment, before: u64, after: u64) {
    let step = |position: u64| position / WRITE_BACK_BYTES * WRITE_BACK_BYTES;
    if step(before) < step(after) {
        open.log.start_write_back(step(before), step(after) - step(before));
    }
}
