//! Compaction on real files: how much of a log one core compacts in a second.
//!
//! `cargo bench -p tidelog-log --bench compaction`, with `TIDELOG_BENCH_DIR` for another disk than the build's.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use disk::{Disk, RealDisk};
use log::{CompactionOrder, CompactionReport, CompactionRules, CompactionStep, FileCache, LogSettings, PartitionLog};
use record::{BatchBuilder, BatchHead, Compression, HEADER_BYTES};

const LOG_BYTES: u64 = 512 << 20;
const SEGMENT_BYTES: u64 = 64 << 20;
const STEP_BYTES: u64 = 4 << 20;

/// What the records of a row are like.
struct Row {
    name: &'static str,
    value_bytes: usize,
    records_in_batch: usize,
    /// As many as there are records for each key.
    rounds: u64,
    codec: Compression,
}

const ROWS: &[Row] = &[
    Row { name: "1 KiB, 10 a key", value_bytes: 1024, records_in_batch: 16, rounds: 10, codec: Compression::None },
    Row { name: "1 KiB, 1 a key", value_bytes: 1024, records_in_batch: 16, rounds: 1, codec: Compression::None },
    Row { name: "100 B, 10 a key", value_bytes: 100, records_in_batch: 100, rounds: 10, codec: Compression::None },
    Row { name: "100 B, 10 a key, alone", value_bytes: 100, records_in_batch: 1, rounds: 10, codec: Compression::None },
    Row { name: "1 KiB, 10 a key, lz4", value_bytes: 1024, records_in_batch: 16, rounds: 10, codec: Compression::Lz4 },
    Row {
        name: "1 KiB, 10 a key, zstd",
        value_bytes: 1024,
        records_in_batch: 16,
        rounds: 10,
        codec: Compression::Zstd,
    },
];

fn main() {
    let dir = std::env::var_os("TIDELOG_BENCH_DIR").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    println!("{:<24} {:>9} {:>9} {:>12} {:>8}", "", "MiB read", "MiB left", "MiB/s a core", "step ms");
    for row in ROWS {
        let dir = tempfile::tempdir_in(&dir).unwrap();
        let log = fill(dir.path().join("topics/bench/0"), row);
        let (report, cpu_seconds, longest_ms) = compact(&log);
        let mib = |bytes: u64| bytes as f64 / (1 << 20) as f64;
        // The dirty part, which is all of it here, is read twice.
        let per_second = mib(report.bytes_before) / cpu_seconds;
        let (before, after) = (mib(report.bytes_before), mib(report.bytes_after));
        println!("{:<24} {before:>9.0} {after:>9.0} {per_second:>12.0} {longest_ms:>8.1}", row.name);
    }
}

fn fill(dir: PathBuf, row: &Row) -> PartitionLog {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    disk.create_dir_all(dir.parent().unwrap()).unwrap();
    let settings = LogSettings { segment_bytes: SEGMENT_BYTES, ..LogSettings::default() };
    let log = PartitionLog::create(FileCache::new(disk, 16), dir, settings, 0);
    let record_bytes = (row.value_bytes + 20) as u64 + HEADER_BYTES as u64 / row.records_in_batch as u64;
    let keys = LOG_BYTES / record_bytes / row.rounds;
    // Half noise, half zeros: codecs have something to do, and win something.
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    let mut value = vec![0; row.value_bytes];
    let mut number = 0;
    while log.size_bytes() < LOG_BYTES && number < 4 * LOG_BYTES / record_bytes {
        let mut batch = BatchBuilder::new().compression(row.codec).base_offset(log.log_end());
        for _ in 0..row.records_in_batch {
            for byte in value.iter_mut().step_by(2) {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                *byte = noise as u8;
            }
            let key: u64 = number % keys;
            batch.push(number as i64, Some(&key.to_be_bytes()), Some(&value), &[]);
            number += 1;
        }
        let batch = batch.build().unwrap();
        log.append(&BatchHead::copy_of(&batch).unwrap(), &batch[HEADER_BYTES..], 0).unwrap();
    }
    log
}

/// One pass, the processor time that it took, and the longest step.
fn compact(log: &PartitionLog) -> (CompactionReport, f64, f64) {
    let order = CompactionOrder {
        rules: CompactionRules { min_lag_ms: 0, max_lag_ms: i64::MAX, min_dirty_ratio: 0.0, delete_retention_ms: 0 },
        below: i64::MAX,
        last_batches: [].into(),
        map_bytes: 128 << 20,
        map_load: 0.9,
        seed: [7; 16],
        now_ms: 0,
    };
    let mut pass = log.compact(order);
    let (begun, mut longest_ms) = (cpu_seconds(), 0.0_f64);
    loop {
        let step = Instant::now();
        let done = pass.step(STEP_BYTES).unwrap();
        longest_ms = longest_ms.max(step.elapsed().as_secs_f64() * 1e3);
        if let CompactionStep::Done(report) = done {
            return (report, cpu_seconds() - begun, longest_ms);
        }
    }
}

/// Processor time of this thread so far, in user space and in the kernel.
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
