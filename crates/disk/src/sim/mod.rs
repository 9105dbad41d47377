//! A disk in memory that does what a disk may do at its worst.
//!
//! * [`content`]: the bytes of one file: as programs see them, as the platter holds them, and the
//!   writes in between.
//! * [`names`]: directories, likewise in three states.
//! * [`faults`]: what a test may order to go wrong.
//! * [`state`]: all of it behind one lock, the operations on files, and what a crash leaves; [`tree`]:
//!   the operations on names.

mod content;
mod faults;
mod file;
mod names;
mod random;
mod state;
mod tree;

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use state::Operation;

use crate::{Disk, Entry, File, Open, check_same_parent};
use file::{SimFile, SimLock};
use random::Rng;
use state::State;

/// A simulated disk; a cheap handle, clones share it. Equal seeds and equal calls give equal results.
///
/// **What a crash leaves** ([`restart`](SimDisk::restart)): what was synced, and of what was not:
/// of each 512-byte or 4-KiB sector the first few of the writes to it, perhaps torn within a byte
/// range; of a file's length changes the first few, perhaps cut at a sector; of the changes to the
/// names in a directory the first few. All drawn from the seed.
///
/// Paths are taken from one root: `/a`, `a` and `./a` are one file.
#[derive(Clone)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

impl SimDisk {
    /// An empty disk without end.
    pub fn new(seed: u64) -> Self {
        SimDisk { state: Arc::new(Mutex::new(State::new(seed))) }
    }

    /// Power goes off: every operation of this disk and its files fails from now on.
    pub fn crash(&self) {
        self.state().faults.crashed = true;
    }

    /// Whether power is off.
    pub fn crashed(&self) -> bool {
        self.state().faults.crashed
    }

    /// Power goes off, and on again: the disk with what survived, by this seed. The old handles stay
    /// dead, as do the process's. Locks are released, ordered faults forgotten, capacity stays.
    pub fn restart(&self, seed: u64) -> SimDisk {
        let mut state = self.state();
        state.faults.crashed = true;
        SimDisk { state: Arc::new(Mutex::new(state.survivors(Rng::new(seed)))) }
    }

    /// The disk as it is now, unsynced writes and all, which goes its own way from here on; locks are
    /// released, ordered faults forgotten, capacity stays. With a [`crash`](SimDisk::crash) of this
    /// one it is what a process that is killed leaves behind, on a machine that goes on.
    pub fn copy(&self, seed: u64) -> SimDisk {
        SimDisk { state: Arc::new(Mutex::new(self.state().copied(seed))) }
    }

    /// Crashes at the `nth` mutating operation from now (1 is the next): it has happened as far as
    /// anything unsynced has, but its caller is told of an error. Reads do not count.
    pub fn crash_at(&self, nth: u64) {
        let mut state = self.state();
        state.faults.crash_at = Some(state.mutations + nth);
    }

    /// Fails the `nth` mutating operation from now (1 is the next) with an I/O error; it has no
    /// effect, but if it is a sync: see [`fail_syncs`](SimDisk::fail_syncs).
    pub fn fail_at(&self, nth: u64) {
        let mut state = self.state();
        state.faults.fail_at = Some(state.mutations + nth);
    }

    /// The next `count` syncs of files whose path contains `path` fail, and the pages are gone: some
    /// reached the platter, the others never will, though reads still see them and the sync after
    /// succeeds. (So it is on Linux.)
    pub fn fail_syncs(&self, path: &str, count: u32) {
        self.state().faults.failing_syncs.push((path.to_owned(), count));
    }

    /// Reads that touch this range of files whose path contains `path` fail with an I/O error.
    pub fn fail_reads(&self, path: &str, range: Range<u64>) {
        self.state().faults.failing_reads.push((path.to_owned(), range));
    }

    /// Takes back all that was ordered by [`fail_at`](SimDisk::fail_at), [`crash_at`](SimDisk::crash_at),
    /// [`fail_syncs`](SimDisk::fail_syncs) and [`fail_reads`](SimDisk::fail_reads).
    pub fn heal(&self) {
        let mut state = self.state();
        state.faults = faults::Faults { crashed: state.faults.crashed, ..Default::default() };
    }

    /// Bounds the bytes that files may take, in pages of 4 KiB; above it writes fail with
    /// `StorageFull`, after having written what fitted.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Flips one bit of a file, for readers and on the platter.
    pub fn flip_bit(&self, path: &Path, offset: u64, bit: u8) -> io::Result<()> {
        self.state().flip_bit(path, offset, bit)
    }

    /// Mutating operations so far: writes, syncs, length changes, and changes of names.
    pub fn mutations(&self) -> u64 {
        self.state().mutations
    }

    /// The last operations (4,096 at most), for debugging.
    pub fn operations(&self) -> Vec<Operation> {
        self.state().operations.iter().cloned().collect()
    }

    /// A fingerprint of all names and bytes on the platter, to compare two runs of one seed.
    pub fn digest(&self) -> u64 {
        self.state().digest()
    }

    /// A panic in a test's thread must not hide the state from the others.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        let inode = self.state().open(path, how)?;
        Ok(Arc::new(SimFile::new(self.clone(), inode, path, how)))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.state().create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        check_same_parent(from, to)?;
        self.state().rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.state().link(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.state().remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.state().remove_dir(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.state().list(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.state().exists(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.state().sync_dir(dir)
    }

    fn available_bytes(&self, _dir: &Path) -> io::Result<u64> {
        self.state().available_bytes()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        drop(self.open(path, Open::Create)?);
        self.state().lock(path)?;
        Ok(Box::new(SimLock::new(self.clone(), path)))
    }
}

#[cfg(test)]
mod tests;
