//! Power cuts, process deaths and failed fsyncs at every point: what was acknowledged is there.

#![allow(clippy::unwrap_used, reason = "tests")]

mod history;

use disk::SimDisk;
use history::{Histories, Rng, in_one_thread, new_disk, open, options};
use journal::JournalError;

/// Runs a script, and returns the disk as it ended.
fn life(disk: &SimDisk, histories: &mut Histories, seed: u64, sync: bool, steps: usize) {
    in_one_thread(async {
        let (journal, recovery) = match open(disk, options(sync)) {
            Ok(opened) => opened,
            Err(JournalError::Io { .. }) => return, // the ordered fault struck already
            Err(error) => panic!("{error}"),
        };
        histories.check(&journal, &recovery);
        histories.run(&journal, disk, &mut Rng(seed), steps).await;
        if !journal.failed() && !disk.crashed() {
            histories.check_in_memory(&journal);
        }
    });
}

fn check_after(disk: &SimDisk, histories: &mut Histories, sync: bool) {
    in_one_thread(async {
        let (journal, recovery) = open(disk, options(sync)).unwrap();
        histories.check(&journal, &recovery);
    });
}

/// One script, cut off at each of its operations.
fn every_crash_point(sync: bool) {
    for seed in 0..3 {
        let mut nth = 0;
        loop {
            nth += 1;
            let disk = new_disk(seed);
            disk.crash_at(nth);
            let mut histories = Histories::new(sync);
            life(&disk, &mut histories, seed, sync, 80);
            let ended = !disk.crashed();
            check_after(&disk.restart(nth), &mut histories, sync);
            if ended {
                break;
            }
        }
        assert!(nth > 60, "the script has only {nth} operations");
    }
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_at_every_operation() {
    every_crash_point(true);
}

#[test]
fn in_relaxed_mode_a_power_cut_leaves_a_first_part_with_all_votes_and_memberships() {
    every_crash_point(false);
}

#[test]
fn what_was_acknowledged_survives_many_lives() {
    for seed in 0..300 {
        let sync = seed % 3 != 0;
        let mut rng = Rng(seed);
        let mut disk = new_disk(seed);
        let mut histories = Histories::new(sync);
        for _ in 0..6 {
            // Now and then the disk fills up, and purges overtake what waits.
            let capacity = (rng.below(3) == 0).then(|| (100 + rng.below(300)) << 10);
            disk.set_capacity(capacity);
            match rng.below(4) {
                0 => {} // the process dies, the machine does not
                1 => disk.fail_syncs("journal", 1),
                _ => disk.crash_at(1 + rng.below(120)),
            }
            life(&disk, &mut histories, rng.next(), sync, 60);
            if rng.below(2) == 0 || disk.crashed() {
                disk = disk.restart(rng.next());
            }
            disk.heal();
            disk.set_capacity(None);
        }
        check_after(&disk.restart(seed), &mut histories, sync);
    }
}

#[test]
fn equal_seeds_give_equal_disks() {
    let run = || {
        let disk = new_disk(5);
        life(&disk, &mut Histories::new(true), 5, true, 200);
        disk.digest()
    };
    assert_eq!(run(), run());
}
