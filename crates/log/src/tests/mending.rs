//! Damage that another replica's batches put right.

use std::path::Path;

use disk::{Disk, Open, SimDisk};

use super::common::*;
use crate::{Hole, LogSettings, Mended, PartitionLog};

/// The first of two segments.
const FIRST: &str = "00000000000000000000.log";

const BATCHES: i64 = 8;

fn settings() -> LogSettings {
    LogSettings { segment_bytes: 1000, index_interval_bytes: 300, ..LogSettings::default() }
}

/// Two replicas with some segments, of which the first has several batches, and where its second batch begins.
fn replicas() -> ([SimDisk; 2], [PartitionLog; 2], u64) {
    let disks = [1, 2].map(new_disk);
    let mut second = 0;
    let logs = [0, 1].map(|replica: usize| {
        let log = new_log(&disks[replica], settings());
        second = fill(&log, BATCHES as usize, 150)[0].len() as u64;
        let (_, job) = log.begin_checkpoint();
        job.run().unwrap();
        log
    });
    assert!(logs[0].segments() > 1);
    (disks, logs, second)
}

/// Closes all holes of the segment that holds an offset, with batches of another replica, so many bytes at a time.
fn mend(log: &PartitionLog, offset: i64, from: &PartitionLog, most_bytes: usize) -> Result<usize, Mended> {
    let mut closed = 0;
    while let Some(mut hole) = log.first_hole(offset).unwrap() {
        let mut most = most_bytes;
        loop {
            match log.mend(&hole, &from.read_checked(hole.from, most).unwrap().concat()).unwrap() {
                Mended::Closed => break,
                Mended::GoesOn(rest) => hole = rest,
                Mended::NeedsMore if most < 10_000 => most += most_bytes,
                why => return Err(why),
            }
        }
        closed += 1;
    }
    Ok(closed)
}

fn first() -> std::path::PathBuf {
    Path::new(DIR).join(FIRST)
}

#[test]
fn whatever_bit_of_a_batch_flips_it_is_found_and_put_right() {
    let (disks, [log, other], second) = replicas();
    let good = contents(&disks[0], DIR);
    for at in 0..HEAD_BYTES_AND_SOME {
        for bit in [0, 7] {
            disks[0].flip_bit(&first(), second + at, bit).unwrap();
            if LEADER_EPOCH.contains(&at) {
                // What no checksum covers, and nothing contradicts.
                assert_eq!(log.first_hole(0).unwrap(), None);
                disks[0].flip_bit(&first(), second + at, bit).unwrap();
                continue;
            }
            let closed = mend(&log, 0, &other, 1);
            assert!(contents(&disks[0], DIR) == good, "byte {at}, bit {bit}: {closed:?}");
        }
    }
    assert!(contents(&disks[0].restart(1), DIR) == good, "it is durable");
}

/// Bytes of a batch that are spoiled: its header, and the first of its record.
const HEAD_BYTES_AND_SOME: u64 = 70;

const LEADER_EPOCH: std::ops::Range<u64> = 12..16;

#[test]
fn a_file_that_was_cut_or_is_gone_gets_back_what_it_lacks() {
    for cut in [None, Some(0), Some(1), Some(100), Some(300), Some(500)] {
        for most_bytes in [1, 400, 10_000] {
            let (disks, [log, other], _) = replicas();
            let good = contents(&disks[0], DIR);
            match cut {
                Some(len) => disks[0].open(&first(), Open::Write).unwrap().set_len(len).unwrap(),
                None => disks[0].remove_file(&first()).unwrap(),
            }
            // As after a start: nothing is open.
            let (description, _) = log.begin_checkpoint();
            let log = PartitionLog::restore(files(&disks[0]), DIR.into(), settings(), &description);
            assert_eq!(mend(&log, 0, &other, most_bytes), Ok(1), "cut to {cut:?}, {most_bytes} at a time");
            assert_eq!(read(&log, 0, usize::MAX), read(&other, 0, usize::MAX));
            assert!(contents(&disks[0].restart(1), DIR) == good, "cut to {cut:?}, {most_bytes} at a time");
        }
    }
}

#[test]
fn several_holes_are_closed_one_after_another_and_the_other_segments_are_left_alone() {
    let (disks, [log, other], second) = replicas();
    let good = contents(&disks[0], DIR);
    for at in [70, 2 * second + 70] {
        disks[0].flip_bit(&first(), at, 3).unwrap();
    }
    assert_eq!(log.first_hole(BATCHES - 1).unwrap(), None, "another segment");
    assert_eq!(log.first_hole(1).unwrap().map(|Hole { position, from, .. }| (position, from)), Some((0, 0)));
    assert_eq!(mend(&log, 1, &other, 1), Ok(2));
    assert!(contents(&disks[0], DIR) == good);
}

#[test]
fn batches_that_stand_elsewhere_are_not_written_over_good_ones() {
    let (disks, [log, _], second) = replicas();
    disks[0].flip_bit(&first(), second + 70, 3).unwrap();
    let before = contents(&disks[0], DIR);
    // As compaction would have left them: the batch has become smaller.
    let elsewhere = new_log(&new_disk(3), settings());
    fill(&elsewhere, BATCHES as usize, 149);
    assert_eq!(mend(&log, 0, &elsewhere, 1), Err(Mended::DoesNotFit));
    let hole = log.first_hole(0).unwrap().unwrap();
    assert_eq!(
        log.mend(&hole, b"no batch at all, but as many bytes as the header of one would have").unwrap(),
        Mended::DoesNotFit
    );
    assert!(contents(&disks[0], DIR) == before);
}
