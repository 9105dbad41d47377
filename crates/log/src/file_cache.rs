//! The open files of all partition logs of a broker: bounded, shared, and opened when needed.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use disk::{Disk, File, Map, Open};

use crate::LogError;
use crate::lock;
use crate::segment::{Kind, Name};

/// Files that an open segment holds at most: for who derives the cache's capacity from a limit of open files.
pub const FILES_PER_SEGMENT: usize = 3;

/// Places in a segment that are remembered for readers who go on where they stopped.
const READERS_REMEMBERED: usize = 8;

/// Keeps the segments that were used last open, of all logs together.
///
/// Segments hold weak references to what is here, so that a log finds its files without a look-up; which one goes is
/// decided by the clock algorithm (second chance), an LRU without a list to maintain at each use.
pub struct FileCache {
    disk: Arc<dyn Disk>,
    capacity: usize,
    ring: Mutex<VecDeque<Arc<OpenSegment>>>,
}

impl FileCache {
    /// A cache of at most `capacity` open segments (at least 1) on `disk`.
    pub fn new(disk: Arc<dyn Disk>, capacity: usize) -> Arc<Self> {
        Arc::new(FileCache { disk, capacity: capacity.max(1), ring: Mutex::default() })
    }

    /// The disk that the files are on.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// How many segments are open now.
    pub fn open_segments(&self) -> usize {
        lock(&self.ring).len()
    }

    /// Opens the files of a segment, and closes another's if there are too many.
    pub(crate) fn open(&self, dir: &Arc<Path>, name: Name, how: Open) -> Result<Arc<OpenSegment>, LogError> {
        let path = Kind::Log.path(dir, name);
        let log = self.disk.open(&path, how).map_err(LogError::io(&path))?;
        let segment = Arc::new(OpenSegment {
            dir: dir.clone(),
            name,
            log,
            offset_index: OnceLock::new(),
            time_index: OnceLock::new(),
            map: Mutex::new(None),
            used: AtomicBool::new(true),
            places: Mutex::default(),
        });
        let evicted = self.insert(segment.clone());
        drop(evicted); // files are closed without the lock
        Ok(segment)
    }

    fn insert(&self, segment: Arc<OpenSegment>) -> Option<Arc<OpenSegment>> {
        let mut ring = lock(&self.ring);
        let mut evicted = None;
        while ring.len() >= self.capacity {
            let oldest = ring.pop_front()?;
            if oldest.used.swap(false, Ordering::Relaxed) {
                ring.push_back(oldest);
            } else {
                evicted = Some(oldest);
            }
        }
        ring.push_back(segment);
        evicted
    }

    /// Closes the files of segments that were deleted, so that the disk gets their room back.
    pub(crate) fn forget(&self, is_gone: impl Fn(&OpenSegment) -> bool) {
        lock(&self.ring).retain(|segment| !is_gone(segment));
    }
}

impl std::fmt::Debug for FileCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileCache").field("capacity", &self.capacity).field("open", &self.open_segments()).finish()
    }
}

/// A segment whose `.log` is open; the indexes are opened when needed.
pub(crate) struct OpenSegment {
    pub(crate) dir: Arc<Path>,
    pub(crate) name: Name,
    pub(crate) log: Arc<dyn File>,
    offset_index: OnceLock<Arc<dyn File>>,
    time_index: OnceLock<Arc<dyn File>>,
    map: Mutex<Option<Mapping>>,
    used: AtomicBool,
    places: Mutex<Places>,
}

struct Mapping {
    bytes: u64,
    map: Arc<dyn Map>,
}

impl OpenSegment {
    /// Saves it from the next eviction.
    pub(crate) fn touch(&self) {
        self.used.store(true, Ordering::Relaxed);
    }

    /// One of the three files. An index is made if it is missing: it can be rebuilt.
    pub(crate) fn file(&self, kind: Kind, disk: &dyn Disk) -> Result<&Arc<dyn File>, LogError> {
        let cell = match kind {
            Kind::Log => return Ok(&self.log),
            Kind::OffsetIndex => &self.offset_index,
            Kind::TimeIndex => &self.time_index,
        };
        if let Some(file) = cell.get() {
            return Ok(file);
        }
        let path = kind.path(&self.dir, self.name);
        let file = disk.open(&path, Open::Create).map_err(LogError::io(&path))?;
        Ok(cell.get_or_init(|| file))
    }

    /// One of the three files, if it is open.
    pub(crate) fn if_open(&self, kind: Kind) -> Option<Arc<dyn File>> {
        match kind {
            Kind::Log => Some(self.log.clone()),
            Kind::OffsetIndex => self.offset_index.get().cloned(),
            Kind::TimeIndex => self.time_index.get().cloned(),
        }
    }

    /// Bytes of the `.log` file, mapped. The map reaches to `reach` at least, so that a segment that grows needs no new
    /// one. If they are `cold`, they are brought into memory first.
    pub(crate) fn slice(&self, range: Range<u64>, reach: u64, cold: bool) -> io::Result<Bytes> {
        let map = {
            let mut mapping = lock(&self.map);
            match &*mapping {
                Some(Mapping { bytes, map }) if range.end <= *bytes => map.clone(),
                _ => {
                    let bytes = range.end.max(reach);
                    let map = self.log.map(bytes)?;
                    *mapping = Some(Mapping { bytes, map: map.clone() });
                    map
                }
            }
        };
        if cold {
            map.prefetch(range.clone())?;
        }
        map.slice(range)
    }

    /// Where the first batch that ends at or after `offset` starts, if a reader stopped right there.
    pub(crate) fn remembered(&self, offset: i64) -> Option<u64> {
        lock(&self.places).ring.iter().find(|(known, _)| *known == offset).map(|(_, position)| *position)
    }

    pub(crate) fn remember(&self, offset: i64, position: u64) {
        let mut places = lock(&self.places);
        let oldest = places.oldest;
        places.ring[oldest] = (offset, position);
        places.oldest = (oldest + 1) % READERS_REMEMBERED;
    }
}

struct Places {
    ring: [(i64, u64); READERS_REMEMBERED],
    oldest: usize,
}

impl Default for Places {
    fn default() -> Self {
        Places { ring: [(-1, 0); READERS_REMEMBERED], oldest: 0 }
    }
}
