//! Rolls, retention and moved log starts, by Kafka's rules.

use disk::SimDisk;

use super::common::*;
use crate::{LogSettings, PartitionLog};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Three segments of one batch each, a day apart.
fn three_days(disk: &SimDisk) -> PartitionLog {
    let log = new_log(disk, LogSettings { segment_ms: 1000, ..LogSettings::default() });
    for day in 0..3 {
        append_at(&log, &batch(day * 10, 10, day * DAY_MS, 100), day * DAY_MS).unwrap();
    }
    assert_eq!(log.segments(), 3);
    log
}

#[test]
fn segments_roll_when_they_are_full() {
    let disk = new_disk(1);
    let log = new_log(&disk, LogSettings { segment_bytes: 500, ..LogSettings::default() });
    let size = fill(&log, 1, 100)[0].len() as u64;
    let fit = 500 / size;
    fill(&log, fit as usize - 1, 100);
    assert_eq!(log.segments(), 1);
    fill(&log, 1, 100);
    assert_eq!(log.segments(), 2);
}

#[test]
fn segments_roll_by_the_timestamps_of_their_batches() {
    let disk = new_disk(1);
    let log = new_log(&disk, LogSettings { segment_ms: 1000, ..LogSettings::default() });
    append_at(&log, &batch(0, 1, 5000, 10), 0).unwrap();
    append_at(&log, &batch(1, 1, 6000, 10), 1 << 40).unwrap();
    assert_eq!(log.segments(), 1, "the clock does not count");
    append_at(&log, &batch(2, 1, 6001, 10), 0).unwrap();
    assert_eq!(log.segments(), 2);
}

#[test]
fn segments_without_timestamps_roll_by_the_clock() {
    let disk = new_disk(1);
    let log = new_log(&disk, LogSettings { segment_ms: 1000, ..LogSettings::default() });
    append_at(&log, &batch(0, 1, -1, 10), 7000).unwrap();
    append_at(&log, &batch(1, 1, -1, 10), 8000).unwrap();
    assert_eq!(log.segments(), 1);
    append_at(&log, &batch(2, 1, -1, 10), 8001).unwrap();
    assert_eq!(log.segments(), 2);
}

#[test]
fn segments_roll_when_an_index_is_full() {
    let disk = new_disk(1);
    let settings = LogSettings { index_interval_bytes: 0, segment_index_bytes: 48, ..LogSettings::default() };
    let log = new_log(&disk, settings);
    // The time index holds four entries, one of them kept for the close; the first batch gets none.
    fill(&log, 4, 10);
    assert_eq!(log.segments(), 1);
    fill(&log, 1, 10);
    assert_eq!(log.segments(), 2);
}

#[test]
fn segments_roll_when_offsets_get_too_far_from_the_base() {
    let disk = new_disk(1);
    let log = new_log(&disk, LogSettings::default());
    append(&log, &batch(0, 1, 0, 10));
    append(&log, &batch(i64::from(i32::MAX), 1, 0, 10));
    assert_eq!(log.segments(), 1);
    append(&log, &batch(i64::from(i32::MAX) + 1, 1, 0, 10));
    assert_eq!(log.segments(), 2);
}

#[test]
fn jitter_spreads_the_rolls_of_partitions_and_repeats_on_each_replica() {
    let settings = LogSettings { segment_ms: 1000, segment_jitter_ms: 500, ..LogSettings::default() };
    let after = |dir: &str| settings.roll_after_ms(dir.as_ref(), 0);
    let all: Vec<i64> = (0..100).map(|index| after(&format!("data/topics/t/{index}-id"))).collect();
    assert!(all.iter().all(|ms| (501..=1000).contains(ms)), "{all:?}");
    assert!(all.iter().collect::<std::collections::BTreeSet<_>>().len() > 60);
    assert_eq!(after("a/topics/t/3-id"), after("b/topics/t/3-id"), "whatever the data directory");
}

#[test]
fn a_roll_by_hand_happens_with_the_next_append() {
    let disk = new_disk(1);
    let log = new_log(&disk, LogSettings::default());
    log.roll();
    fill(&log, 2, 10);
    log.roll();
    log.roll();
    let (description, _job) = log.begin_checkpoint();
    assert_eq!(log.segments(), 1);
    fill(&log, 1, 10);
    assert_eq!(log.segments(), 2);
    drop(log);
    let log = PartitionLog::restore(files(&disk), DIR.into(), LogSettings::default(), &description);
    fill(&log, 1, 10);
    assert_eq!(log.segments(), 2, "a restart does not forget it");
}

#[test]
fn an_old_active_segment_is_due_to_roll() {
    let disk = new_disk(1);
    let log = new_log(&disk, LogSettings { segment_ms: 1000, ..LogSettings::default() });
    assert!(!log.roll_due(1 << 40), "nothing is in it");
    append_at(&log, &batch(0, 1, 5000, 10), 5000).unwrap();
    assert!(!log.roll_due(6000));
    assert!(log.roll_due(6001));
    log.roll();
    assert!(!log.roll_due(6001));
}

#[test]
fn retention_by_time_goes_by_the_newest_record_of_a_segment() {
    let disk = new_disk(1);
    let log = three_days(&disk);
    let start = |now_ms| log.retention_start(now_ms, DAY_MS, -1);
    assert_eq!(start(DAY_MS), None);
    assert_eq!(start(DAY_MS + 9), None, "its newest record is 9 ms old when the day ends");
    assert_eq!(start(DAY_MS + 10), Some(10));
    assert_eq!(start(2 * DAY_MS + 10), Some(20));
    assert_eq!(start(3 * DAY_MS + 10), Some(30), "the active segment too: the log end");
    assert_eq!(log.retention_start(i64::MAX, -1, -1), None, "without limits nothing goes");
}

#[test]
fn retention_by_time_stops_at_the_first_segment_that_stays() {
    let disk = new_disk(1);
    let log = new_log(&disk, LogSettings::default());
    for (offset, timestamp) in [(0, 9 * DAY_MS), (1, 0)] {
        append(&log, &batch(offset, 1, timestamp, 10));
        log.roll();
    }
    assert_eq!(log.retention_start(9 * DAY_MS, DAY_MS, -1), None);
}

#[test]
fn retention_by_size_keeps_at_least_the_limit() {
    let disk = new_disk(1);
    let log = three_days(&disk);
    let segment = log.size_bytes() as i64 / 3;
    let start = |bytes| log.retention_start(0, -1, bytes);
    assert_eq!(start(3 * segment), None);
    assert_eq!(start(2 * segment + 1), None, "two segments would be less");
    assert_eq!(start(2 * segment), Some(10));
    assert_eq!(start(segment), Some(20));
    assert_eq!(start(0), Some(30));
}

#[test]
fn a_moved_log_start_drops_whole_segments_and_hides_the_rest() {
    let disk = new_disk(1);
    let log = three_days(&disk);
    let size = log.size_bytes();
    log.advance_start(15);
    assert_eq!((log.log_start(), log.segments(), log.size_bytes()), (15, 2, size / 3 * 2));
    assert!(log.read(14, 100, true).is_err());
    assert_eq!(head(&read(&log, 15, 100).into()).base_offset(), 10, "the batch that holds it");
    log.advance_start(5);
    assert_eq!(log.log_start(), 15, "it never goes down");
    log.advance_start(i64::MAX);
    assert_eq!((log.log_start(), log.log_end(), log.segments(), log.size_bytes()), (30, 30, 0, 0));
    let next = batch(30, 1, 0, 10);
    append(&log, &next);
    assert_eq!(read(&log, 30, 100), next);
}

#[test]
fn leader_epochs_follow_appends_and_log_start() {
    let disk = new_disk(1);
    let log = new_log(&disk, LogSettings::default());
    for (offset, epoch) in [(0, 1), (1, 1), (2, 4), (3, 6)] {
        append(&log, &batch_of_epoch(offset, 1, 0, 10, epoch));
    }
    assert_eq!(log.latest_epoch(), Some(6));
    assert_eq!(
        [1, 4, 5, 6, 7].map(|epoch| log.end_offset_for_epoch(epoch)),
        [(1, 2), (4, 3), (4, 3), (6, 4), (-1, -1)]
    );
    assert_eq!(log.epoch_at(2), Some(4));
    log.advance_start(3);
    assert_eq!(log.end_offset_for_epoch(4), (4, 3), "before all that are known");
    let (description, _job) = log.begin_checkpoint();
    let log = PartitionLog::restore(files(&disk), DIR.into(), LogSettings::default(), &description);
    assert_eq!(log.latest_epoch(), Some(6));
}
