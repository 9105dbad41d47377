//! Room to write: the current file, the next one that is made in the background, the older ones that
//! still hold something, and the purged ones that wait to be used again.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::{RETRY, is_full};
use crate::files::OpenFile;
use crate::format::{PAGE_BYTES, Position};
use crate::journal::Shared;
use crate::lock;
use crate::recovery::Tail;
use crate::stats::count;

/// Bytes at the end of a file that only purges may use (of a small file, a sixteenth): they are what
/// frees a full journal.
const RESERVE_BYTES: u64 = 64 << 10;

/// The next file is so much longer than the one before, from the small first one up.
const GROWTH: u64 = 8;

enum Next {
    Ready(OpenFile),
    /// The executor works on it.
    Preparing,
    Missing {
        retry_at: Instant,
    },
}

/// See the module.
pub(super) struct Space {
    shared: Arc<Shared>,
    current: OpenFile,
    /// Where the next write begins in the current file; 0: it has no header yet.
    offset: u64,
    next: Next,
    /// The files before the current one that hold entries, with the ends of their last writes.
    older: BTreeMap<u32, (OpenFile, u64)>,
    oldest_generation: u32,
    /// Files of which nothing is needed.
    free: VecDeque<OpenFile>,
}

impl Space {
    pub(super) fn new(shared: Arc<Shared>, tail: Tail) -> Self {
        Space {
            oldest_generation: tail.older.keys().next().copied().unwrap_or(tail.current.generation),
            current: tail.current,
            offset: tail.offset,
            next: tail.next.map_or_else(|| Next::Missing { retry_at: Instant::now() }, Next::Ready),
            older: tail.older,
            free: tail.free.into(),
            shared,
        }
    }

    pub(super) fn current(&self) -> &OpenFile {
        &self.current
    }

    pub(super) fn current_path(&self) -> PathBuf {
        self.shared.dir.file_path(self.current.generation)
    }

    /// Whether the next write is the current file's first.
    pub(super) fn at_start(&self) -> bool {
        self.offset == 0
    }

    /// Where the next write goes.
    pub(super) fn position(&self) -> Position {
        Position::new(self.current.generation, self.offset.max(PAGE_BYTES))
    }

    /// The oldest file that is needed.
    pub(super) fn oldest_generation(&self) -> u32 {
        self.oldest_generation
    }

    /// Bytes for the next write. A write that no file has room for goes into an empty one all the
    /// same, which then grows.
    pub(super) fn room(&self, first: u64) -> u64 {
        let reserve = RESERVE_BYTES.min(self.current.len / 16);
        let room = self.room_with_reserve().saturating_sub(reserve);
        if self.at_start() { room.max(first) } else { room }
    }

    pub(super) fn room_with_reserve(&self) -> u64 {
        self.current.len.saturating_sub(self.position().offset())
    }

    /// So many bytes were written at this position; returns their end.
    pub(super) fn written(&mut self, position: Position, bytes: u64) -> Position {
        self.offset = position.offset() + bytes;
        Position::new(self.current.generation, self.offset)
    }

    pub(super) fn start_write_back(&self, from: Position) {
        let start = if from.generation() == self.current.generation { from.offset() } else { 0 };
        self.current.file.start_write_back(start, self.offset - start);
    }

    pub(super) fn next_is_ready(&self) -> bool {
        matches!(self.next, Next::Ready(_))
    }

    pub(super) fn is_preparing(&self) -> bool {
        matches!(self.next, Next::Preparing)
    }

    /// When to try again to make the next file.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        match self.next {
            Next::Missing { retry_at } => Some(retry_at),
            Next::Ready(_) | Next::Preparing => None,
        }
    }

    /// Makes the next file the current one.
    pub(super) fn switch(&mut self) {
        let missing = Next::Missing { retry_at: Instant::now() };
        let Next::Ready(next) = std::mem::replace(&mut self.next, missing) else { return };
        let full = std::mem::replace(&mut self.current, next);
        self.older.insert(full.generation, (full, self.offset));
        self.offset = 0;
        self.shared.counters.generation.store(self.current.generation.into(), Ordering::Relaxed);
    }

    /// Has the next file made, off this thread, if it is missing: of a free one, or of zeros.
    pub(super) fn prepare_next(&mut self) {
        if self.retry_at().is_none_or(|at| at > Instant::now()) {
            return;
        }
        self.next = Next::Preparing;
        let generation = self.current.generation + 1;
        let len = self.current.len.saturating_mul(GROWTH).min(self.shared.options.file_bytes);
        let free = self.free.pop_front();
        let shared = self.shared.clone();
        self.shared.executor.blocking(Box::new(move || {
            let (made, counter) = match free {
                Some(old) => (shared.dir.recycle(&old, generation), &shared.counters.files_recycled),
                None => {
                    let made = shared.dir.zero(generation, len, || shared.queue.stopping());
                    (made, &shared.counters.files_zeroed)
                }
            };
            count(counter, u64::from(made.is_ok()));
            shared.queue.prepared(made);
        }));
    }

    /// The next file was made, or not.
    pub(super) fn prepared(&mut self, made: io::Result<OpenFile>) {
        match made {
            Ok(file) => {
                self.shared.files.insert(&file);
                self.next = Next::Ready(file);
                self.shared.counters.out_of_room.store(false, Ordering::Relaxed);
            }
            Err(error) => {
                if !self.shared.counters.out_of_room.swap(true, Ordering::Relaxed) && !self.shared.queue.stopping() {
                    let why = if is_full(&error) { "free some: appends will wait" } else { "will try again" };
                    tracing::warn!(dir = %self.shared.dir.path.display(), %error, why, "no room for a journal file");
                }
                self.next = Next::Missing { retry_at: Instant::now() + RETRY };
            }
        }
    }

    /// Tells how much is live. Returns whether there are older files of which nothing is needed.
    pub(super) fn count_live(&mut self) -> bool {
        let groups = lock(&self.shared.groups);
        let oldest = groups.values().filter_map(|group| group.oldest_place()).min();
        drop(groups);
        let end = Position::new(self.current.generation, self.offset);
        let from = oldest.unwrap_or(end);
        let ends = self.older.values().map(|(file, end)| Position::new(file.generation, *end)).chain([end]);
        let live = ends.filter(|end| *end > from).map(|end| {
            let start = if end.generation() == from.generation() { from.offset() } else { 0 };
            end.offset() - start
        });
        self.shared.counters.live_bytes.store(live.sum(), Ordering::Relaxed);
        self.shared.counters.generation.store(self.current.generation.into(), Ordering::Relaxed);
        self.older.keys().next().is_some_and(|generation| *generation < from.generation())
    }

    /// Frees the files of which nothing is needed. The purges that say so must be on the disk.
    pub(super) fn release(&mut self) {
        while self.count_live() {
            let Some((generation, (file, _))) = self.older.pop_first() else { return };
            self.shared.files.remove(generation);
            self.free.push_back(file);
        }
        self.oldest_generation = self.older.keys().next().copied().unwrap_or(self.current.generation);
        let file_bytes = self.shared.options.file_bytes;
        let (keep, small): (VecDeque<_>, VecDeque<_>) = self.free.drain(..).partition(|file| file.len >= file_bytes);
        self.free = keep;
        let spare = self.shared.options.spare_files;
        let surplus = self.free.len().saturating_sub(spare);
        for file in self.free.drain(..surplus).chain(small) {
            let shared = self.shared.clone();
            self.shared.executor.blocking(Box::new(move || {
                if let Err(error) = shared.dir.remove(file.generation) {
                    // It is found again, and of no use again, at the next start.
                    tracing::warn!(file = %shared.dir.file_path(file.generation).display(), %error, "can't remove");
                }
            }));
        }
        if let (Next::Missing { retry_at }, false) = (&mut self.next, self.free.is_empty()) {
            *retry_at = Instant::now();
        }
    }
}
