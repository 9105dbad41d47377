//! A pass among all else that happens to a log.

use std::sync::atomic::{AtomicBool, Ordering};

use disk::Disk;

use super::*;

const TEXTS: &[&str] = &["a=1", "b=1", "a=2", "c=1", "a=3", "b=2"];

/// The step at which files are replaced for the first time.
fn until_replaced(pass: &mut crate::Compaction) {
    while !matches!(pass.step(1).unwrap(), CompactionStep::Replaced(_)) {}
}

#[test]
fn what_was_read_before_stays_readable_after() {
    let disk = new_disk(1);
    let log = log_of(&disk, TEXTS);
    let held = log.read(0, usize::MAX, true).unwrap();
    let before = held.concat();
    compact(&log, 0);
    for path in log.take_dropped() {
        disk.remove_file(&path).ok();
    }
    assert_eq!(held.concat(), before);
    assert_eq!(lines(&log), ["3 c=1", "4 a=3", "5 b=2", "6 end=0"]);
}

#[test]
fn readers_find_every_record_while_segments_are_replaced_and_removed() {
    let disk = new_disk(1);
    let log = new_log(&disk, LogSettings { segment_bytes: 400, ..small() });
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        let had_all = log.log_end() >= 10;
                        let last = last_of_each(&seen(&log));
                        let values: Vec<_> = last.values().map(|record| record.value.clone().unwrap()).collect();
                        assert!(values.len() == 10 || !had_all, "{values:?}");
                        let from = log.log_end() / 2;
                        log.read(from, 1000, true).unwrap();
                        log.offset_for_timestamp(1000 + from).unwrap();
                        log.max_timestamp().unwrap();
                    }
                })
            })
            .collect();
        for round in 0..300 {
            add(&log, &format!("k{}={round}", round % 10));
            if round % 7 == 6 {
                compact(&log, 0);
                log.take_dropped().iter().for_each(|path| drop(disk.remove_file(path)));
            }
        }
        is_over.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

#[test]
fn a_log_start_that_moves_past_segments_ends_the_pass_and_leaves_no_files() {
    let disk = new_disk(1);
    let log = log_of(&disk, TEXTS);
    let mut pass = log.compact(order(0));
    while contents(&disk, DIR).len() < 4 {
        pass.step(1).unwrap();
    }
    log.advance_start(5);
    let ended =
        std::iter::repeat_with(|| pass.step(1).unwrap()).find(|step| !matches!(step, CompactionStep::Worked(_)));
    assert_eq!(ended, Some(CompactionStep::Overtaken));
    assert_eq!(lines(&log), ["5 b=2", "6 end=0"]);
    log.take_dropped().iter().for_each(|path| drop(disk.remove_file(path)));
    assert_eq!(contents(&disk, DIR).len(), 2 + 1, "two segments, of which one has a time index");
}

#[test]
fn a_partition_that_is_deleted_ends_the_pass_and_leaves_nothing() {
    for steps in 0..12 {
        let disk = new_disk(1);
        let log = log_of(&disk, TEXTS);
        let mut pass = log.compact(order(0));
        (0..steps).for_each(|_| assert!(pass.step(1).is_ok()));
        log.delete_all_files().unwrap();
        assert_eq!(pass.step(1).unwrap(), CompactionStep::Overtaken);
        drop(pass);
        assert!(!disk.exists("topics/orders".as_ref()).unwrap(), "after {steps} steps");
    }
}

#[test]
fn a_pass_that_is_given_up_leaves_no_files_and_can_be_made_again() {
    let disk = new_disk(1);
    let log = log_of(&disk, TEXTS);
    let before = contents(&disk, DIR);
    let mut pass = log.compact(order(0));
    while contents(&disk, DIR).len() == before.len() {
        pass.step(1).unwrap();
    }
    drop(pass);
    assert_eq!(contents(&disk, DIR), before);
    compact(&log, 0);
    assert_eq!(lines(&log).len(), 4);
}

#[test]
fn damage_ends_the_pass_and_nothing_behind_it_is_dropped() {
    let disk = new_disk(1);
    let log = log_of(&disk, TEXTS);
    let segment = contents(&disk, DIR)[0].0.clone();
    for (at, position) in [(65, 0), (70, 70)] {
        disk.flip_bit(&path(&segment), at, 1).unwrap();
        let mut pass = log.compact(order(0));
        let error = std::iter::repeat_with(|| pass.step(1)).find_map(Result::err).unwrap();
        assert!(matches!(error, LogError::Damaged { position: at, .. } if at == position), "{error}");
        assert_eq!(pass.step(1).unwrap(), CompactionStep::Overtaken);
        assert_eq!(log.read(3, usize::MAX, true).unwrap().len(), 2, "all else is there");
        disk.flip_bit(&path(&segment), at, 1).unwrap();
    }
    compact(&log, 0);
}

#[test]
fn files_of_earlier_passes_are_not_overwritten_while_they_are_there() {
    let disk = new_disk(1);
    let log = log_of(&disk, TEXTS);
    let mut dropped = Vec::new();
    for round in 0..5 {
        compact(&log, 0);
        dropped.extend(log.take_dropped());
        log.roll();
        add(&log, &format!("end={round}"));
    }
    let logs: Vec<_> = dropped.iter().filter(|path| path.extension().is_some_and(|it| it == "log")).collect();
    assert_eq!(logs.iter().collect::<std::collections::BTreeSet<_>>().len(), logs.len());
    assert!(logs.iter().all(|path| disk.exists(path).unwrap()));
    for path in dropped {
        disk.remove_file(&path).ok();
    }
    assert_eq!(lines(&log), ["3 c=1", "4 a=3", "5 b=2", "9 end=2", "10 end=3", "11 end=4"]);
}

#[test]
fn appends_go_on_during_a_pass() {
    let log = log_of(&new_disk(1), TEXTS);
    let mut pass = log.compact(order(0));
    until_replaced(&mut pass);
    add(&log, "a=9");
    while !matches!(pass.step(1).unwrap(), CompactionStep::Done(_)) {}
    assert_eq!(lines(&log), ["3 c=1", "4 a=3", "5 b=2", "6 end=0", "7 a=9"]);
}
