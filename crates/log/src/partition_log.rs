//! The log of one partition: its state in memory, and what needs no file.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::epochs::Epochs;
use crate::file_cache::FileCache;
use crate::lock;
use crate::prepare::Leftover;
use crate::segment::{Name, Segment};
use crate::warmth::Warmth;
use crate::{LogDescription, LogSettings};

/// The log of one partition. One thread appends; any number read meanwhile.
///
/// It is a few hundred bytes until it is used: files are opened by the first append or read, through the shared
/// [`FileCache`].
pub struct PartitionLog {
    pub(crate) shared: Arc<Shared>,
}

/// What the log and its running checkpoints share.
pub(crate) struct Shared {
    pub(crate) files: Arc<FileCache>,
    pub(crate) dir: Arc<Path>,
    pub(crate) log_start: AtomicI64,
    pub(crate) log_end: AtomicI64,
    pub(crate) size_bytes: AtomicU64,
    pub(crate) warmth: Warmth,
    /// The directory was made to agree with the description.
    pub(crate) prepared: AtomicBool,
    pub(crate) sync_failed: AtomicBool,
    /// The partition's files were removed.
    pub(crate) deleted: AtomicBool,
    /// As long as there is one, no compaction goes on.
    pub(crate) compaction_holds: AtomicU32,
    /// Held for each step of a compaction. Taken before `hands` where both are.
    pub(crate) compacting: Mutex<()>,
    /// Held by whoever changes files: the one writer, the first to open, a repair.
    hands: Mutex<()>,
    /// Held for moments only. Taken after `hands` where both are.
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) settings: LogSettings,
    /// By base offset. The last one is appended to.
    pub(crate) segments: Vec<Segment>,
    pub(crate) epochs: Epochs,
    /// Compaction has been here: the offset up to which no key has two records.
    pub(crate) cleaned_to: i64,
    /// Segments that no description names any more, and whose files are still there.
    pub(crate) dropped: Vec<Name>,
    /// What a crash left, until the first checkpoint after it.
    pub(crate) leftovers: Vec<Leftover>,
    /// The directory exists.
    pub(crate) has_dir: bool,
    /// Names were made since the last checkpoint: of files, and of the directory itself.
    pub(crate) new_names: bool,
    pub(crate) new_dir: bool,
    /// The description differs from the last one that was taken.
    pub(crate) changed: bool,
}

impl PartitionLog {
    /// A log without records, whose first will have `start_offset` or a greater one. Does no I/O before the first
    /// append, which makes the directory. The directory above the topic's must be there, durably: checkpoints sync
    /// the names within it.
    pub fn create(files: Arc<FileCache>, dir: PathBuf, settings: LogSettings, start_offset: i64) -> Self {
        let empty = LogDescription {
            log_start: start_offset,
            cleaned_to: 0,
            next_offset: start_offset,
            epochs: Epochs::default(),
            segments: Vec::new(),
        };
        let log = Self::restore(files, dir, settings, &empty);
        log.shared.state().changed = true;
        log
    }

    /// The log that a manifest describes. Does no I/O: the first use compares its files with the description, and
    /// the first checkpoint removes what is in them beyond it.
    pub fn restore(files: Arc<FileCache>, dir: PathBuf, settings: LogSettings, description: &LogDescription) -> Self {
        let state = State {
            settings,
            segments: description.segments.iter().map(|facts| Segment::new(*facts)).collect(),
            epochs: description.epochs.clone(),
            cleaned_to: description.cleaned_to,
            dropped: Vec::new(),
            leftovers: Vec::new(),
            has_dir: false,
            new_names: false,
            new_dir: false,
            changed: false,
        };
        PartitionLog {
            shared: Arc::new(Shared {
                files,
                dir: dir.into(),
                log_start: description.log_start.into(),
                log_end: description.next_offset.into(),
                size_bytes: description.size_bytes().into(),
                warmth: Warmth::new(description.next_offset),
                prepared: false.into(),
                sync_failed: false.into(),
                deleted: false.into(),
                compaction_holds: 0.into(),
                compacting: Mutex::default(),
                hands: Mutex::default(),
                state: Mutex::new(state),
            }),
        }
    }

    /// The partition's directory.
    pub fn dir(&self) -> &Path {
        &self.shared.dir
    }

    /// First offset that can be read.
    pub fn log_start(&self) -> i64 {
        self.shared.log_start.load(Ordering::Acquire)
    }

    /// The offset of the next record: one after the last. Also the high watermark, since all here is committed.
    pub fn log_end(&self) -> i64 {
        self.shared.log_end.load(Ordering::Acquire)
    }

    /// Up to this offset a compaction has left at most one record of each key; 0 where none has been.
    pub fn cleaned_to(&self) -> i64 {
        self.shared.state().cleaned_to
    }

    /// Bytes of batches in all segments.
    pub fn size_bytes(&self) -> u64 {
        self.shared.size_bytes.load(Ordering::Relaxed)
    }

    /// Number of segments.
    pub fn segments(&self) -> usize {
        self.shared.state().segments.len()
    }

    /// The leader epoch of the last batch, if there was one.
    pub fn latest_epoch(&self) -> Option<i32> {
        self.shared.state().epochs.latest()
    }

    /// The leader epoch under which `offset` was appended.
    pub fn epoch_at(&self, offset: i64) -> Option<i32> {
        self.shared.state().epochs.at(offset)
    }

    /// OffsetForLeaderEpoch: the greatest known epoch up to `epoch` and the offset at which it ended; (-1, -1) where
    /// that is not known (KIP-101, KIP-279).
    pub fn end_offset_for_epoch(&self, epoch: i32) -> (i32, i64) {
        self.shared.state().epochs.end_of(epoch, self.log_end())
    }

    /// What shapes its files.
    pub fn settings(&self) -> LogSettings {
        self.shared.state().settings.clone()
    }

    /// Changes what shapes its files, from the next append on. An entry decides when, so that replicas roll alike.
    pub fn set_settings(&self, settings: LogSettings) {
        self.shared.state().settings = settings;
    }

    /// Moves the log start up to `to`, at most the log end; never down. Segments that end before it are dropped, all of
    /// them if nothing is left: their files stay until [`take_dropped`](Self::take_dropped).
    pub fn advance_start(&self, to: i64) {
        let _hands = self.shared.hands();
        let to = to.min(self.log_end());
        if to > self.log_start() {
            self.drop_below(to);
        }
    }

    /// Drops all that is here, as [`advance_start`](Self::advance_start): the next record will have `offset`, which is
    /// at least the log end, or a greater one.
    pub fn begin_anew_at(&self, offset: i64) {
        let _hands = self.shared.hands();
        if offset > self.log_end() {
            self.drop_below(self.log_end());
            self.shared.log_end.store(offset, Ordering::Release);
            self.shared.log_start.store(offset, Ordering::Release);
        }
    }

    fn drop_below(&self, to: i64) {
        let shared = &*self.shared;
        let mut state = shared.state();
        let ends: Vec<i64> = shared.segment_ends(&state).collect();
        let dropped = ends.partition_point(|end| *end <= to);
        for segment in state.segments.drain(..dropped).collect::<Vec<_>>() {
            shared.size_bytes.fetch_sub(segment.facts.log_bytes, Ordering::Relaxed);
            state.dropped.push(segment.name());
        }
        state.epochs.truncate_before(to);
        state.changed = true;
        shared.log_start.store(to, Ordering::Release);
    }

    /// The files of segments that were dropped, or replaced by a compaction: to be removed (some may not exist) once a manifest that does not name them is
    /// durable, and `file.delete.delay.ms` has passed.
    pub fn take_dropped(&self) -> Vec<PathBuf> {
        let dropped = std::mem::take(&mut self.shared.state().dropped);
        let dir = &self.shared.dir;
        if !dropped.is_empty() {
            self.shared.files.forget(|open| *open.dir == **dir && dropped.contains(&open.name));
        }
        dropped.iter().flat_map(|name| name.paths(dir)).collect()
    }
}

impl std::fmt::Debug for PartitionLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartitionLog")
            .field("dir", &self.dir())
            .field("log_start", &self.log_start())
            .field("log_end", &self.log_end())
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn hands(&self) -> MutexGuard<'_, ()> {
        lock(&self.hands)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Whether the segment has been dropped, or replaced by a compaction.
    pub(crate) fn is_gone(&self, name: Name) -> bool {
        self.state().place_of(name).is_none()
    }

    /// For each segment, the offset after it: where the next one starts, or the log end.
    pub(crate) fn segment_ends<'s>(&'s self, state: &'s State) -> impl Iterator<Item = i64> + 's {
        let end = self.log_end.load(Ordering::Acquire);
        let starts = state.segments.iter().skip(1).map(|segment| segment.facts.base_offset);
        starts.chain(std::iter::once(end)).take(state.segments.len())
    }
}

impl State {
    /// Where the segment stands in the list, if it is still there.
    pub(crate) fn place_of(&self, name: Name) -> Option<usize> {
        let place = self.segments.binary_search_by_key(&name.base_offset, |segment| segment.facts.base_offset).ok()?;
        (self.segments[place].name() == name).then_some(place)
    }
}
