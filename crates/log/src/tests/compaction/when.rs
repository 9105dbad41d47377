//! When a pass is due, and how far it may go.

use super::*;

fn need(log: &PartitionLog, rules: &CompactionRules, now_ms: i64) -> Option<(bool, f64)> {
    log.compaction_need(rules, i64::MAX, now_ms).map(|need| (need.is_urgent, need.dirty_ratio))
}

#[test]
fn a_pass_is_due_when_more_than_the_dirty_ratio_is_dirty() {
    let log = log_of(&new_disk(1), &["a=1", "b=1", "c=1"]);
    let rules = CompactionRules { min_dirty_ratio: 0.5, ..RULES };
    assert_eq!(need(&log, &rules, 0), Some((false, 1.0)));
    compact(&log, 0);
    assert_eq!(need(&log, &rules, 0), None);
    log.roll();
    add(&log, "end=1");
    assert_eq!(need(&log, &rules, 0), None, "a quarter is dirty");
    assert_eq!(need(&log, &CompactionRules { min_dirty_ratio: 0.2, ..rules }, 0).map(|need| need.0), Some(false));
}

#[test]
fn an_empty_log_needs_nothing() {
    let log = new_log(&new_disk(1), small());
    assert_eq!(need(&log, &RULES, 0), None);
    add(&log, "a=1");
    assert_eq!(need(&log, &RULES, 0), None);
    assert_eq!(compact(&log, 0), CompactionReport::default());
}

#[test]
fn young_records_are_left_alone() {
    let log = log_of(&new_disk(1), &["a=1", "a=2", "a=3", "a=4", "a=5", "a=6"]);
    let rules = CompactionRules { min_lag_ms: 100, ..RULES };
    assert_eq!(need(&log, &rules, 1101), None, "the first segment's last record is of time 1002");
    assert_eq!(need(&log, &rules, 1102), Some((false, 1.0)));
    compact_by(&log, CompactionOrder { rules, ..order(1102) }).unwrap();
    assert_eq!(lines(&log), ["2 a=3", "3 a=4", "4 a=5", "5 a=6", "6 end=0"]);
}

#[test]
fn a_pass_is_urgent_when_a_dirty_record_is_too_old() {
    let log = log_of(&new_disk(1), &["a=1", "b=1", "c=1"]);
    let rules = CompactionRules { max_lag_ms: 100, min_dirty_ratio: 1.0, ..RULES };
    assert_eq!(need(&log, &rules, 1100), None);
    assert_eq!(need(&log, &rules, 1101), Some((true, 1.0)));
    compact(&log, 0);
    assert_eq!(need(&log, &rules, 1 << 40), None);
}

#[test]
fn only_what_lies_below_the_given_offset_is_looked_at() {
    let log = log_of(&new_disk(1), &["a=1", "a=2", "a=3", "a=4", "a=5", "a=6"]);
    assert_eq!(log.compaction_need(&RULES, 2, 0), None);
    compact_by(&log, CompactionOrder { below: 3, ..order(0) }).unwrap();
    assert_eq!(lines(&log)[..2], ["2 a=3", "3 a=4"]);
}

#[test]
fn what_was_compacted_is_known_after_a_restart() {
    let disk = new_disk(1);
    let log = log_of(&disk, &["a=1", "a=2", "b"]);
    compact(&log, 0);
    let (description, job) = log.begin_checkpoint();
    job.run().unwrap();
    let packed = rmp_serde::to_vec_named(&description).unwrap();
    let description = rmp_serde::from_slice(&packed).unwrap();
    let disk = disk.restart(1);
    let log = PartitionLog::restore(files(&disk), DIR.into(), small(), &description);
    assert_eq!(lines(&log), ["1 a=2", "2 b=gone", "3 end=0"]);
    assert_eq!(log.compaction_need(&RULES, i64::MAX, 999), None);
    assert!(log.compaction_need(&RULES, i64::MAX, 1000).is_some(), "the tombstone may go");
}
