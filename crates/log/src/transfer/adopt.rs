//! Making a log what another replica's is, out of what was fetched.

use std::io::{self, ErrorKind, IoSlice};
use std::path::Path;
use std::sync::atomic::Ordering;

use disk::{Disk, Open};

use super::stage::{Stage, file_name};
use super::{How, PIECE_BYTES, Step};
use crate::compaction::free_name;
use crate::partition_log::Shared;
use crate::segment::{Kind, Name, Segment};
use crate::{LogDescription, LogError, PartitionLog, lock};

impl PartitionLog {
    /// Makes the log the one that is described, out of what is here and what a [`Transfer`](super::Transfer) with the
    /// same tag brought into the stage, which must not be fetched into any more: its files become the log's. The next checkpoint makes it durable; a crash before that finds the log as the
    /// last one described it. The files that are not needed any more are among
    /// [`take_dropped`](Self::take_dropped) then.
    ///
    /// After an error the log is good for nothing until it is restored.
    pub fn adopt(&self, theirs: &LogDescription, stage: &Path, tag: &str) -> Result<(), LogError> {
        let shared = &*self.shared;
        let _none_compacts = lock(&shared.compacting);
        shared.prepare_once()?;
        // A checkpoint would cut what is written behind the end.
        shared.remove_leftovers();
        let _hands = shared.hands();
        let steps = shared.steps_to(theirs)?;
        if !steps.is_empty() {
            shared.make_dir()?;
        }
        let staged = Stage::open(&**shared.files.disk(), stage)?;
        let segments: Result<Vec<Segment>, LogError> =
            steps.into_iter().map(|step| shared.adopt_segment(step, &staged, tag)).collect();
        shared.replace_all(theirs, segments?);
        Ok(())
    }
}

impl Shared {
    fn adopt_segment(&self, step: Step, staged: &Stage, tag: &str) -> Result<Segment, LogError> {
        match &step.how {
            How::Keep(segment) => {
                let mut segment = segment.clone();
                segment.facts.sealed = step.theirs.sealed;
                Ok(segment)
            }
            How::Extend(segment, _) => self.extend(segment, &step, staged, tag),
            How::Whole => self.move_in(&step, staged, tag),
        }
    }

    /// Writes what is missing behind the end of a segment, where nobody reads yet.
    fn extend(&self, segment: &Segment, step: &Step, staged: &Stage, tag: &str) -> Result<Segment, LogError> {
        let (name, here) = (segment.name(), segment.facts.log_bytes);
        if step.theirs.log_bytes > here {
            let from = staged.start_of(step.theirs.name(), "", here).ok_or_else(|| self.not_fetched(name))?;
            let file = file_name(step.theirs.name(), Kind::Log, from, "");
            let path = staged.whole(&file, step.theirs.log_bytes - from).ok_or_else(|| self.not_fetched(name))?;
            self.copy(&path, here - from, &Kind::Log.path(&self.dir, name), here)?;
        }
        let mut extended = Segment { open: segment.open.clone(), ..Segment::new(step.theirs) };
        for kind in [Kind::OffsetIndex, Kind::TimeIndex] {
            match self.staged_index(step, kind, staged, tag) {
                Some(path) => self.copy(&path, 0, &kind.path(&self.dir, name), 0)?,
                None => extended.needs_indexes |= step.theirs.bytes_of(kind) > 0,
            }
        }
        extended.mark_dirty();
        Ok(extended)
    }

    /// Links a whole segment in, under a name that no file has: the durable manifest may name what is there.
    fn move_in(&self, step: &Step, staged: &Stage, tag: &str) -> Result<Segment, LogError> {
        let (disk, theirs) = (self.files.disk(), step.theirs.name());
        let mut is_taken = false;
        for path in theirs.paths(&self.dir) {
            is_taken |= disk.exists(&path).map_err(LogError::io(&path))?;
        }
        let name = if is_taken { free_name(self, theirs)? } else { theirs };
        let mut segment = Segment::new(step.theirs);
        segment.facts.digits = name.digits;
        let log = file_name(theirs, Kind::Log, 0, if step.is_pristine { "" } else { tag });
        let log = staged.whole(&log, step.theirs.log_bytes).ok_or_else(|| self.not_fetched(theirs))?;
        let moves = [Kind::OffsetIndex, Kind::TimeIndex].map(|kind| (kind, self.staged_index(step, kind, staged, tag)));
        for (kind, path) in moves.into_iter().chain([(Kind::Log, Some(log))]) {
            match path {
                Some(path) => self.link(&path, &kind.path(&self.dir, name))?,
                None => segment.needs_indexes |= step.theirs.bytes_of(kind) > 0,
            }
        }
        segment.mark_dirty();
        Ok(segment)
    }

    fn staged_index(&self, step: &Step, kind: Kind, staged: &Stage, tag: &str) -> Option<std::path::PathBuf> {
        let bytes = step.theirs.bytes_of(kind);
        staged.whole(&file_name(step.theirs.name(), kind, 0, tag), bytes).filter(|_| bytes > 0)
    }

    /// Makes a staged file one of the log's, without a copy where the file system can.
    fn link(&self, from: &Path, to: &Path) -> Result<(), LogError> {
        match self.files.disk().link(from, to) {
            Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) => {
                self.copy(from, 0, to, 0)
            }
            linked => linked.map_err(LogError::io(to)),
        }
    }

    /// Copies a file from a position on to a position of another.
    fn copy(&self, from: &Path, mut position: u64, to: &Path, mut at: u64) -> Result<(), LogError> {
        let disk: &dyn Disk = &**self.files.disk();
        let source = disk.open(from, Open::Read).map_err(LogError::io(from))?;
        let target = disk.open(to, Open::Create).map_err(LogError::io(to))?;
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            let read = source.read_at(&mut buffer, position).map_err(LogError::io(from))?;
            if read == 0 {
                return Ok(());
            }
            target.write_all_at(&[IoSlice::new(&buffer[..read])], at).map_err(LogError::io(to))?;
            position += read as u64;
            at += read as u64;
        }
    }

    fn replace_all(&self, theirs: &LogDescription, segments: Vec<Segment>) {
        let mut state = self.state();
        let old = std::mem::replace(&mut state.segments, segments);
        let gone: Vec<Name> = old.iter().map(Segment::name).filter(|name| state.place_of(*name).is_none()).collect();
        state.dropped.extend(gone);
        state.epochs = theirs.epochs.clone();
        state.cleaned_to = theirs.cleaned_to;
        state.changed = true;
        state.new_names |= !state.segments.is_empty();
        let bytes = state.segments.iter().map(|segment| segment.facts.log_bytes).sum();
        let before = self.size_bytes.swap(bytes, Ordering::Relaxed);
        // The end last where it grows: who sees it finds the segments.
        self.log_start.store(theirs.log_start, Ordering::Release);
        self.log_end.store(theirs.next_offset, Ordering::Release);
        self.warmth.appended(bytes.saturating_sub(before), theirs.next_offset);
    }

    fn not_fetched(&self, name: Name) -> LogError {
        let source = io::Error::new(ErrorKind::NotFound, "the segment was not fetched from the leader");
        LogError::Io { path: Kind::Log.path(&self.dir, name), source }
    }
}

impl Segment {
    fn mark_dirty(&mut self) {
        self.dirty = Kind::ALL.map(|kind| self.facts.bytes_of(kind) > 0 && (kind == Kind::Log || !self.needs_indexes));
    }
}
