//! Directories of partitions that no manifest names: of topics that were deleted just before a
//! stop, or opened just before a crash.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use disk::Disk;

use crate::lifecycle::partition_dir;
use crate::view::View;

/// Removes every partition's directory below `topics` that belongs to no partition of `shards`,
/// which must be all shards of the data directory, each ready. Returns what it removed.
pub fn sweep<'a>(
    disk: &dyn Disk,
    topics: &Path,
    shards: impl IntoIterator<Item = &'a View>,
) -> io::Result<Vec<PathBuf>> {
    if !disk.exists(topics)? {
        return Ok(Vec::new());
    }
    // What is on disk first and what is named second: a partition is in its view before its
    // directory is made.
    let dirs = partition_dirs(disk, topics)?;
    let partitions = shards.into_iter().flat_map(View::all);
    let named: BTreeSet<PathBuf> = partitions.map(|p| partition_dir(topics, &p.topic, p.id)).collect();
    let unnamed: Vec<PathBuf> = dirs.into_iter().filter(|dir| !named.contains(dir)).collect();
    unnamed.iter().try_for_each(|dir| log::delete_dir(disk, dir)).map_err(io::Error::other)?;
    Ok(unnamed)
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
