//! Appends and reads, against a list of batches.

use bytes::Bytes;

use super::common::*;
use crate::{FileCache, LogError, LogSettings, PartitionLog};
use proptest::prelude::*;

/// What `read` must give: the batches from the one that ends at or after `from`, whole, up to `max_bytes`.
fn expected(batches: &[Bytes], from: i64, max_bytes: usize, min_one_batch: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for batch in batches.iter().filter(|batch| head(batch).last_offset() >= from) {
        let is_first = out.is_empty() && min_one_batch;
        if out.len() + batch.len() > max_bytes && !is_first {
            break;
        }
        out.extend_from_slice(batch);
    }
    out
}

#[test]
fn a_new_log_is_empty_and_makes_no_file() {
    let disk = new_disk(1);
    let mutations = disk.mutations();
    let log = PartitionLog::create(files(&disk), DIR.into(), LogSettings::default(), 7);
    assert_eq!((log.log_start(), log.log_end(), log.size_bytes()), (7, 7, 0));
    assert!(log.read(7, 1000, true).unwrap().is_empty());
    assert!(matches!(log.read(6, 1000, true), Err(LogError::OffsetOutOfRange { offset: 6, start: 7, end: 7 })));
    assert!(matches!(log.read(8, 1000, true), Err(LogError::OffsetOutOfRange { offset: 8, start: 7, end: 7 })));
    assert_eq!(log.max_timestamp().unwrap(), None);
    assert_eq!(disk.mutations(), mutations);
}

#[test]
fn an_idle_log_costs_a_few_hundred_bytes() {
    let log = std::mem::size_of::<crate::partition_log::Shared>();
    let segment = std::mem::size_of::<crate::segment::Segment>();
    assert!(log + segment < 500, "{log} + {segment} bytes, but for the path");
}

#[test]
fn a_read_starts_with_the_batch_that_contains_the_offset() {
    let disk = new_disk(1);
    let log = new_log(&disk, LogSettings::default());
    let batches = [batch(0, 10, 0, 20), batch(10, 5, 0, 20), batch(15, 1, 0, 20)];
    batches.iter().for_each(|batch| append(&log, batch));
    assert_eq!(read(&log, 12, 1 << 20), batches[1..].concat());
    assert_eq!(read(&log, 14, batches[1].len()), batches[1]);
    assert_eq!(read(&log, 16, 1 << 20), b"");
}

#[test]
fn a_batch_above_the_limit_is_given_only_if_it_is_asked_for() {
    let disk = new_disk(1);
    let log = new_log(&disk, LogSettings::default());
    let batches = fill(&log, 2, 500);
    assert_eq!(log.read(0, 100, true).unwrap(), [batches[0].clone()]);
    assert!(log.read(0, 100, false).unwrap().is_empty());
    assert!(log.read(0, 0, false).unwrap().is_empty());
}

#[test]
fn a_read_crosses_segments_in_one_slice_for_each() {
    let disk = new_disk(1);
    let log = new_log(&disk, small());
    let batches = fill(&log, 30, 100);
    let chunks = log.read(0, 1 << 20, true).unwrap();
    assert!(log.segments() >= 4);
    assert_eq!(chunks.len(), log.segments());
    assert_eq!(chunks.concat(), batches.concat());
}

#[test]
fn offsets_that_are_not_there_lead_to_the_next_batch() {
    let disk = new_disk(1);
    let log = new_log(&disk, small());
    let batches: Vec<Bytes> = (0..20).map(|index| batch(index * 100, 3, 0, 100)).collect();
    batches.iter().for_each(|batch| append(&log, batch));
    for (index, _) in batches.iter().enumerate().skip(1) {
        let gap = index as i64 * 100 - 50;
        assert_eq!(read(&log, gap, 1 << 20), batches[index..].concat(), "from {gap}");
    }
}

#[test]
fn batches_that_go_back_are_refused() {
    let disk = new_disk(1);
    let log = new_log(&disk, LogSettings::default());
    fill(&log, 3, 10);
    let error = append_at(&log, &batch(2, 1, 0, 10), 0).unwrap_err();
    assert!(matches!(error, LogError::NotAtEnd { base: 2, end: 3, .. }), "{error}");
    append(&log, &batch(3, 1, 0, 10));
}

#[test]
fn a_batch_larger_than_a_segment_has_one_to_itself() {
    let disk = new_disk(1);
    let log = new_log(&disk, small());
    let batches = [batch(0, 1, 0, 10), batch(1, 1, 0, 5000), batch(2, 1, 0, 10)];
    batches.iter().for_each(|batch| append(&log, batch));
    assert_eq!(log.segments(), 3);
    assert_eq!(read(&log, 0, 1 << 20), batches.concat());
    assert_eq!(read(&log, 1, 10), batches[1]);
}

#[test]
fn no_more_files_are_open_than_the_cache_may_hold() {
    let disk = new_disk(1);
    let cache = FileCache::new(std::sync::Arc::new(disk.clone()), 3);
    let logs: Vec<PartitionLog> = (0..10)
        .map(|index| PartitionLog::create(cache.clone(), format!("topics/t/{index}").into(), small(), 0))
        .collect();
    let batches: Vec<Vec<Bytes>> = logs.iter().map(|log| fill(log, 10, 100)).collect();
    for _ in 0..2 {
        for (log, batches) in logs.iter().zip(&batches) {
            assert_eq!(read(log, 0, 1 << 20), batches.concat());
            assert!(cache.open_segments() <= 3);
        }
    }
}

#[test]
fn bytes_that_were_read_outlive_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let cache = FileCache::new(std::sync::Arc::new(disk::RealDisk), 2);
    let log = PartitionLog::create(cache, dir.path().join("t/0"), small(), 0);
    let batches = fill(&log, 30, 100);
    let chunks = log.read(0, 1 << 20, true).unwrap();
    log.advance_start(log.log_end());
    for path in log.take_dropped() {
        if path.exists() {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(chunks.concat(), batches.concat());
}

#[derive(Clone, Debug)]
enum Step {
    Append { gap: i64, count: i32, value_bytes: usize },
    Read { from: prop::sample::Index, max_bytes: usize, min_one_batch: bool },
    AdvanceStart(prop::sample::Index),
    Restart,
    Settings { segment_bytes: u64, index_interval_bytes: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (prop_oneof![4 => Just(0), 1 => 0..300_i64], 1..6_i32, 0..300_usize)
            .prop_map(|(gap, count, value_bytes)| Step::Append { gap, count, value_bytes }),
        6 => (any::<prop::sample::Index>(), 0..3000_usize, any::<bool>())
            .prop_map(|(from, max_bytes, min_one_batch)| Step::Read { from, max_bytes, min_one_batch }),
        1 => any::<prop::sample::Index>().prop_map(Step::AdvanceStart),
        1 => Just(Step::Restart),
        1 => (200..5000_u64, 0..1000_u64)
            .prop_map(|(segment_bytes, index_interval_bytes)| Step::Settings { segment_bytes, index_interval_bytes }),
    ]
}

proptest! {
    #[test]
    fn reads_agree_with_a_list_of_batches(steps in prop::collection::vec(step(), 1..120)) {
        let disk = new_disk(1);
        let mut settings = small();
        let mut log = new_log(&disk, settings.clone());
        let mut batches: Vec<Bytes> = Vec::new();
        for step in steps {
            match step {
                Step::Append { gap, count, value_bytes } => {
                    let batch = batch(log.log_end() + gap, count, 1000, value_bytes);
                    append(&log, &batch);
                    batches.push(batch);
                }
                Step::Read { from, max_bytes, min_one_batch } => {
                    let from = log.log_start() + from.index((log.log_end() - log.log_start()) as usize + 1) as i64;
                    let read = log.read(from, max_bytes, min_one_batch).unwrap().concat();
                    prop_assert_eq!(read, expected(&batches, from, max_bytes, min_one_batch));
                }
                Step::AdvanceStart(to) => {
                    log.advance_start(to.index(log.log_end() as usize + 1) as i64);
                }
                Step::Restart => {
                    let (description, job) = log.begin_checkpoint();
                    job.run().unwrap();
                    let kept = rmp_serde::to_vec_named(&description).unwrap();
                    let description = rmp_serde::from_slice(&kept).unwrap();
                    log = PartitionLog::restore(files(&disk), DIR.into(), settings.clone(), &description);
                }
                Step::Settings { segment_bytes, index_interval_bytes } => {
                    settings = LogSettings { segment_bytes, index_interval_bytes, ..settings };
                    log.set_settings(settings.clone());
                }
            }
        }
    }
}
