//! What stays and what goes.

use record::BatchHead;

use super::*;

#[test]
fn of_each_key_the_last_record_stays_at_its_offset() {
    let log = log_of(&new_disk(1), &["a=1", "b=1", "a=2", "c=1 a=3 b=2", "a=4"]);
    let report = compact(&log, 0);
    assert_eq!(lines(&log), ["3 c=1", "5 b=2", "6 a=4", "7 end=0"]);
    assert!(report.bytes_after < report.bytes_before && !report.has_more);
    let batches = log.read(0, usize::MAX, true).unwrap().concat();
    assert_eq!(log.size_bytes(), batches.len() as u64);
}

#[test]
fn a_batch_keeps_its_first_and_last_offset() {
    let log = log_of(&new_disk(1), &["a=1 b=1 c=1 d=1", "a=2", "d=2"]);
    compact(&log, 0);
    let head = BatchHead::copy_of(&read(&log, 0, 100)).unwrap();
    assert_eq!((head.base_offset(), head.last_offset(), head.count()), (0, 3, 2));
    assert_eq!(read(&log, 1, 100), read(&log, 0, 100), "which holds offset 1, though not its record");
}

#[test]
fn the_active_segment_is_never_rewritten() {
    let log = new_log(&new_disk(1), small());
    (0..5).for_each(|_| drop(add(&log, "a=1")));
    assert_eq!(compact(&log, 0), CompactionReport::default());
    assert_eq!(seen(&log).len(), 5);
    log.roll();
    add(&log, "a=2");
    compact(&log, 0);
    assert_eq!(lines(&log), ["4 a=1", "5 a=2"], "a record in the active segment replaces nothing yet");
}

#[test]
fn a_tombstone_stays_for_its_time_and_the_value_before_it_does_not() {
    let log = log_of(&new_disk(1), &["a=1", "b=1", "a"]);
    compact(&log, 5000);
    assert_eq!(lines(&log), ["1 b=1", "2 a=gone", "3 end=0"]);
    assert_eq!(log.compaction_need(&RULES, i64::MAX, 5999), None);
    compact(&log, 5999);
    assert_eq!(lines(&log).len(), 3);
    assert!(log.compaction_need(&RULES, i64::MAX, 6000).is_some(), "though nothing is dirty");
    compact(&log, 6000);
    assert_eq!(lines(&log), ["1 b=1", "3 end=0"]);
    assert_eq!(log.compaction_need(&RULES, i64::MAX, 9000), None);
}

#[test]
fn tombstones_that_are_gone_ask_for_no_other_pass() {
    for texts in [&["a=1 b", "c=1"][..], &["a=1", "b c=1"], &["b", "a=1"]] {
        let log = log_of(&new_disk(1), texts);
        compact(&log, 5000);
        compact(&log, 6000);
        assert!(lines(&log).iter().all(|line| !line.contains("gone")), "{texts:?}");
        assert_eq!(log.compaction_need(&RULES, i64::MAX, 1 << 40), None, "{texts:?}");
    }
}

#[test]
fn a_tombstone_that_is_replaced_goes_at_once() {
    let log = log_of(&new_disk(1), &["a", "a=1"]);
    compact(&log, 0);
    assert_eq!(lines(&log), ["1 a=1", "2 end=0"]);
}

#[test]
fn records_without_a_key_go() {
    let log = log_of(&new_disk(1), &["=1", "a=1", "=2"]);
    compact(&log, 0);
    assert_eq!(lines(&log), ["1 a=1", "3 end=0"]);
}

#[test]
fn the_last_batch_of_a_live_producer_stays_without_records() {
    let disk = new_disk(1);
    let log = new_log(&disk, small());
    for (producer, sequence) in [(7, 0), (7, 1), (8, 0)] {
        let batch = batch_of(log.log_end(), "a=1 a=2", Compression::Gzip).producer(producer, 4, sequence);
        append(&log, &batch.build().unwrap());
    }
    add(&log, "a=3");
    log.roll();
    add(&log, "end=0");
    compact_by(&log, CompactionOrder { last_batches: [(7, 2)].into(), ..order(0) }).unwrap();
    let head = BatchHead::copy_of(&read(&log, 0, 100)).unwrap();
    assert_eq!((head.base_offset(), head.last_offset(), head.count()), (2, 3, 0));
    assert_eq!((head.producer_id(), head.producer_epoch(), head.base_sequence()), (7, 4, 1));
    assert_eq!(lines(&log), ["6 a=3", "7 end=0"]);
    compact_by(&log, CompactionOrder { last_batches: [].into(), ..order(0) }).unwrap();
    assert_eq!(head.base_offset(), 2, "nothing is dirty, so nobody has looked");
    log.roll();
    add(&log, "end=1");
    compact(&log, 0);
    assert_eq!(BatchHead::copy_of(&read(&log, 0, 100)).unwrap().base_offset(), 6, "the producer has expired");
}

#[test]
fn the_last_batch_of_what_is_compacted_stays_without_records() {
    let log = log_of(&new_disk(1), &["a=1", "b=1", "=1"]);
    compact(&log, 0);
    let last = BatchHead::copy_of(&read(&log, 2, 100)).unwrap();
    assert_eq!((last.base_offset(), last.count()), (2, 0));
}

#[test]
fn compressed_batches_stay_compressed_as_they_were() {
    for codec in Compression::ALL {
        let log = new_log(&new_disk(1), small());
        append(&log, &batch_of(0, "a=1 b=1 c=1", codec).build().unwrap());
        append(&log, &batch_of(3, "a=2 d", codec).build().unwrap());
        log.roll();
        add(&log, "end=0");
        compact(&log, 0);
        let bytes = read(&log, 0, usize::MAX);
        let (first, rest) = BatchView::split_first(&bytes).unwrap();
        let (second, _) = BatchView::split_first(rest).unwrap();
        assert_eq!(first.attributes().compression().unwrap(), codec);
        assert_eq!(second.attributes().compression().unwrap(), codec);
        assert!(second.attributes().has_delete_horizon());
        assert_eq!(lines(&log), ["1 b=1", "2 c=1", "3 a=2", "4 d=gone", "5 end=0"]);
    }
}

#[test]
fn small_segments_become_one() {
    let log = log_of(&new_disk(1), &["a=1", "a=2", "a=3", "a=4", "a=5", "a=6", "a=7", "a=8", "b=1"]);
    assert_eq!(log.segments(), 4);
    compact(&log, 0);
    assert_eq!(log.segments(), 2);
    assert_eq!(lines(&log), ["7 a=8", "8 b=1", "9 end=0"]);
}

#[test]
fn a_map_that_is_too_small_takes_several_passes() {
    let disk = new_disk(1);
    let log = new_log(&disk, small());
    for round in 0..2 {
        (0..60).for_each(|key| drop(add(&log, &format!("{key}={round}"))));
    }
    log.roll();
    add(&log, "end=0");
    let mut passes = 0;
    // Sixteen slots are the least that there are.
    while compact_by(&log, CompactionOrder { map_bytes: 0, ..order(0) }).unwrap().has_more {
        passes += 1;
        assert_eq!(last_of_each(&seen(&log)).len(), 61);
    }
    assert_eq!(passes, 120 / 14);
    assert_eq!(seen(&log).len(), 61);
    assert!(seen(&log)[..60].iter().all(|record| record.value.as_deref() == Some("1")));
}

#[test]
fn times_are_looked_up_as_before() {
    let log = log_of(&new_disk(1), &["a=1", "b=1", "c=1", "b=2 d=1", "a=2", "e", "=1"]);
    compact(&log, 0);
    let kept: Vec<i64> = seen(&log).iter().map(|record| record.offset).collect();
    for timestamp in 990..1020 {
        let expected = kept.iter().copied().find(|offset| 1000 + offset >= timestamp);
        let found = log.offset_for_timestamp(timestamp).unwrap();
        assert_eq!(found.map(|found| found.offset), expected, "at {timestamp}");
    }
    assert_eq!(log.max_timestamp().unwrap().map(|found| found.offset), kept.last().copied());
}

#[test]
fn a_record_is_looked_for_by_its_own_time_where_its_batch_has_a_delete_horizon() {
    let log = log_of(&new_disk(1), &["a=1 b", "c=1"]);
    compact(&log, 1 << 40);
    assert_eq!(log.offset_for_timestamp(1001).unwrap().map(|found| found.offset), Some(1));
    assert_eq!(log.max_timestamp().unwrap().map(|found| found.timestamp), Some(1003));
}

#[test]
fn leader_epochs_and_log_start_are_what_they_were() {
    let log = log_of(&new_disk(1), &["a=1", "a=2", "a=3", "b=1"]);
    log.advance_start(1);
    let before = (log.log_start(), log.log_end(), log.end_offset_for_epoch(0), log.latest_epoch());
    compact(&log, 0);
    assert_eq!((log.log_start(), log.log_end(), log.end_offset_for_epoch(0), log.latest_epoch()), before);
}
