//! Removing what is here of a shard that this broker has left.
//!
//! In an order that bears a crash after each step: a mark in the shard's directory, from when on it must not be
//! started; the journal forgets the group; the partitions' files go; the directory goes, and the mark last. Whoever
//! finds the mark goes on.
//!
//! A broker that leaves because its replica must not be trusted comes back at once, as a new one. The journal then knows
//! the group again by the vote that stands in the mark: a group without any history might be begun anew, by its founders.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use disk::{Disk, read_start, replace};
use journal::GroupLog;
use log::delete_dir;
use manifest::Manifest;
use model::PartitionId;
use tokio::sync::oneshot;

use crate::checkpoint::{PARTITION_PREFIX, PartitionRecord};
use crate::lifecycle::partition_dir;
use crate::restore::{partition_of, unpack};

/// The mark's file.
const MARK: &str = "leaving";

/// The mark of a replica that must not be trusted any more.
const DISTRUST: &str = "distrusted";

/// Of a mark: ours have some hundred.
const MOST_BYTES: u64 = 64 * 1024;

/// Marks the shard whose manifest is in `dir` as left. Its group must have stopped, and no group may count on it.
/// `vote` is what a new replica begins with that follows at once; empty if none does.
pub fn mark_left(disk: &dyn Disk, dir: &Path, vote: &[u8]) -> io::Result<()> {
    mark(disk, dir, MARK, vote)
}

/// Marks the replica whose manifest is in `dir` as one that must not be started any more, with a reason in words.
pub fn distrust(disk: &dyn Disk, dir: &Path, why: &str) -> io::Result<()> {
    mark(disk, dir, DISTRUST, why.as_bytes())
}

/// Why a replica must not be started, if it was marked so.
pub fn distrusted(disk: &dyn Disk, dir: &Path) -> io::Result<Option<String>> {
    let path = dir.join(DISTRUST);
    if !disk.exists(&path)? {
        return Ok(None);
    }
    read_start(disk, &path, MOST_BYTES).map(|why| Some(String::from_utf8_lossy(&why).into_owned()))
}

/// Takes that mark away.
pub fn trust(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    disk.remove_file(&dir.join(DISTRUST))?;
    disk.sync_dir(dir)
}

fn mark(disk: &dyn Disk, dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    disk.create_dir_all(dir)?; // of one that was never checkpointed there is none
    if let Some(parent) = dir.parent() {
        disk.sync_dir(parent)?;
    }
    replace(disk, &dir.join(name), bytes)
}

/// Whether the shard whose manifest is in `dir` was left, and is to be removed before anything else.
pub fn is_left(disk: &dyn Disk, dir: &Path) -> io::Result<bool> {
    disk.exists(&dir.join(MARK))
}

/// Has the journal forget the group of a shard that was left, but for the vote in the mark in `dir`; resolves when that
/// is durable.
pub async fn forget(disk: &dyn Disk, dir: &Path, log: &GroupLog) -> io::Result<()> {
    let vote = read_start(disk, &dir.join(MARK), MOST_BYTES)?;
    let (done, forgotten) = oneshot::channel();
    if vote.is_empty() {
        log.forget(Box::new(|result| drop(done.send(result))));
    } else {
        log.forget(Box::new(|_| {})); // what comes last tells how it went
        log.save_vote(vote.into(), Box::new(|result| drop(done.send(result))));
    }
    forgotten.await.unwrap_or_else(|_| Err(io::Error::other("the journal has ended")))
}

/// Removes the files of a shard that was left and forgotten: the directories of its partitions (below `topics`), and its
/// manifest. `known` are those that no checkpoint may have named yet; after a crash the broker's next start sweeps them.
/// What `others` have stays. Blocks on the disk.
pub fn remove_left(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    topics: &Path,
    known: &[PathBuf],
    others: &BTreeSet<PathBuf>,
) -> io::Result<()> {
    // What can't be read is nobody's, as above.
    let stored = Manifest::open(disk.clone(), dir).map(|(_, stored)| stored).unwrap_or_default();
    let named = partitions(&stored).map(|(id, record)| partition_dir(topics, &record.topic, id, record.arrival));
    for dir in named.chain(known.iter().cloned()).filter(|dir| !others.contains(dir)) {
        delete_dir(&**disk, &dir).map_err(io::Error::other)?;
    }
    remove_all(&**disk, dir, &|name| name != MARK)?;
    // Durable before the mark goes: no manifest may come back without it.
    disk.sync_dir(dir)?;
    disk.remove_file(&dir.join(MARK))?;
    disk.remove_dir(dir)
}

fn partitions(stored: &BTreeMap<Bytes, Bytes>) -> impl Iterator<Item = (PartitionId, PartitionRecord)> {
    let of_partitions = stored.iter().filter(|(key, _)| key.first() == Some(&PARTITION_PREFIX));
    let group = model::GroupId(0); // named in errors only
    of_partitions.filter_map(move |(key, value)| Some((partition_of(group, key).ok()?, unpack(group, value).ok()?)))
}

/// Empties a directory of what has such names, and of all below that.
fn remove_all(disk: &dyn Disk, dir: &Path, goes: &dyn Fn(&str) -> bool) -> io::Result<()> {
    for entry in disk.list(dir)?.into_iter().filter(|entry| goes(&entry.name)) {
        let path = dir.join(&entry.name);
        if entry.is_dir {
            remove_all(disk, &path, &|_| true)?;
            disk.remove_dir(&path)?;
        } else {
            disk.remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use disk::{Open, SimDisk};

    use super::*;

    const DIR: &str = "groups/7";

    fn file(disk: &SimDisk, path: &Path) {
        disk.create_dir_all(path.parent().unwrap()).unwrap();
        disk.open(path, Open::Create).unwrap().sync_data().unwrap();
    }

    /// A shard with a manifest, and what a catch-up has left behind.
    fn shard(disk: &SimDisk) {
        disk.create_dir_all(Path::new(DIR)).unwrap();
        let (manifest, _) = Manifest::open(Arc::new(disk.clone()), Path::new(DIR)).unwrap();
        manifest.commit(vec![(Bytes::from("a"), Some(Bytes::from("b")))]).unwrap();
        file(disk, &Path::new(DIR).join("catch-up/0-x/segment"));
        disk.sync_dir(Path::new("groups")).unwrap();
    }

    fn remove(disk: &SimDisk) -> io::Result<()> {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        remove_left(&disk, Path::new(DIR), Path::new("topics"), &[], &BTreeSet::new())
    }

    #[test]
    fn a_shard_that_is_being_left_is_found_marked_until_nothing_of_it_is_there_whatever_step_is_the_last() {
        for last in 1.. {
            let disk = SimDisk::new(last);
            shard(&disk);
            mark_left(&disk, Path::new(DIR), b"").unwrap();
            disk.crash_at(last);
            let is_done = remove(&disk).is_ok();
            let disk = disk.restart(last);
            let dir = Path::new(DIR);
            let has_manifest = disk.list(dir).unwrap_or_default().iter().any(|it| it.name.starts_with("manifest"));
            assert!(!has_manifest || is_left(&disk, dir).unwrap(), "step {last}: a manifest without the mark");
            if is_left(&disk, dir).unwrap() {
                remove(&disk).unwrap();
                assert!(!disk.exists(dir).unwrap(), "step {last}");
            }
            if is_done {
                return;
            }
        }
    }

    #[test]
    fn what_another_shard_has_stays() {
        let disk = SimDisk::new(1);
        let dirs = [0, 1].map(|index| PathBuf::from(format!("topics/orders/{index}-x")));
        dirs.iter().for_each(|dir| file(&disk, &dir.join("segment")));
        mark_left(&disk, Path::new(DIR), b"").unwrap();
        let disk_of_it: Arc<dyn Disk> = Arc::new(disk.clone());
        let others = BTreeSet::from([dirs[1].clone()]);
        remove_left(&disk_of_it, Path::new(DIR), Path::new("topics"), &dirs, &others).unwrap();
        assert_eq!(dirs.map(|dir| disk.exists(&dir).unwrap()), [false, true]);
    }
}
