//! Where another member's state is fetched to, beside the manifest of the shard.
//!
//! ```text
//! groups/<group>/catch-up/<partition>-<topic id>/...   is being fetched; outlives a crash
//! groups/<group>/catch-up.install/...                  becomes the state: its files have second names among the
//!                                                      partitions' by now, so that nothing may be fetched into them
//! ```

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use disk::{Disk, Entry};
use tokio::sync::OwnedMutexGuard;

use super::PinId;
use super::offer::{Replica, State};

/// The stage of one shard. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Stage {
    parent: PathBuf,
    fetching: PathBuf,
    installing: PathBuf,
    /// Held by who fetches, down to the last job on a thread of its own.
    in_use: Arc<tokio::sync::Mutex<()>>,
    /// The description of what is here, whole.
    fetched: Arc<Mutex<Option<(PinId, State)>>>,
}

impl Stage {
    /// That of a shard whose manifest is in `dir`.
    pub(crate) fn new(dir: &Path) -> Self {
        Stage {
            parent: dir.to_owned(),
            fetching: dir.join("catch-up"),
            installing: dir.join("catch-up.install"),
            in_use: Arc::default(),
            fetched: Arc::default(),
        }
    }

    /// The stage for oneself, once who had it before has let go of its files.
    pub(super) async fn lock(&self) -> OwnedMutexGuard<()> {
        self.in_use.clone().lock_owned().await
    }

    /// Resolves when nobody fetches any more.
    pub(crate) async fn at_rest(&self) {
        drop(self.lock().await);
    }

    /// Bytes that are free where it is.
    pub(super) fn available_bytes(&self, disk: &dyn Disk) -> io::Result<u64> {
        // A shard that is new here has no directory yet.
        let mut dir = self.parent.as_path();
        while !disk.exists(dir)? {
            dir = dir.parent().ok_or(ErrorKind::NotFound)?;
        }
        disk.available_bytes(dir)
    }

    /// Where a partition is fetched to.
    pub(super) fn of(&self, replica: &Replica) -> PathBuf {
        self.fetching.join(replica.name())
    }

    /// Where it is while it is installed.
    pub(super) fn installing(&self, replica: &Replica) -> PathBuf {
        self.installing.join(replica.name())
    }

    /// All that an offer names is here, or in the state: it may be installed.
    pub(super) fn put_fetched(&self, pin: PinId, state: State) {
        *self.fetched.lock().unwrap_or_else(PoisonError::into_inner) = Some((pin, state));
    }

    pub(super) fn take_fetched(&self, pin: PinId) -> Option<State> {
        let fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner).take();
        fetched.filter(|(of, _)| *of == pin).map(|(_, state)| state)
    }

    /// Bytes that lie here.
    pub(super) fn size_bytes(&self, disk: &dyn Disk) -> io::Result<u64> {
        let mut bytes = 0;
        for dir in list(disk, &self.fetching)? {
            bytes += list(disk, &self.fetching.join(dir.name))?.iter().map(|file| file.len).sum::<u64>();
        }
        Ok(bytes)
    }

    /// Removes what an earlier offer brought of partitions that are not in this one.
    pub(super) fn tidy<'a>(&self, disk: &dyn Disk, wanted: impl Iterator<Item = &'a Replica>) -> io::Result<()> {
        let wanted: BTreeSet<String> = wanted.map(Replica::name).collect();
        for dir in list(disk, &self.fetching)?.into_iter().filter(|dir| !wanted.contains(&dir.name)) {
            log::delete_dir(disk, &self.fetching.join(dir.name)).map_err(io::Error::other)?;
        }
        Ok(())
    }

    /// From here on until [`clear`](Self::clear) nothing of it is fetched into, even after a crash.
    pub(super) fn begin_install(&self, disk: &dyn Disk) -> io::Result<()> {
        self.clear(disk)?;
        if disk.exists(&self.fetching)? {
            disk.rename(&self.fetching, &self.installing)?;
            disk.sync_dir(&self.parent)?;
        }
        Ok(())
    }

    /// Removes what was installed, or was to be when power failed.
    pub(crate) fn clear(&self, disk: &dyn Disk) -> io::Result<()> {
        for dir in list(disk, &self.installing)? {
            log::delete_dir(disk, &self.installing.join(dir.name)).map_err(io::Error::other)?;
        }
        match disk.remove_dir(&self.installing) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn list(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<Entry>> {
    match disk.list(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed,
    }
}
