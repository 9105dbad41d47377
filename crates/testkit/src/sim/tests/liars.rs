//! Disks that lie to the broker: each breaks a promise that the broker then breaks to its clients.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use disk::{Disk, Entry, File, Map, Open, SimDisk};

use super::{LOSS, POWER_CUT, assert_found, lens};
use crate::history::Check;
use crate::sim::nemesis::Fault;
use crate::sim::promises::Rule;

/// What it lies about, for files whose path has this in it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lie {
    /// It says that it synced, and did not.
    NotSynced(&'static str),
    /// It says that it synced, and does so a little later.
    SyncedLater(&'static str),
    /// It says that it synced when it failed to.
    NoSyncFails,
    /// It says that names are durable, and does nothing for them.
    NamesNotSynced,
    /// It never has room again once it was full.
    FullForEver,
    /// It writes something else than it was given.
    Garbles(&'static str),
}

struct Liar {
    disk: SimDisk,
    lie: Lie,
    was_full: AtomicBool,
}

struct LyingFile {
    file: Arc<dyn File>,
    lie: Option<Lie>,
}

/// The disks of all brokers.
pub(super) fn liar(lie: Lie) -> impl Fn(i32, SimDisk) -> Arc<dyn Disk> + Send + Sync + 'static {
    liars_of(|_| true, lie)
}

/// The disks of some brokers.
pub(super) fn liars_of(
    lies: impl Fn(i32) -> bool + Send + Sync + 'static,
    lie: Lie,
) -> impl Fn(i32, SimDisk) -> Arc<dyn Disk> + Send + Sync + 'static {
    move |broker, disk| match lies(broker) {
        true => Arc::new(Liar { disk, lie, was_full: AtomicBool::new(false) }),
        false => Arc::new(disk),
    }
}

impl Disk for Liar {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        let file = self.disk.open(path, how)?;
        let here = |part: &str| path.to_string_lossy().contains(part);
        let lie = match self.lie {
            Lie::NotSynced(part) | Lie::SyncedLater(part) | Lie::Garbles(part) => here(part).then_some(self.lie),
            lie => Some(lie),
        };
        Ok(Arc::new(LyingFile { file, lie }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.link(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_dir(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.disk.list(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        match self.lie {
            Lie::NamesNotSynced => Ok(()),
            _ => self.disk.sync_dir(dir),
        }
    }

    fn available_bytes(&self, dir: &Path) -> io::Result<u64> {
        const A_LOT: u64 = 1 << 30; // an endless disk has more
        let bytes = self.disk.available_bytes(dir)?;
        if matches!(self.lie, Lie::FullForEver) && bytes < A_LOT {
            self.was_full.store(true, Ordering::Relaxed);
        }
        Ok(if self.was_full.load(Ordering::Relaxed) { 0 } else { bytes })
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        self.disk.lock(path)
    }
}

impl File for LyingFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn write_all_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.file.write_all_at(parts, offset)?;
        let len: usize = parts.iter().map(|part| part.len()).sum();
        if matches!(self.lie, Some(Lie::Garbles(_))) && len > 0 {
            let last = parts.iter().flat_map(|part| part.last()).next_back().copied().unwrap_or_default();
            self.file.write_all_at(&[IoSlice::new(&[!last])], offset + len as u64 - 1)?;
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        match self.lie {
            Some(Lie::NotSynced(_)) => Ok(()),
            Some(Lie::SyncedLater(_)) => {
                let file = self.file.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    file.sync_data().ok();
                });
                Ok(())
            }
            Some(Lie::NoSyncFails) => self.file.sync_data().or(Ok(())),
            _ => self.file.sync_data(),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn map(&self, len: u64) -> io::Result<Arc<dyn Map>> {
        self.file.map(len)
    }

    fn start_write_back(&self, offset: u64, len: u64) {
        self.file.start_write_back(offset, len);
    }
}

#[test]
fn a_journal_that_is_never_synced_cannot_be_started_from_and_nothing_is_left_to_read() {
    let rules = [Rule::Unavailable, Rule::History(Check::Unseen)];
    assert_found(&lens(liar(Lie::NotSynced("journal/")), &[POWER_CUT]), &rules);
}

#[test]
fn an_answer_before_the_sync_loses_what_was_acknowledged() {
    assert_found(&lens(liar(Lie::SyncedLater("journal/")), &[POWER_CUT]), &LOSS);
}

#[test]
fn segments_that_a_checkpoint_does_not_sync_lose_what_was_acknowledged() {
    // The journal has let go of what they are believed to hold.
    let unsynced = lens(liar(Lie::NotSynced("topics/")), &[POWER_CUT]);
    assert_found(&unsynced, &[Rule::NotHealed]);
}

#[test]
fn a_manifest_that_is_not_synced_is_missed_at_the_start() {
    assert_found(&lens(liar(Lie::NotSynced("groups/")), &[POWER_CUT]), &[Rule::Unavailable]);
}

#[test]
fn names_that_are_not_synced_lose_files() {
    assert_found(&lens(liar(Lie::NamesNotSynced), &[POWER_CUT]), &[Rule::EndWentBack]);
}

#[test]
fn going_on_after_a_failed_sync_loses_what_was_acknowledged() {
    let failing = [Fault::FailedSync("journal/"), POWER_CUT];
    assert_found(&lens(liar(Lie::NoSyncFails), &failing), &LOSS);
}

#[test]
fn a_broker_that_stays_read_only_after_a_full_disk_has_not_healed() {
    assert_found(&lens(liar(Lie::FullForEver), &[Fault::FullDisk]), &[Rule::NotHealed]);
}
