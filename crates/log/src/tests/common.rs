//! Batches and a model of a log, for all tests of this crate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{FileCache, LogError, LogSettings, PartitionLog};
use bytes::Bytes;
use disk::{Disk, Open, SimDisk};
use record::{BatchBuilder, BatchHead, BatchView, HEADER_BYTES};

pub(super) const DIR: &str = "topics/orders/0-AAAAAAAAAAEAAAAAAAAAAg";

/// A batch of `count` records at `base_offset`, with timestamps from `timestamp` on and values of `value_bytes`.
pub(super) fn batch(base_offset: i64, count: i32, timestamp: i64, value_bytes: usize) -> Bytes {
    batch_of_epoch(base_offset, count, timestamp, value_bytes, 0)
}

pub(super) fn batch_of_epoch(base_offset: i64, count: i32, timestamp: i64, value_bytes: usize, epoch: i32) -> Bytes {
    let mut builder = BatchBuilder::new().base_offset(base_offset).leader_epoch(epoch);
    for index in 0..count {
        let value = vec![(base_offset as u8).wrapping_add(index as u8); value_bytes];
        builder.push(timestamp + i64::from(index), Some(b"key"), Some(&value), &[]);
    }
    builder.build().unwrap()
}

pub(super) fn append_at(log: &PartitionLog, batch: &Bytes, now_ms: i64) -> Result<(), LogError> {
    log.append(&BatchHead::copy_of(batch).unwrap(), &batch[HEADER_BYTES..], now_ms)
}

pub(super) fn append(log: &PartitionLog, batch: &Bytes) {
    append_at(log, batch, 0).unwrap();
}

/// Appends `batches` of one record of `value_bytes` each, and returns them.
pub(super) fn fill(log: &PartitionLog, batches: usize, value_bytes: usize) -> Vec<Bytes> {
    let filled: Vec<Bytes> =
        (0..batches).map(|index| batch(log.log_end() + index as i64, 1, 1000 + index as i64, value_bytes)).collect();
    for batch in &filled {
        append(log, batch);
    }
    filled
}

pub(super) fn files(disk: &SimDisk) -> Arc<FileCache> {
    FileCache::new(Arc::new(disk.clone()), 8)
}

/// A disk with the directory of all topics.
pub(super) fn new_disk(seed: u64) -> SimDisk {
    let disk = SimDisk::new(seed);
    disk.create_dir_all("topics".as_ref()).unwrap();
    disk.sync_dir("".as_ref()).unwrap();
    disk
}

pub(super) fn new_log(disk: &SimDisk, settings: LogSettings) -> PartitionLog {
    PartitionLog::create(files(disk), DIR.into(), settings, 0)
}

/// Segments of a few batches, and an index entry for almost each.
pub(super) fn small() -> LogSettings {
    LogSettings { segment_bytes: 1000, index_interval_bytes: 200, ..LogSettings::default() }
}

pub(super) fn head(batch: &Bytes) -> BatchHead {
    BatchView::new(batch).unwrap().head()
}

/// What a read gives, in one piece.
pub(super) fn read(log: &PartitionLog, from: i64, max_bytes: usize) -> Vec<u8> {
    log.read(from, max_bytes, true).unwrap().concat()
}

pub(super) fn contents(disk: &dyn Disk, dir: &str) -> Vec<(String, Vec<u8>)> {
    let entries = disk.list(Path::new(dir)).unwrap();
    entries.into_iter().map(|entry| (entry.name.clone(), file(disk, &Path::new(dir).join(entry.name)))).collect()
}

pub(super) fn file(disk: &dyn Disk, path: &Path) -> Vec<u8> {
    let file = disk.open(path, Open::Read).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

pub(super) fn path(name: &str) -> PathBuf {
    Path::new(DIR).join(name)
}
