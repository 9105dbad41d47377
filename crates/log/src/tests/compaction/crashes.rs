//! Crashes, full disks and failed syncs at every operation of a pass and of the checkpoint after it.

use disk::Disk;

use super::*;
use crate::LogDescription;

const TEXTS: &[&str] = &["a=1", "b=1", "a=2 d=1", "c=1", "a=3", "b", "d=2", "e=1 a=4", "c", "f=1"];

/// A checkpointed log, and the disk that it is on.
fn checkpointed(seed: u64) -> (SimDisk, PartitionLog, LogDescription) {
    let disk = new_disk(seed);
    let log = log_of(&disk, TEXTS);
    let (description, job) = log.begin_checkpoint();
    job.run().unwrap();
    (disk, log, description)
}

/// A pass, then a checkpoint whose description takes the place of `durable`, then the old files go.
fn run(disk: &SimDisk, log: &PartitionLog, durable: &mut LogDescription) -> Result<(), LogError> {
    compact_by(log, order(5000))?;
    let dropped = log.take_dropped();
    let (description, job) = log.begin_checkpoint();
    job.run()?;
    *durable = description;
    for path in dropped.iter().filter(|path| disk.exists(path).unwrap_or(false)) {
        disk.remove_file(path).map_err(LogError::io(path))?;
    }
    Ok(())
}

#[test]
fn a_crash_at_any_step_leaves_the_old_log_or_the_new() {
    let (disk, log, mut description) = checkpointed(1);
    let old = lines(&log);
    let before = disk.mutations();
    run(&disk, &log, &mut description).unwrap();
    let steps = disk.mutations() - before;
    let new = lines(&log);
    assert_eq!(new, ["6 b=gone", "7 d=2", "8 e=1", "9 a=4", "10 c=gone", "11 f=1", "12 end=0"]);
    assert!(steps > 10, "it took {steps} steps");
    for step in 1..=steps {
        for seed in 0..8 {
            let (disk, log, mut description) = checkpointed(1);
            disk.crash_at(step);
            run(&disk, &log, &mut description).unwrap_err();
            let disk = disk.restart(seed);
            let log = PartitionLog::restore(files(&disk), DIR.into(), small(), &description);
            let left = lines(&log);
            assert!(left == old || left == new, "step {step}, seed {seed}: {left:?}");
            add(&log, "a=5");
            run(&disk, &log, &mut description).unwrap();
            assert_eq!(lines(&log)[..new.len()], new, "step {step}, seed {seed}: and once more");
            let named = contents(&disk, DIR).iter().filter(|(name, _)| name.ends_with(".log")).count();
            assert_eq!(named, log.segments(), "step {step}, seed {seed}: no file is left behind");
        }
    }
}

#[test]
fn a_full_disk_at_any_step_leaves_the_log_readable() {
    let (_, log, _) = checkpointed(1);
    let old = lines(&log);
    for room in 0..6 {
        let (disk, log, mut description) = checkpointed(1);
        // In pages of 4 KiB; no file here has more than one.
        let used = contents(&disk, DIR).iter().filter(|(_, bytes)| !bytes.is_empty()).count() as u64;
        disk.set_capacity(Some((used + room) * 4096));
        let ran = run(&disk, &log, &mut description);
        let kept = lines(&log);
        assert!(ran.is_ok() || last_of_each(&seen(&log)).len() == 7, "room for {room}: {kept:?}");
        disk.set_capacity(None);
        run(&disk, &log, &mut description).unwrap();
        assert!(lines(&log).len() < old.len());
    }
}

#[test]
fn a_failed_sync_of_a_rewritten_segment_changes_nothing() {
    let (disk, log, mut description) = checkpointed(1);
    let (old, files) = (lines(&log), contents(&disk, DIR));
    disk.fail_syncs("topics", 1);
    assert!(compact_by(&log, order(5000)).is_err());
    assert_eq!((lines(&log), contents(&disk, DIR)), (old, files));
    run(&disk, &log, &mut description).unwrap();
}
