//! Files that are not what was written.

use bytes::Bytes;
use disk::{Disk, Open, SimDisk};

use super::common::*;
use crate::{LogDescription, LogError, LogSettings, PartitionLog};

/// One segment of 40 batches with an index entry for every fourth, the last not among them; checkpointed.
fn one_segment(disk: &SimDisk) -> (Vec<Bytes>, LogDescription) {
    let log = new_log(disk, settings());
    let batches = fill(&log, 40, 110);
    let (description, job) = log.begin_checkpoint();
    job.run().unwrap();
    (batches, description)
}

fn settings() -> LogSettings {
    LogSettings { segment_bytes: 1 << 20, index_interval_bytes: 600, ..LogSettings::default() }
}

fn reopen(disk: &SimDisk, description: &LogDescription) -> PartitionLog {
    PartitionLog::restore(files(disk), DIR.into(), settings(), description)
}

const LOG: &str = "00000000000000000000.log";
const INDEXES: [&str; 2] = ["00000000000000000000.index", "00000000000000000000.timeindex"];

#[test]
fn a_missing_or_short_index_is_rebuilt_as_it_was() {
    for name in INDEXES {
        for cut in [true, false] {
            let disk = new_disk(1);
            let (batches, description) = one_segment(&disk);
            let before = contents(&disk, DIR);
            match cut {
                true => disk.open(&path(name), Open::Write).unwrap().set_len(13).unwrap(),
                false => disk.remove_file(&path(name)).unwrap(),
            }
            let log = reopen(&disk, &description);
            assert_eq!(read(&log, 17, usize::MAX), batches[17..].concat());
            assert_eq!(log.offset_for_timestamp(1030).unwrap().unwrap().offset, 30);
            assert!(contents(&disk, DIR) == before, "{name}");
            // And it is durable with the next checkpoint.
            let (rebuilt, job) = log.begin_checkpoint();
            assert_eq!(rebuilt, description);
            job.run().unwrap();
            assert!(contents(&disk.restart(1), DIR) == before, "{name}");
        }
    }
}

#[test]
fn an_index_that_misled_a_reader_is_rebuilt() {
    let disk = new_disk(1);
    let (batches, description) = one_segment(&disk);
    let before = contents(&disk, DIR);
    let zeros = vec![0; file(&disk, &path(INDEXES[0])).len()];
    let index = disk.open(&path(INDEXES[0]), Open::Write).unwrap();
    index.write_all_at(&[std::io::IoSlice::new(&zeros)], 0).unwrap();
    let log = reopen(&disk, &description);
    assert_eq!(read(&log, 30, usize::MAX), batches[30..].concat(), "by hopping through the segment");
    assert_eq!(read(&log, 31, usize::MAX), batches[31..].concat(), "after a rebuild");
    assert!(contents(&disk, DIR) == before);
}

#[test]
fn an_append_to_a_segment_without_index_rebuilds_it_first() {
    let disk = new_disk(1);
    let (_, description) = one_segment(&disk);
    fill(&reopen(&disk, &description), 10, 100);
    let expected = contents(&disk, DIR);
    for name in INDEXES {
        disk.remove_file(&path(name)).unwrap();
        let log = reopen(&disk, &description);
        fill(&log, 10, 100);
        assert!(contents(&disk, DIR) == expected, "{name}");
    }
}

#[test]
fn no_flipped_bit_of_an_index_leads_a_reader_astray() {
    for name in INDEXES {
        let disk = new_disk(1);
        let (batches, description) = one_segment(&disk);
        let bytes = file(&disk, &path(name)).len() as u64;
        assert!(bytes > 40);
        for bit in 0..bytes * 8 {
            disk.flip_bit(&path(name), bit / 8, (bit % 8) as u8).unwrap();
            let log = reopen(&disk, &description);
            for from in [0, 11, 25, 39] {
                assert_eq!(
                    read(&log, from as i64, usize::MAX),
                    batches[from..].concat(),
                    "{name} bit {bit} from {from}"
                );
                assert_eq!(
                    read(&log, from as i64, 500),
                    batches[from..].concat()[..batches[from].len() * 2.min(40 - from)]
                );
                let found = log.offset_for_timestamp(1000 + from as i64).unwrap();
                assert_eq!(found.map(|found| found.offset), Some(from as i64), "{name} bit {bit}");
            }
            let intact = file(&disk, &path(name));
            drop(log);
            // Rebuilt, or not noticed: put it back.
            if intact != file(&disk, &path(name)) || disk_differs(&disk, name, &batches) {
                disk.flip_bit(&path(name), bit / 8, (bit % 8) as u8).unwrap();
            }
        }
    }
}

/// Whether an index is not what a fresh log would have.
fn disk_differs(disk: &SimDisk, name: &str, batches: &[Bytes]) -> bool {
    let fresh = new_disk(2);
    let log = new_log(&fresh, settings());
    batches.iter().for_each(|batch| append(&log, batch));
    file(&fresh, &path(name)) != file(disk, &path(name))
}

#[test]
fn a_damaged_batch_is_named_and_the_rest_can_be_read() {
    for damaged in 0..40 {
        let disk = new_disk(1);
        let (batches, description) = one_segment(&disk);
        let size = batches[0].len() as u64;
        // The length field.
        disk.flip_bit(&path(LOG), damaged * size + 8, 7).unwrap();
        let log = reopen(&disk, &description);
        let Err(LogError::Damaged { path: named, position, from, to, .. }) = log.read(damaged as i64, 1000, true)
        else {
            panic!("batch {damaged} has no header")
        };
        assert_eq!((named, position, from), (path(LOG), damaged * size, damaged as i64));
        assert!((from + 1..=from + 4).contains(&to), "the next index entry is not far: {from} to {to}");
        for offset in 0..40 {
            let is_lost = (from..to).contains(&offset);
            match log.read(offset, 100, true) {
                Err(LogError::Damaged { to: until, .. }) => {
                    assert!(is_lost && until == to, "{offset} of {from} to {to}")
                }
                read => assert_eq!(read.unwrap(), [batches[offset as usize].clone()]),
            }
        }
    }
}

#[test]
fn no_flipped_bit_of_a_base_offset_makes_a_reader_skip_records() {
    let disk = new_disk(1);
    let (batches, description) = one_segment(&disk);
    let size = batches[0].len() as u64;
    for damaged in [0, 1, 20, 39_usize] {
        for bit in 0..64 {
            let at = damaged as u64 * size + bit / 8;
            disk.flip_bit(&path(LOG), at, (bit % 8) as u8).unwrap();
            let log = reopen(&disk, &description);
            let error = log.read(damaged as i64, 1000, true).unwrap_err();
            assert!(matches!(error, LogError::Damaged { .. }), "batch {damaged} bit {bit}: {error}");
            disk.flip_bit(&path(LOG), at, (bit % 8) as u8).unwrap();
        }
    }
}

#[test]
fn a_rebuilt_index_leads_past_damage() {
    for damaged in [0, 1, 20, 39] {
        let disk = new_disk(1);
        let (batches, description) = one_segment(&disk);
        disk.flip_bit(&path(LOG), damaged * batches[0].len() as u64 + 8, 7).unwrap();
        disk.remove_file(&path(INDEXES[0])).unwrap();
        let log = reopen(&disk, &description);
        for (offset, batch) in batches.iter().enumerate() {
            match log.read(offset as i64, 100, true) {
                Ok(read) => assert_eq!(read.concat(), batch[..]),
                Err(error) => assert_eq!(offset as u64, damaged, "{error}"),
            }
        }
    }
}

#[test]
fn a_segment_that_was_cut_short_is_read_as_far_as_it_goes() {
    let disk = new_disk(1);
    let (batches, description) = one_segment(&disk);
    let size = batches[0].len() as u64;
    let mut log = reopen(&disk, &description);
    for left in [100, 10] {
        disk.open(&path(LOG), Open::Write).unwrap().set_len(30 * size + left).unwrap();
        log = reopen(&disk, &description);
        assert_eq!(read(&log, 29, size as usize), batches[29]);
        assert_eq!(read(&log, 3, usize::MAX), batches[3..30].concat(), "as far as it goes");
        let Err(LogError::Damaged { from, position, .. }) = log.read(30, 1000, true) else { panic!("it is gone") };
        assert_eq!((from, position), (30, 30 * size));
    }
    let next = batch(40, 1, 5000, 100);
    append(&log, &next);
    assert_eq!(read(&log, 40, usize::MAX), next, "appends go on after the hole");
    assert!(matches!(log.read(30, 1000, true), Err(LogError::Damaged { .. })));
}

#[test]
fn a_segment_that_is_gone_leaves_the_others() {
    let disk = new_disk(1);
    let log = new_log(&disk, small());
    let batches = fill(&log, 30, 100);
    let (description, job) = log.begin_checkpoint();
    job.run().unwrap();
    let names: Vec<String> = contents(&disk, DIR).into_iter().map(|(name, _)| name).collect();
    let second = names.iter().filter(|name| name.ends_with(".log")).nth(1).unwrap();
    let lost: i64 = second.trim_end_matches(".log").parse().unwrap();
    disk.remove_file(&path(second)).unwrap();
    let log = PartitionLog::restore(files(&disk), DIR.into(), small(), &description);
    assert_eq!(read(&log, 0, usize::MAX), batches[..lost as usize].concat(), "what lies before it");
    let Err(LogError::Damaged { from, to, .. }) = log.read(lost, 1000, true) else { panic!("it is gone") };
    assert_eq!(from, lost);
    assert_eq!(read(&log, to, usize::MAX), batches[to as usize..].concat(), "what lies after it");
}

#[test]
fn an_io_error_is_an_error_and_passes() {
    let disk = new_disk(1);
    let (batches, description) = one_segment(&disk);
    let log = reopen(&disk, &description);
    disk.fail_reads(LOG, 0..u64::MAX);
    assert!(matches!(log.offset_for_timestamp(1020), Err(LogError::Io { .. })));
    disk.heal();
    assert_eq!(read(&log, 7, usize::MAX), batches[7..].concat());
}

#[test]
fn an_index_that_can_not_be_read_only_makes_reads_slower() {
    let disk = new_disk(1);
    let (batches, description) = one_segment(&disk);
    let log = reopen(&disk, &description);
    disk.fail_reads(".index", 0..u64::MAX);
    assert_eq!(read(&log, 33, usize::MAX), batches[33..].concat());
}
