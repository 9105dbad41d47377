//! Making the log durable while appends go on.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use disk::{Disk, File, Open};

use crate::description::LogDescription;
use crate::partition_log::{Shared, State};
use crate::segment::{Kind, Name};
use crate::{LogError, PartitionLog, lock};

impl PartitionLog {
    /// Whether the log differs from the last description that was taken.
    pub fn is_dirty(&self) -> bool {
        self.shared.state().changed
    }

    /// The log as it is now, and the job of making it durable. The description may go into a manifest once the job has
    /// succeeded. Appends go on meanwhile: what they add is not described.
    pub fn begin_checkpoint(&self) -> (LogDescription, SyncJob) {
        let shared = &self.shared;
        let mut state = shared.state();
        let description = shared.describe(&state);
        state.changed = false;
        let job = SyncJob { work: state.take_work(), shared: shared.clone(), done: false };
        (description, job)
    }

    /// The log as it is now, for another replica. A manifest needs [`begin_checkpoint`](Self::begin_checkpoint).
    pub fn describe(&self) -> LogDescription {
        self.shared.describe(&self.shared.state())
    }

    /// Removes the partition's directory with all that is in it, and the topic's if that is empty then: once a durable
    /// manifest does not name the partition, and `file.delete.delay.ms` has passed. The log must not be used any more.
    pub fn delete_all_files(&self) -> Result<(), LogError> {
        let dir = &self.shared.dir;
        // A compaction that runs ends with its present step.
        let _none_compacts = lock(&self.shared.compacting);
        self.shared.deleted.store(true, Ordering::Release);
        self.shared.files.forget(|open| *open.dir == **dir);
        delete_dir(&**self.shared.files.disk(), dir)
    }
}

/// As [`PartitionLog::delete_all_files`], of a directory that no log is open for.
pub fn delete_dir(disk: &dyn Disk, dir: &Path) -> Result<(), LogError> {
    let entries = match disk.list(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.map_err(LogError::io(dir))?,
    };
    for entry in entries.iter().filter(|entry| !entry.is_dir) {
        let path = dir.join(&entry.name);
        disk.remove_file(&path).map_err(LogError::io(&path))?;
    }
    disk.remove_dir(dir).map_err(LogError::io(dir))?;
    if let Some(topic) = dir.parent()
        && disk.list(topic).is_ok_and(|rest| rest.is_empty())
    {
        // Another partition may be made there at this moment: then the directory is not empty, and stays.
        if let Err(error) = disk.remove_dir(topic) {
            tracing::debug!(dir = %topic.display(), %error, "the topic's directory stays");
        }
    }
    Ok(())
}

/// What is to be synced for one checkpoint of one log. To be run off the threads that must not wait. Dropped without
/// having been run, it leaves its work to the next one.
#[must_use = "a description may be used only after its job has run"]
pub struct SyncJob {
    shared: Arc<Shared>,
    work: Work,
    done: bool,
}

#[derive(Default)]
struct Work {
    files: Vec<(Name, Kind)>,
    new_names: bool,
    new_dir: bool,
}

impl Shared {
    fn describe(&self, state: &State) -> LogDescription {
        LogDescription {
            log_start: self.log_start.load(Ordering::Acquire),
            next_offset: self.log_end.load(Ordering::Acquire),
            cleaned_to: state.cleaned_to,
            epochs: state.epochs.clone(),
            segments: state.segments.iter().map(|segment| segment.facts).collect(),
        }
    }
}

impl State {
    fn take_work(&mut self) -> Work {
        let mut files = Vec::new();
        for segment in &mut self.segments {
            let dirty = std::mem::take(&mut segment.dirty);
            let kinds = Kind::ALL.into_iter().filter(|kind| dirty[*kind as usize]);
            files.extend(kinds.map(|kind| (segment.name(), kind)));
        }
        Work { files, new_names: std::mem::take(&mut self.new_names), new_dir: std::mem::take(&mut self.new_dir) }
    }
}

impl SyncJob {
    /// Whether there is nothing to sync.
    pub fn is_empty(&self) -> bool {
        self.work.files.is_empty() && !self.work.new_names && !self.work.new_dir
    }

    /// Syncs files, then directories. After a failure no checkpoint of this log succeeds any more: the kernel may have
    /// dropped what it could not write, and a second fsync would not say so. A restart replays it from the journal.
    pub fn run(mut self) -> Result<(), LogError> {
        self.done = true;
        let shared = &*self.shared;
        if shared.sync_failed.load(Ordering::Acquire) {
            return Err(LogError::SyncFailedBefore { dir: shared.dir.to_path_buf() });
        }
        let synced = self.sync();
        if synced.is_err() {
            shared.sync_failed.store(true, Ordering::Release);
        }
        synced
    }

    fn sync(&self) -> Result<(), LogError> {
        self.shared.remove_leftovers();
        let Shared { files, dir, .. } = &*self.shared;
        for (name, kind) in &self.work.files {
            let path = kind.path(dir, *name);
            match self.file(*name, *kind).and_then(|file| file.sync_data()) {
                // Dropped or compacted, and already removed.
                Err(error) if error.kind() == ErrorKind::NotFound && self.shared.is_gone(*name) => {}
                synced => synced.map_err(LogError::io(&path))?,
            }
        }
        if self.work.new_names {
            files.disk().sync_dir(dir).map_err(LogError::io(dir))?;
        }
        if self.work.new_dir {
            // The names of the partition's directory and of its topic's.
            for parent in dir.ancestors().skip(1).take(2) {
                files.disk().sync_dir(parent).map_err(LogError::io(parent))?;
            }
        }
        Ok(())
    }

    /// The handle that wrote, while it is open: it is sure to be told if the kernel failed to write something back.
    fn file(&self, name: Name, kind: Kind) -> io::Result<Arc<dyn File>> {
        let Shared { files, dir, .. } = &*self.shared;
        match self.shared.if_open(name).and_then(|open| open.if_open(kind)) {
            Some(file) => Ok(file),
            None => files.disk().open(&kind.path(dir, name), Open::Write),
        }
    }
}

impl Drop for SyncJob {
    fn drop(&mut self) {
        if self.done || self.is_empty() {
            return;
        }
        let mut state = self.shared.state();
        for (name, kind) in &self.work.files {
            if let Some(place) = state.place_of(*name) {
                state.segments[place].dirty[*kind as usize] = true;
            }
        }
        state.new_names |= self.work.new_names;
        state.new_dir |= self.work.new_dir;
        state.changed = true;
    }
}

impl std::fmt::Debug for SyncJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SyncJob")
            .field("dir", &self.shared.dir)
            .field("files", &self.work.files)
            .finish_non_exhaustive()
    }
}
