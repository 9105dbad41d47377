//! The first use of a log: its directory is made to agree with its description.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;

use disk::Open;

use crate::LogError;
use crate::partition_log::Shared;
use crate::segment::{Kind, Segment};

impl Shared {
    /// For readers: takes the log's hands only the first time.
    pub(crate) fn prepare_once(&self) -> Result<(), LogError> {
        if self.prepared.load(Ordering::Acquire) {
            return Ok(());
        }
        self.prepare(&self.hands())
    }

    /// Cuts each file back to its described length and removes files that are not described: what a crash left of
    /// appends after the checkpoint, which the journal replays.
    ///
    /// Nothing here needs to be synced: if a crash undoes it, it is done again.
    pub(crate) fn prepare(&self, _hands: &MutexGuard<'_, ()>) -> Result<(), LogError> {
        if self.prepared.load(Ordering::Acquire) {
            return Ok(());
        }
        let disk = self.files.disk();
        let entries = match disk.list(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.prepared.store(true, Ordering::Release);
                return Ok(());
            }
            Err(error) => return Err(LogError::io(&self.dir)(error)),
        };
        let lengths: BTreeMap<String, u64> =
            entries.into_iter().filter(|entry| !entry.is_dir).map(|entry| (entry.name, entry.len)).collect();
        let (mut segments, mut keep) = {
            let state = self.state();
            // The durable manifest may still name what was dropped since.
            (
                state.segments.clone(),
                state.dropped.iter().flat_map(|name| name.paths(&self.dir)).collect::<BTreeSet<_>>(),
            )
        };
        for segment in &mut segments {
            for kind in Kind::ALL {
                self.cut_back(segment, kind, &lengths)?;
                keep.insert(kind.path(&self.dir, segment.name()));
            }
        }
        for path in lengths.keys().map(|name| self.dir.join(name)).filter(|path| !keep.contains(path)) {
            disk.remove_file(&path).map_err(LogError::io(&path))?;
        }
        let mut state = self.state();
        state.has_dir = true;
        // Whoever made the directory of a log that has no segments yet may have died before syncing its name.
        state.new_dir |= segments.is_empty();
        state.segments = segments;
        self.prepared.store(true, Ordering::Release);
        Ok(())
    }

    fn cut_back(&self, segment: &mut Segment, kind: Kind, lengths: &BTreeMap<String, u64>) -> Result<(), LogError> {
        let wanted = segment.facts.bytes_of(kind);
        let path = kind.path(&self.dir, segment.name());
        match lengths.get(&kind.file_name(segment.name())).copied() {
            Some(there) if there > wanted => {
                let file = self.files.disk().open(&path, Open::Write).map_err(LogError::io(&path))?;
                file.set_len(wanted).map_err(LogError::io(&path))?;
            }
            Some(there) if there == wanted => {}
            None if wanted == 0 => {}
            there => {
                let there = there.unwrap_or(0);
                tracing::warn!(file = %path.display(), there, wanted, "a file is shorter than at the last checkpoint");
                match kind {
                    // Nothing is appended after a hole, where no reader would find it.
                    Kind::Log => segment.facts.sealed = true,
                    Kind::OffsetIndex | Kind::TimeIndex => segment.needs_indexes = true,
                }
            }
        }
        Ok(())
    }
}
