//! Looking up by time, against all records.

use disk::SimDisk;
use proptest::prelude::*;
use record::{BatchBuilder, BatchView, Records, TimestampOffset, TimestampType};

use super::common::*;
use crate::{LogSettings, PartitionLog};

#[derive(Clone, Debug)]
struct Batch {
    timestamps: Vec<i64>,
    gap: i64,
    log_append_time: bool,
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let batch = (prop::collection::vec(-1..500_i64, 1..5), 0..3_i64, any::<bool>())
        .prop_map(|(timestamps, gap, log_append_time)| Batch { timestamps, gap, log_append_time });
    prop::collection::vec(batch, 0..60)
}

/// A log of these batches and all its records.
fn log_of(disk: &SimDisk, batches: &[Batch], settings: LogSettings) -> (PartitionLog, Vec<TimestampOffset>) {
    let log = new_log(disk, settings);
    let mut all = Vec::new();
    for batch in batches {
        let mut builder = BatchBuilder::new().base_offset(log.log_end() + batch.gap);
        if batch.log_append_time {
            builder = builder.timestamp_type(TimestampType::LogAppendTime);
        }
        for timestamp in &batch.timestamps {
            builder.push(*timestamp, None, Some(b"value"), &[]);
        }
        let bytes = builder.build().unwrap();
        append(&log, &bytes);
        let records = Records::of(&BatchView::new(&bytes).unwrap(), 1 << 20).unwrap();
        all.extend(records.iter().map(|record| {
            let record = record.unwrap();
            TimestampOffset { timestamp: record.timestamp, offset: record.offset }
        }));
    }
    (log, all)
}

#[test]
fn a_log_without_timestamps_finds_none() {
    let disk = new_disk(1);
    let no_time = [Batch { timestamps: vec![-1, -1], gap: 0, log_append_time: false }];
    let (log, _) = log_of(&disk, &no_time, small());
    assert_eq!(log.max_timestamp().unwrap(), None);
    assert_eq!(log.offset_for_timestamp(0).unwrap(), None);
}

proptest! {
    #[test]
    fn the_first_record_at_or_after_a_time_is_found(
        batches in batches(),
        start: prop::sample::Index,
        index_interval_bytes in 0..300_u64,
    ) {
        let disk = new_disk(1);
        let settings = LogSettings { index_interval_bytes, ..small() };
        let (log, all) = log_of(&disk, &batches, settings);
        log.advance_start(start.index(log.log_end() as usize + 1) as i64 / 2);
        let kept = || all.iter().filter(|record| record.offset >= log.log_start());
        for timestamp in (0..520).step_by(13) {
            let expected = kept().find(|record| record.timestamp >= timestamp);
            prop_assert_eq!(log.offset_for_timestamp(timestamp).unwrap(), expected.copied(), "at {}", timestamp);
        }
    }

    #[test]
    fn the_newest_record_is_the_first_with_the_greatest_timestamp(batches in batches()) {
        let disk = new_disk(1);
        let (log, all) = log_of(&disk, &batches, small());
        let newest = all.iter().map(|record| record.timestamp).max().filter(|newest| *newest >= 0);
        let expected = newest.and_then(|newest| all.iter().find(|record| record.timestamp == newest));
        prop_assert_eq!(log.max_timestamp().unwrap(), expected.copied());
    }
}
