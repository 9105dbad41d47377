//! Taking a data directory: it is looked at first, so that one that is not ours, or that a newer version
//! wrote, is left as it is.

use std::io;
use std::path::{Path, PathBuf};

use disk::Disk;
use manifest::{Manifest, ManifestError};

use crate::env::Env;
use crate::error::StartError;
use crate::meta::{self, Meta};

/// What everything else is kept in.
const FOLDERS: [&str; 3] = ["groups", "journal", "topics"];

/// A directory that nobody else may open while this lives.
pub(crate) type Lock = Box<dyn Send + Sync>;

/// Locks the directory and makes it ready for use, or says why it can't be used. One that is new has no identity yet.
pub(crate) fn take(env: &Env, dir: &Path, node_id: Option<i32>) -> Result<(Lock, Option<Meta>), StartError> {
    let disk = &*env.disk;
    let failed = |why| StartError::DataDirectory { path: dir.to_owned(), why };
    let lock_file = dir.join("LOCK");
    // Before the lock is taken, since that makes a file.
    if Meta::find(disk, dir, node_id)?.is_none() && !disk.exists(&lock_file).map_err(failed)? {
        refuse_data_without_meta(disk, dir)?;
    }
    disk.create_dir_all(dir).map_err(failed)?;
    let lock = disk.lock(&lock_file).map_err(|why| match why.kind() {
        io::ErrorKind::WouldBlock => StartError::InUse(dir.to_owned()),
        _ => failed(why),
    })?;
    // Once more: whoever held the lock until now may have made it a data directory.
    let meta = Meta::find(disk, dir, node_id)?;
    match meta {
        Some(_) => {
            refuse_data_without_journal(disk, dir)?;
            refuse_newer_manifests(disk, &dir.join("groups"))?;
        }
        None => refuse_data_without_meta(disk, dir)?,
    }
    lay_out(disk, dir).map_err(failed)?;
    Ok((lock, meta))
}

/// A directory that holds data was given its name before: to give it another would make all that data
/// somebody else's.
fn refuse_data_without_meta(disk: &dyn Disk, dir: &Path) -> Result<(), StartError> {
    match first_with_files(disk, dir, &FOLDERS)? {
        Some(holding) => Err(StartError::Incomplete { missing: meta::path(dir), holding }),
        None => Ok(()),
    }
}

/// A journal comes before everything else. To begin a new one would be to forget what only the old one
/// knows, and to sweep away the files of partitions that it opened.
fn refuse_data_without_journal(disk: &dyn Disk, dir: &Path) -> Result<(), StartError> {
    match first_with_files(disk, dir, &["groups", "topics"])? {
        Some(holding) if first_with_files(disk, dir, &["journal"])?.is_none() => {
            Err(StartError::Incomplete { missing: dir.join("journal"), holding })
        }
        _ => Ok(()),
    }
}

fn first_with_files(disk: &dyn Disk, dir: &Path, folders: &[&str]) -> Result<Option<PathBuf>, StartError> {
    for folder in folders.iter().map(|name| dir.join(name)) {
        let entries = disk.exists(&folder).and_then(|exists| if exists { disk.list(&folder) } else { Ok(Vec::new()) });
        if !entries.map_err(|why| StartError::DataDirectory { path: folder.clone(), why })?.is_empty() {
            return Ok(Some(folder));
        }
    }
    Ok(None)
}

/// Refuses manifests of a newer format, while nothing is changed yet. What else may be wrong with one is
/// told by whoever opens it.
fn refuse_newer_manifests(disk: &dyn Disk, groups: &Path) -> Result<(), StartError> {
    let failed = |why| StartError::DataDirectory { path: groups.to_owned(), why };
    if !disk.exists(groups).map_err(failed)? {
        return Ok(());
    }
    for group in disk.list(groups).map_err(failed)? {
        if let Err(why @ ManifestError::Newer { .. }) = Manifest::refuse_newer(disk, &groups.join(&group.name)) {
            return Err(why.into());
        }
    }
    Ok(())
}

/// Makes the folders, for good: a file that is synced is lost all the same if the name of a directory
/// above it is not.
fn lay_out(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    for name in FOLDERS {
        disk.create_dir_all(&dir.join(name))?;
    }
    disk.sync_dir(dir)?;
    dir.parent().map_or(Ok(()), |parent| disk.sync_dir(parent))
}
