//! Directories of partitions that no manifest names: of topics that were deleted just before a
//! stop, or opened just before a crash.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use disk::Disk;

use crate::checkpoint::Unsaved;
use crate::partition::Partition;
use crate::view::View;

/// Removes every partition's directory below `topics` that belongs to none of those that `in_use`
/// tells: all that have files here ([`crate::Shard::partitions_with_files`]), of all shards of the data
/// directory, each ready. Returns what it removed.
pub fn sweep(disk: &dyn Disk, topics: &Path, in_use: impl FnOnce() -> Vec<Arc<Partition>>) -> io::Result<Vec<PathBuf>> {
    if !disk.exists(topics)? {
        return Ok(Vec::new());
    }
    // What is on disk first and what is in use second: a partition is in its view before its
    // directory is made.
    let dirs = partition_dirs(disk, topics)?;
    let named: BTreeSet<PathBuf> = in_use().iter().map(|partition| partition.log.dir().to_owned()).collect();
    let unnamed: Vec<PathBuf> = dirs.into_iter().filter(|dir| !named.contains(dir)).collect();
    unnamed.iter().try_for_each(|dir| log::delete_dir(disk, dir)).map_err(io::Error::other)?;
    Ok(unnamed)
}

/// Those that are open, and those that were closed and whose files a durable manifest may still name.
pub(crate) fn partitions_with_files(view: &View, unsaved: &Mutex<Unsaved>) -> Vec<Arc<Partition>> {
    // In this order: a partition that is closed meanwhile is among the closed ones before it leaves the view.
    let mut partitions = view.all();
    partitions.extend(unsaved.lock().unwrap_or_else(PoisonError::into_inner).garbage.partitions().cloned());
    partitions
}

fn partition_dirs(disk: &dyn Disk, topics: &Path) -> io::Result<Vec<PathBuf>> {
    let mut dirs = Vec::new();
    for topic in disk.list(topics)?.into_iter().filter(|entry| entry.is_dir) {
        let topic = topics.join(topic.name);
        let partitions = disk.list(&topic)?.into_iter().filter(|entry| entry.is_dir);
        dirs.extend(partitions.map(|partition| topic.join(partition.name)));
    }
    Ok(dirs)
}
