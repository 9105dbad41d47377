//! Crashes, full disks and failed syncs, at every operation of a run.

use std::path::PathBuf;

use disk::{Disk, SimDisk};

use super::common::*;
use crate::{LogDescription, LogError, LogSettings, PartitionLog};

/// What the journal of a shard would hold for a partition.
#[derive(Clone, Debug)]
enum Entry {
    Append { base_offset: i64, count: i32, value_bytes: usize, epoch: i32 },
    AdvanceStart(i64),
    Settings(LogSettings),
    Roll,
}

/// A run with rolls by size and by hand, gaps, epochs, and a moved log start.
fn entries() -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut next = 0;
    for index in 0..50 {
        let epoch = index / 10;
        let count = 1 + index % 3;
        entries.push(Entry::Append { base_offset: next, count, value_bytes: 40 + index as usize * 7, epoch });
        next += i64::from(count);
        match index {
            8 => entries.push(Entry::AdvanceStart(6)),
            12 => entries.push(Entry::Settings(LogSettings { index_interval_bytes: 50, ..small() })),
            15 => entries.push(Entry::Roll),
            17 => next += 1000,
            25 => entries.push(Entry::AdvanceStart(next)),
            33 => entries.push(Entry::AdvanceStart(next - 2)),
            _ => {}
        }
    }
    entries
}

fn apply(log: &PartitionLog, entry: &Entry) -> Result<(), LogError> {
    match entry {
        Entry::Append { base_offset, count, value_bytes, epoch } => {
            let batch = batch_of_epoch(*base_offset, *count, 1000 + base_offset, *value_bytes, *epoch);
            return append_at(log, &batch, 5000 + base_offset);
        }
        Entry::AdvanceStart(to) => log.advance_start(*to),
        Entry::Settings(settings) => log.set_settings(settings.clone()),
        Entry::Roll => log.roll(),
    }
    Ok(())
}

/// What a manifest would hold.
#[derive(Clone)]
struct Manifest {
    applied: usize,
    settings: LogSettings,
    description: Option<LogDescription>,
}

impl Manifest {
    fn empty() -> Self {
        Manifest { applied: 0, settings: small(), description: None }
    }

    fn open(&self, disk: &SimDisk) -> PartitionLog {
        match &self.description {
            None => PartitionLog::create(files(disk), DIR.into(), self.settings.clone(), 0),
            Some(it) => PartitionLog::restore(files(disk), DIR.into(), self.settings.clone(), it),
        }
    }
}

/// How many entries are applied between two checkpoints.
const CHECKPOINT_EVERY: usize = 7;

/// Goes on from `manifest` to the end, or to the first error.
fn run(disk: &SimDisk, manifest: &mut Manifest) -> Result<PartitionLog, LogError> {
    let log = manifest.open(disk);
    for (index, entry) in entries().iter().enumerate().skip(manifest.applied) {
        apply(&log, entry)?;
        if (index + 1) % CHECKPOINT_EVERY == 0 {
            checkpoint(disk, &log, manifest, index + 1)?;
        }
    }
    checkpoint(disk, &log, manifest, entries().len())?;
    Ok(log)
}

fn checkpoint(disk: &SimDisk, log: &PartitionLog, manifest: &mut Manifest, applied: usize) -> Result<(), LogError> {
    let (description, job) = log.begin_checkpoint();
    job.run()?;
    *manifest = Manifest { applied, settings: log.settings(), description: Some(description) };
    remove(disk, log.take_dropped())
}

fn remove(disk: &SimDisk, paths: Vec<PathBuf>) -> Result<(), LogError> {
    for path in paths {
        match disk.remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(LogError::io(&path)(error)),
            _ => {}
        }
    }
    Ok(())
}

/// The files after a restart, and all that can be read of them.
fn outcome(disk: &SimDisk, manifest: &Manifest) -> Outcome {
    let log = manifest.open(disk);
    let batches = read(&log, log.log_start(), usize::MAX);
    Outcome { batches, files: contents(disk, DIR), description: log.begin_checkpoint().0 }
}

#[derive(PartialEq)]
struct Outcome {
    files: Vec<(String, Vec<u8>)>,
    batches: Vec<u8>,
    description: LogDescription,
}

fn without_faults() -> Outcome {
    let disk = new_disk(0);
    let mut manifest = Manifest::empty();
    run(&disk, &mut manifest).unwrap();
    outcome(&disk, &manifest)
}

#[test]
fn replay_after_a_crash_at_any_operation_gives_the_same_files() {
    let expected = without_faults();
    assert!(expected.files.len() > 15, "a run of several segments");
    for nth in 1.. {
        let mut disk = new_disk(nth);
        let mut manifest = Manifest::empty();
        disk.crash_at(nth);
        let mut crashed = false;
        if run(&disk, &mut manifest).is_err() {
            crashed = true;
            disk = disk.restart(nth * 31);
            run(&disk, &mut manifest).unwrap();
        }
        let got = outcome(&disk, &manifest);
        assert!(got == expected, "crash at operation {nth}");
        if !crashed {
            return;
        }
    }
}

#[test]
fn a_crash_while_restoring_is_like_one_before() {
    let expected = without_faults();
    for nth in 1..60 {
        let disk = new_disk(nth);
        let mut manifest = Manifest::empty();
        disk.crash_at(60);
        assert!(run(&disk, &mut manifest).is_err());
        let disk = disk.restart(nth);
        disk.crash_at(nth);
        let disk = if run(&disk, &mut manifest).is_err() { disk.restart(nth + 1) } else { disk };
        run(&disk, &mut manifest).unwrap();
        assert!(outcome(&disk, &manifest) == expected, "crash at operation {nth} after the restart");
    }
}

#[test]
fn an_append_that_failed_can_be_tried_again() {
    let expected = without_faults();
    for nth in 1.. {
        let disk = new_disk(nth);
        let mut manifest = Manifest::empty();
        let log = manifest.open(&disk);
        disk.fail_at(nth);
        let mut failed = false;
        for (index, entry) in entries().iter().enumerate() {
            while apply(&log, entry).is_err() {
                failed = true;
            }
            if (index + 1) % CHECKPOINT_EVERY == 0 || index + 1 == entries().len() {
                disk.heal();
                checkpoint(&disk, &log, &mut manifest, index + 1).unwrap();
                disk.fail_at(nth);
            }
        }
        disk.heal();
        assert!(outcome(&disk, &manifest) == expected, "failure of operation {nth}");
        if !failed {
            return;
        }
    }
}

#[test]
fn a_full_disk_refuses_appends_until_there_is_room() {
    let disk = new_disk(1);
    let log = new_log(&disk, LogSettings { index_interval_bytes: 100, ..LogSettings::default() });
    let mut kept = fill(&log, 10, 1000);
    disk.set_capacity(Some(20 * 1024));
    let refused = loop {
        let next = batch(log.log_end(), 1, 0, 1000);
        match append_at(&log, &next, 0) {
            Ok(()) => kept.push(next),
            Err(error) => break error,
        }
    };
    assert!(refused.is_disk_full(), "{refused}");
    assert_eq!(read(&log, 0, usize::MAX), kept.concat(), "reads go on");
    disk.set_capacity(None);
    kept.extend(fill(&log, 10, 1000));
    assert_eq!(read(&log, 0, usize::MAX), kept.concat());
}

#[test]
fn a_failed_sync_ends_the_checkpoints_of_a_log() {
    let disk = new_disk(1);
    let log = new_log(&disk, small());
    fill(&log, 3, 100);
    disk.fail_syncs(".log", 1);
    let (_, job) = log.begin_checkpoint();
    assert!(matches!(job.run(), Err(LogError::Io { .. })));
    fill(&log, 3, 100);
    let (_, job) = log.begin_checkpoint();
    assert!(matches!(job.run(), Err(LogError::SyncFailedBefore { .. })), "though the disk would say yes");
}

#[test]
fn a_job_that_never_ran_leaves_its_work_to_the_next() {
    for seed in 0..20 {
        let disk = new_disk(seed);
        let log = new_log(&disk, small());
        fill(&log, 10, 100);
        drop(log.begin_checkpoint());
        assert!(log.is_dirty());
        let (description, job) = log.begin_checkpoint();
        job.run().unwrap();
        let disk = disk.restart(seed);
        let log = PartitionLog::restore(files(&disk), DIR.into(), small(), &description);
        assert_eq!(read(&log, 0, usize::MAX).len() as u64, log.size_bytes());
    }
}

#[test]
fn a_checkpoint_keeps_what_an_earlier_process_made_without_syncing() {
    for seed in 0..20 {
        let disk = new_disk(seed);
        fill(&new_log(&disk, small()), 3, 100);
        // That process was killed before its first checkpoint. This one finds its directory.
        let log = new_log(&disk, small());
        let kept = fill(&log, 3, 100);
        let (description, job) = log.begin_checkpoint();
        job.run().unwrap();
        let disk = disk.restart(seed);
        let log = PartitionLog::restore(files(&disk), DIR.into(), small(), &description);
        assert_eq!(read(&log, 0, usize::MAX), kept.concat());
    }
}

#[test]
fn what_a_crash_left_is_not_read_and_goes_with_the_first_checkpoint() {
    let disk = new_disk(1);
    let log = new_log(&disk, LogSettings { segment_bytes: 1 << 20, ..small() });
    fill(&log, 10, 100);
    let (description, job) = log.begin_checkpoint();
    job.run().unwrap();
    let described = contents(&disk, DIR);
    fill(&log, 10, 100);
    assert!(contents(&disk, DIR) != described);
    let log = PartitionLog::restore(files(&disk), DIR.into(), small(), &description);
    assert_eq!(read(&log, 0, usize::MAX).len() as u64, description.size_bytes());
    log.begin_checkpoint().1.run().unwrap();
    assert!(contents(&disk, DIR) == described);
}

#[test]
fn a_replay_writes_over_what_a_crash_left_and_makes_no_file_again() {
    let disk = new_disk(1);
    let log = new_log(&disk, small());
    let (description, job) = log.begin_checkpoint();
    job.run().unwrap();
    fill(&log, 30, 100);
    let written = contents(&disk, DIR);
    let before = disk.operations().len();
    let log = PartitionLog::restore(files(&disk), DIR.into(), small(), &description);
    fill(&log, 30, 100);
    assert!(contents(&disk, DIR) == written && written.len() > 9);
    assert!(disk.operations()[before..].iter().all(|operation| operation.kind == "write"));
}

#[test]
fn a_clean_log_has_nothing_to_sync() {
    let disk = new_disk(1);
    let log = new_log(&disk, small());
    fill(&log, 30, 100);
    log.begin_checkpoint().1.run().unwrap();
    let mutations = disk.mutations();
    let (_, job) = log.begin_checkpoint();
    assert!(job.is_empty() && !log.is_dirty());
    job.run().unwrap();
    assert_eq!(disk.mutations(), mutations);
}

#[test]
fn appends_go_on_while_a_checkpoint_syncs() {
    let disk = new_disk(1);
    let log = new_log(&disk, small());
    let before = fill(&log, 10, 100);
    let (description, job) = log.begin_checkpoint();
    fill(&log, 10, 100);
    job.run().unwrap();
    assert!(log.is_dirty());
    let disk = disk.restart(3);
    let log = PartitionLog::restore(files(&disk), DIR.into(), small(), &description);
    assert_eq!(read(&log, 0, usize::MAX), before.concat(), "as of the checkpoint, no more and no less");
}

#[test]
fn files_of_dropped_segments_stay_until_the_caller_removes_them() {
    let disk = new_disk(1);
    let log = new_log(&disk, small());
    fill(&log, 30, 100);
    let (description, job) = log.begin_checkpoint();
    job.run().unwrap();
    // A restart, a log start that moves before the first use, and another crash: the manifest still names all.
    let log = PartitionLog::restore(files(&disk), DIR.into(), small(), &description);
    log.advance_start(20);
    append(&log, &batch(30, 1, 0, 10));
    let again = PartitionLog::restore(files(&disk), DIR.into(), small(), &description);
    assert_eq!(read(&again, 0, usize::MAX).len() as u64, description.size_bytes());
    let dropped = log.take_dropped();
    assert!(!dropped.is_empty() && log.take_dropped().is_empty());
    remove(&disk, dropped).unwrap();
    assert_eq!(contents(&disk, DIR).len() as u64 / 3, log.segments() as u64);
}

#[test]
fn deleting_a_partition_leaves_nothing() {
    let disk = new_disk(1);
    let log = new_log(&disk, small());
    fill(&log, 30, 100);
    log.delete_all_files().unwrap();
    assert!(!disk.exists(DIR.as_ref()).unwrap() && !disk.exists("topics/orders".as_ref()).unwrap());
    assert!(disk.exists("topics".as_ref()).unwrap());
    crate::delete_dir(&disk, DIR.as_ref()).unwrap();
}

#[test]
fn files_left_by_an_earlier_life_do_not_disturb_a_new_log() {
    let disk = new_disk(1);
    fill(&new_log(&disk, small()), 30, 100);
    let log = new_log(&disk, small());
    let kept = fill(&log, 2, 50);
    assert_eq!(read(&log, 0, usize::MAX), kept.concat());
    log.begin_checkpoint().1.run().unwrap();
    assert_eq!(contents(&disk, DIR).iter().map(|(_, bytes)| bytes.len()).sum::<usize>(), kept.concat().len());
}
