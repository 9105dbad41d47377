//! The first use of a log: its directory is compared with its description.

use std::collections::BTreeMap;
use std::io;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;

use disk::Open;

use crate::LogError;
use crate::partition_log::Shared;
use crate::segment::{Kind, Name, Segment};

/// Bytes behind the described ones, or a file that is not described: what a crash left of appends after the checkpoint.
///
/// The replay writes them again, to the same bytes, so nothing is cut before: with thousands of partitions that
/// would be most of a restart (file systems are slow at giving space back and taking it again). Nobody reads
/// behind what a segment's facts say, and the first checkpoint removes what the replay has not reached.
pub(crate) struct Leftover {
    name: Name,
    kind: Kind,
    /// Length of the file.
    bytes: u64,
}

impl Shared {
    /// For readers: takes the log's hands only the first time.
    pub(crate) fn prepare_once(&self) -> Result<(), LogError> {
        if self.prepared.load(Ordering::Acquire) {
            return Ok(());
        }
        self.prepare(&self.hands())
    }

    /// Compares the files with their description. Those that can't be what a crash left of appends after the
    /// checkpoint are removed. The others, and what is longer than described, are [leftovers](Leftover).
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
        let mut there: BTreeMap<String, u64> =
            entries.into_iter().filter(|entry| !entry.is_dir).map(|entry| (entry.name, entry.len)).collect();
        let (mut segments, dropped) = {
            let state = self.state();
            // The durable manifest may still name what was dropped since.
            (state.segments.clone(), state.dropped.clone())
        };
        let (mut leftovers, end) = (Vec::new(), self.log_end.load(Ordering::Acquire));
        for segment in &mut segments {
            for kind in Kind::ALL {
                let bytes = there.remove(&kind.file_name(segment.name())).unwrap_or(0);
                if self.is_longer_than_described(segment, kind, bytes) {
                    leftovers.push(Leftover { name: segment.name(), kind, bytes });
                }
            }
        }
        for kept in dropped.iter().flat_map(|name| Kind::ALL.map(|kind| kind.file_name(*name))) {
            there.remove(&kept);
        }
        for (file, bytes) in there {
            match Kind::of_file(&file) {
                Some((kind, name)) if name.digits == Name::DIGITS && name.base_offset >= end => {
                    leftovers.push(Leftover { name, kind, bytes });
                }
                _ => {
                    let path = self.dir.join(file);
                    disk.remove_file(&path).map_err(LogError::io(&path))?;
                }
            }
        }
        let mut state = self.state();
        state.has_dir = true;
        // Whoever made the directory of a log that has no segments yet may have died before syncing its name.
        state.new_dir |= segments.is_empty();
        state.segments = segments;
        state.leftovers = leftovers;
        self.prepared.store(true, Ordering::Release);
        Ok(())
    }

    fn is_longer_than_described(&self, segment: &mut Segment, kind: Kind, bytes: u64) -> bool {
        let described = segment.facts.bytes_of(kind);
        if bytes < described {
            let file = kind.path(&self.dir, segment.name());
            tracing::warn!(file = %file.display(), bytes, described, "a file is shorter than at the last checkpoint");
            match kind {
                // Nothing is appended after a hole, where no reader would find it.
                Kind::Log => segment.facts.sealed = true,
                Kind::OffsetIndex | Kind::TimeIndex => segment.needs_indexes = true,
            }
        }
        bytes > described
    }

    /// Cuts or removes what the replay has not written again.
    pub(crate) fn remove_leftovers(&self) {
        let _hands = self.hands();
        let (leftovers, segments) = {
            let mut state = self.state();
            (std::mem::take(&mut state.leftovers), state.segments.clone())
        };
        for Leftover { name, kind, bytes } in leftovers {
            let segment = segments.iter().find(|segment| segment.name() == name);
            let wanted = segment.map_or(0, |segment| segment.facts.bytes_of(kind));
            if bytes <= wanted {
                continue;
            }
            let path = kind.path(&self.dir, name);
            let disk = self.files.disk();
            let done = match segment {
                Some(_) => disk.open(&path, Open::Write).and_then(|file| file.set_len(wanted)),
                None => disk.remove_file(&path),
            };
            if let Err(error) = done {
                tracing::warn!(file = %path.display(), %error, "what a crash left in a file stays until the next start");
            }
        }
    }
}
