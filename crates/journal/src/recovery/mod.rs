//! What a start finds: reads the files from the oldest that is needed, in order, and decides at the
//! first write that does not check whether the journal ends there.
//!
//! * It ends a file if the next file's first write follows on it.
//! * It is a torn tail if nothing anywhere says that it was synced: cut off.
//! * Else it is damage. If only payloads are bad, their groups are known and fenced; if the control is
//!   bad, nobody knows whose the bytes were, and the journal is refused.

mod choose;
mod replay;
mod scan;

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::Arc;

use model::GroupId;

use crate::files::{Dir, OpenFile, Readable};
use crate::format::write::WriteHead;
use crate::format::{PAGE_BYTES, Position};
use crate::group::Group;
use crate::{Damage, JournalError, Options, Recovery};
use choose::{Chosen, choose};
use replay::Replay;
use scan::{FoundWrite, Scan};

/// The journal as the writer takes it over.
pub(crate) struct Tail {
    pub(crate) current: OpenFile,
    /// Where the next write begins in the current file; 0: it has no header yet.
    pub(crate) offset: u64,
    /// Where the last write ended, in the current file or the one before.
    pub(crate) end: Position,
    pub(crate) life: u32,
    /// Made before and not used yet.
    pub(crate) next: Option<OpenFile>,
    /// Read, with the ends of their last writes.
    pub(crate) older: BTreeMap<u32, (OpenFile, u64)>,
    /// Of no use any more.
    pub(crate) free: Vec<OpenFile>,
}

/// What recovery makes of a directory.
pub(crate) struct Recovered {
    pub(crate) groups: BTreeMap<GroupId, Arc<Group>>,
    pub(crate) files: Readable,
    pub(crate) tail: Tail,
    pub(crate) recovery: Recovery,
}

/// Reads the journal, and makes its first file if there is none. See the module.
pub(crate) fn recover(dir: &Dir, identity: [u8; 16], options: &Options) -> Result<Recovered, JournalError> {
    let dir_error = |what| move |source| JournalError::Io { what, path: dir.path.clone(), source };
    dir.create().map_err(dir_error("create the directory"))?;
    let mut files = dir.open_all().map_err(dir_error("open the files in"))?;
    let is_new = files.is_empty();
    if is_new {
        let first = dir.zero(1, options.first_file_bytes, || false).map_err(dir_error("make the first file in"))?;
        files.push(first);
    }
    let Chosen { free, files } = choose(dir, identity, files)?;
    let mut reading = Reading::new(dir, identity, files);
    reading.read_all()?;
    if !is_new {
        reading.make_durable().map_err(dir_error("sync the last file in"))?;
    }
    reading.remove_surplus().map_err(dir_error("remove unused files in"))?;
    Ok(reading.finish(free))
}

/// How far it has come.
struct Reading<'a> {
    dir: &'a Dir,
    identity: [u8; 16],
    /// Those that are read, and behind them those that are not used yet. Never empty.
    files: Vec<OpenFile>,
    /// Which of them is being read, and from where on.
    current: usize,
    offset: u64,
    /// Where the last write ended; `None` before the first one.
    end: Option<Position>,
    /// Where the last write of each file that is read ended.
    older: BTreeMap<u32, (OpenFile, u64)>,
    replay: Replay<'a>,
    recovery: Recovery,
    /// The greatest synced position that any write tells, and the life of the last write.
    synced: Position,
    life: u32,
    /// The greatest life of all writes, those that are cut off too.
    greatest_life: u32,
}

impl<'a> Reading<'a> {
    fn new(dir: &'a Dir, identity: [u8; 16], files: Vec<OpenFile>) -> Self {
        Reading {
            dir,
            identity,
            files,
            current: 0,
            offset: PAGE_BYTES,
            end: None,
            older: BTreeMap::new(),
            replay: Replay::new(dir),
            recovery: Recovery::default(),
            synced: Position::default(),
            life: 0,
            greatest_life: 0,
        }
    }

    /// Reads up to the end of the journal.
    fn read_all(&mut self) -> Result<(), JournalError> {
        loop {
            let file = self.files[self.current].clone();
            let mut scan = Scan::new(&file, self.identity);
            let read = self.read_file(&mut scan);
            self.recovery.bytes += scan.bytes_read;
            read?;
            if !self.next_file_follows()? {
                return Ok(());
            }
            self.older.insert(file.generation, (file, self.offset));
            self.current += 1;
            self.offset = PAGE_BYTES;
        }
    }

    /// Reads one file up to its last write.
    fn read_file(&mut self, scan: &mut Scan<'_>) -> Result<(), JournalError> {
        loop {
            let write = scan.write_at(self.offset).map_err(|e| self.unreadable(e))?;
            match write.filter(|write| self.is_next(&write.head)) {
                Some(write) if write.is_good() => self.accept(write),
                other => {
                    if self.next_file_follows()? || !self.was_synced(scan)? {
                        return Ok(());
                    }
                    let write = other.ok_or_else(|| self.damaged())?;
                    self.accept(write);
                }
            }
        }
    }

    /// Whether a write is the one after the last, and not a stale one that an earlier start cut off.
    fn is_next(&self, head: &WriteHead) -> bool {
        head.life >= self.life && self.end.is_none_or(|end| head.previous == end)
    }

    fn accept(&mut self, write: FoundWrite) {
        self.offset = write.end.offset();
        self.end = Some(write.end);
        self.synced = self.synced.max(write.head.synced);
        self.life = write.head.life;
        self.greatest_life = self.greatest_life.max(self.life);
        self.recovery.clean_stop = write.head.clean_stop;
        self.replay.apply(write);
    }

    /// Whether the next file goes on where this one has come to.
    fn next_file_follows(&self) -> Result<bool, JournalError> {
        let Some(next) = self.files.get(self.current + 1) else { return Ok(false) };
        let head = Scan::new(next, self.identity).head_at(PAGE_BYTES).map_err(|e| self.unreadable(e))?;
        Ok(head.is_some_and(|head| self.end == Some(head.previous) && head.life >= self.life))
    }

    /// Nothing good follows here. Looks through all that is left for a write that says that this was
    /// synced; without one it is the tail.
    fn was_synced(&mut self, scan: &mut Scan<'_>) -> Result<bool, JournalError> {
        let started = scan.starts_at(self.offset).map_err(|e| self.unreadable(e))?;
        let mut heads = scan.heads_from(self.offset).map_err(|e| self.unreadable(e))?;
        for later in &self.files[self.current + 1..] {
            let mut scan = Scan::new(later, self.identity);
            heads.extend(scan.heads_from(PAGE_BYTES).map_err(|e| self.unreadable(e))?);
            self.recovery.bytes += scan.bytes_read;
        }
        for head in &heads {
            self.synced = self.synced.max(head.synced);
            self.greatest_life = self.greatest_life.max(head.life);
        }
        let here = Position::new(scan.file.generation, self.offset);
        let was_synced = self.synced > here;
        if !was_synced && (started || !heads.is_empty()) {
            self.recovery.torn = Some((self.dir.file_path(here.generation()), here.offset()));
        }
        Ok(was_synced)
    }

    fn damaged(&self) -> JournalError {
        let what = "a write that was synced does not check".to_owned();
        JournalError::Damaged(Damage { file: self.path(), position: self.offset, group: None, what })
    }

    fn unreadable(&self, source: io::Error) -> JournalError {
        JournalError::Io { what: "read", path: self.path(), source }
    }

    fn path(&self) -> PathBuf {
        self.dir.file_path(self.files[self.current].generation)
    }

    /// What was read may still be only in memory: if a process died, or an fsync failed before (after
    /// which the kernel holds the pages for clean). Since what is read counts as durable from now on,
    /// all that no write proves to be synced is written again and synced.
    fn make_durable(&self) -> io::Result<()> {
        let OpenFile { generation, ref file, .. } = self.files[self.current];
        if self.end.is_some_and(|end| end.generation() == generation) {
            let mut from = if self.synced.generation() == generation { self.synced.offset() } else { 0 };
            let mut buffer = vec![0; 1 << 20];
            while from < self.offset {
                let piece = buffer.len().min((self.offset - from) as usize);
                file.read_exact_at(&mut buffer[..piece], from)?;
                file.write_all_at(&[IoSlice::new(&buffer[..piece])], from)?;
                from += piece as u64;
            }
        }
        file.sync_data()?;
        self.dir.disk.sync_dir(&self.dir.path)
    }

    /// At most one file is made ahead.
    fn remove_surplus(&mut self) -> io::Result<()> {
        for file in self.files.drain((self.current + 2).min(self.files.len())..) {
            self.dir.remove(file.generation)?;
        }
        Ok(())
    }

    fn finish(mut self, free: Vec<OpenFile>) -> Recovered {
        let files = Readable::default();
        self.files.iter().for_each(|file| files.insert(file));
        let start = Position::new(self.files[0].generation, PAGE_BYTES);
        let current = self.files[self.current].clone();
        let unused = self.end.is_none_or(|end| end.generation() != current.generation);
        self.recovery.entries = self.replay.entries();
        let (groups, damage) = self.replay.finish(start);
        self.recovery.damage = damage;
        let tail = Tail {
            current,
            offset: if unused { 0 } else { self.offset },
            end: self.end.unwrap_or_default(),
            life: self.greatest_life + 1,
            next: self.files.get(self.current + 1).cloned(),
            older: self.older,
            free,
        };
        Recovered { groups, files, tail, recovery: self.recovery }
    }
}
