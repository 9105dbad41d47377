//! Compaction: what stays and what goes, one rule a test; then random histories, and crashes at every step.

mod concurrent;
mod crashes;
mod histories;
mod rules;
mod when;

use std::collections::BTreeMap;

use bytes::Bytes;
use disk::SimDisk;
use record::{BatchBuilder, BatchView, Compression, Records};

use super::common::*;
use crate::{CompactionOrder, CompactionReport, CompactionRules, CompactionStep, LogError, LogSettings, PartitionLog};

const RULES: CompactionRules =
    CompactionRules { min_lag_ms: 0, max_lag_ms: i64::MAX, min_dirty_ratio: 0.0, delete_retention_ms: 1000 };

/// A pass over all that is closed, at time `now_ms`.
fn order(now_ms: i64) -> CompactionOrder {
    CompactionOrder {
        rules: RULES,
        below: i64::MAX,
        last_batches: [].into(),
        map_bytes: 1 << 20,
        map_load: 0.9,
        seed: [3; 16],
        now_ms,
    }
}

/// The steps of a pass, small ones, to its end.
fn compact_by(log: &PartitionLog, order: CompactionOrder) -> Result<CompactionReport, LogError> {
    let mut pass = log.compact(order);
    loop {
        match pass.step(300)? {
            CompactionStep::Done(report) => return Ok(report),
            CompactionStep::Overtaken => panic!("nothing else happens"),
            CompactionStep::Worked(_) | CompactionStep::Replaced(_) => {}
        }
    }
}

fn compact(log: &PartitionLog, now_ms: i64) -> CompactionReport {
    compact_by(log, order(now_ms)).unwrap()
}

/// What a reader sees of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Seen {
    offset: i64,
    key: Option<String>,
    value: Option<String>,
}

/// Every record from `from` on, read as consumers do: a little at a time, from the offset after the last.
fn seen_from(log: &PartitionLog, from: i64) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    let mut next = from;
    while next < log.log_end() {
        let chunk = log.read(next, 300, true).unwrap().concat();
        assert!(!chunk.is_empty(), "a reader at {next} would never reach {}", log.log_end());
        let mut rest = &chunk[..];
        while !rest.is_empty() {
            let (batch, after) = BatchView::split_first(rest).unwrap();
            batch.verify_crc().unwrap();
            assert!(batch.last_offset() >= next, "a batch before what was asked for");
            for record in &Records::of(&batch, 1 << 20).unwrap() {
                let record = record.unwrap();
                assert!(seen.last().is_none_or(|last| last.offset < record.offset), "out of order");
                let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
                if record.offset >= next {
                    seen.push(Seen { offset: record.offset, key: text(record.key), value: text(record.value) });
                }
            }
            (next, rest) = (batch.last_offset() + 1, after);
        }
    }
    seen
}

fn seen(log: &PartitionLog) -> Vec<Seen> {
    seen_from(log, log.log_start())
}

/// The last record of each key.
fn last_of_each(seen: &[Seen]) -> BTreeMap<String, Seen> {
    let keyed = seen.iter().filter_map(|record| Some((record.key.clone()?, record.clone())));
    keyed.collect()
}

/// Offset, key and value of each record, as one line each; a tombstone has no value.
fn lines(log: &PartitionLog) -> Vec<String> {
    let line = |record: &Seen| {
        let (key, value) = (record.key.as_deref().unwrap_or("-"), record.value.as_deref().unwrap_or("gone"));
        format!("{} {key}={value}", record.offset)
    };
    seen(log).iter().map(line).collect()
}

/// A batch for each text of `key=value` or `key` (a tombstone), several records with spaces between; at time 1000 + its
/// offset.
fn batch_of(base_offset: i64, text: &str, compression: Compression) -> BatchBuilder {
    let mut batch = BatchBuilder::new().compression(compression).base_offset(base_offset);
    for (offset, record) in (base_offset..).zip(text.split(' ')) {
        let (key, value) = record.split_once('=').map_or((record, None), |(key, value)| (key, Some(value)));
        let key = (!key.is_empty()).then_some(key.as_bytes());
        batch.push(1000 + offset, key, value.map(str::as_bytes), &[]);
    }
    batch
}

fn add(log: &PartitionLog, text: &str) -> Bytes {
    let batch = batch_of(log.log_end(), text, Compression::None).build().unwrap();
    append(log, &batch);
    batch
}

/// A log of closed segments of three batches each, but for the last, which is active.
fn log_of(disk: &SimDisk, batches: &[&str]) -> PartitionLog {
    let log = new_log(disk, small());
    for (index, text) in batches.iter().enumerate() {
        if index > 0 && index % 3 == 0 {
            log.roll();
        }
        add(&log, text);
    }
    log.roll();
    add(&log, "end=0");
    log
}
