//! Writing a segment that is to take the place of others.

use std::io::{self, IoSlice};
use std::sync::Arc;

use disk::{File, Open};
use record::BatchHead;

use crate::partition_log::Shared;
use crate::rebuild::Indexes;
use crate::scan::Found;
use crate::segment::{Kind, Name, SegmentFacts};
use crate::{LogError, LogSettings};

/// What is written at once.
const CHUNK_BYTES: usize = 1024 * 1024;

/// A segment whose files nobody knows of yet. Dropped before [`finish`](Self::finish), it removes them.
pub(super) struct Output {
    shared: Arc<Shared>,
    log: Arc<dyn File>,
    /// Batches that are not written yet.
    buffer: Vec<u8>,
    written: u64,
    indexes: Indexes,
    is_finished: bool,
}

impl Output {
    /// Makes the file of a segment that begins at `base_offset`, under the first free name after `after`.
    pub(super) fn create(shared: Arc<Shared>, facts: SegmentFacts) -> Result<Self, LogError> {
        let name = free_name(&shared, facts.name())?;
        let path = Kind::Log.path(&shared.dir, name);
        let log = shared.files.disk().open(&path, Open::CreateNew).map_err(LogError::io(&path))?;
        let indexes = Indexes::new(SegmentFacts { digits: name.digits, ..facts });
        Ok(Output { shared, log, buffer: Vec::new(), written: 0, indexes, is_finished: false })
    }

    pub(super) fn log_bytes(&self) -> u64 {
        self.indexes.facts.log_bytes
    }

    /// Adds a batch at the end. Its delete horizon counts as long as it has tombstones: the flag stays without them.
    pub(super) fn push(
        &mut self,
        head: BatchHead,
        batch: &[u8],
        has_tombstones: bool,
        settings: &LogSettings,
    ) -> Result<(), LogError> {
        let found = Found { position: self.log_bytes(), head };
        self.indexes.add(&found, settings);
        let facts = &mut self.indexes.facts;
        facts.log_bytes += batch.len() as u64;
        if has_tombstones && head.attributes().has_delete_horizon() {
            let horizon_ms = head.base_timestamp();
            let is_first = facts.delete_horizon_ms == record::NONE;
            facts.delete_horizon_ms = if is_first { horizon_ms } else { facts.delete_horizon_ms.min(horizon_ms) };
        }
        self.buffer.extend_from_slice(batch);
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Makes it durable, but for the names of its files, which the next checkpoint syncs.
    pub(super) fn finish(mut self) -> Result<SegmentFacts, LogError> {
        self.flush()?;
        self.indexes.finish(true);
        let name = self.name();
        self.log.sync_data().map_err(self.shared.io_error(Kind::Log, name))?;
        for (kind, bytes) in [(Kind::OffsetIndex, &self.indexes.offsets), (Kind::TimeIndex, &self.indexes.times)] {
            if !bytes.is_empty() {
                self.write_index(kind, bytes).map_err(self.shared.io_error(kind, name))?;
            }
        }
        self.is_finished = true;
        Ok(self.indexes.facts)
    }

    fn write_index(&self, kind: Kind, bytes: &[u8]) -> io::Result<()> {
        let file = self.shared.files.disk().open(&kind.path(&self.shared.dir, self.name()), Open::CreateNew)?;
        file.write_all_at(&[IoSlice::new(bytes)], 0)?;
        file.sync_data()
    }

    fn flush(&mut self) -> Result<(), LogError> {
        let name = self.name();
        self.log
            .write_all_at(&[IoSlice::new(&self.buffer)], self.written)
            .map_err(self.shared.io_error(Kind::Log, name))?;
        // So that the sync at the end finds little left to do, and holds up nobody else's.
        self.log.start_write_back(self.written, self.buffer.len() as u64);
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn name(&self) -> Name {
        self.indexes.facts.name()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.is_finished {
            remove(&self.shared, self.name());
        }
    }
}

/// Removes the files of a segment that is in no list. What can't be removed goes at the next start.
pub(super) fn remove(shared: &Shared, name: Name) {
    for path in name.paths(&shared.dir) {
        if let Err(error) = shared.files.disk().remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "a file of a compaction that was given up stays");
        }
    }
}

/// The first name after `taken` that no file has: those of earlier compactions may still be there.
pub(crate) fn free_name(shared: &Shared, taken: Name) -> Result<Name, LogError> {
    let mut name = taken.next();
    while name != taken {
        let paths = name.paths(&shared.dir);
        let mut is_taken = false;
        for path in &paths {
            is_taken |= shared.files.disk().exists(path).map_err(LogError::io(path))?;
        }
        if !is_taken {
            return Ok(name);
        }
        name = name.next();
    }
    let path = Kind::Log.path(&shared.dir, taken);
    let source = io::Error::new(io::ErrorKind::AlreadyExists, "all names for compacted segments are taken");
    Err(LogError::Io { path, source })
}
