//! Readers while the writer appends, rolls and drops segments, on real files.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use disk::RealDisk;
use record::BatchView;

use super::common::*;
use crate::{FileCache, LogError, LogSettings, PartitionLog};

const BATCHES: i64 = 3000;

/// Checks that `bytes` are whole batches that follow on one another from the one that holds `from`, and returns the
/// offset after them.
fn check(bytes: &[Bytes], mut from: i64) -> i64 {
    for chunk in bytes {
        let mut rest = &chunk[..];
        while !rest.is_empty() {
            let (batch, after) = BatchView::split_first(rest).unwrap();
            batch.verify_crc().unwrap();
            assert!(batch.base_offset() <= from && from <= batch.last_offset(), "{from} in {batch:?}");
            from = batch.last_offset() + 1;
            rest = after;
        }
    }
    from
}

/// Reads from the start to the end, again and again, until the writer is done and nothing is left.
fn follow(log: &PartitionLog, max_bytes: usize, is_done: &AtomicBool) -> i64 {
    let mut next = log.log_start();
    loop {
        let was_done = is_done.load(Ordering::Acquire);
        match log.read(next, max_bytes, true) {
            Ok(chunks) if chunks.is_empty() && was_done => return next,
            Ok(chunks) => next = check(&chunks, next),
            Err(LogError::OffsetOutOfRange { start, .. }) => next = start,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn readers_see_whole_batches_in_order_while_the_log_changes() {
    let dir = tempfile::tempdir().unwrap();
    let cache = FileCache::new(Arc::new(RealDisk), 3);
    let settings = LogSettings { segment_bytes: 20_000, index_interval_bytes: 500, ..LogSettings::default() };
    let log = PartitionLog::create(cache, dir.path().join("t/0"), settings, 0);
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers = [1, 700, 5000, 100_000].map(|max_bytes| {
            let (log, is_done) = (&log, &is_done);
            scope.spawn(move || follow(log, max_bytes, is_done))
        });
        for index in 0..BATCHES {
            append(&log, &batch(index * 3, 3, index, 30 + (index % 50) as usize));
            match index % 500 {
                250 => drop(log.begin_checkpoint().1.run()),
                499 => {
                    log.advance_start(log.log_end() - 600);
                    for path in log.take_dropped() {
                        if path.exists() {
                            std::fs::remove_file(path).unwrap();
                        }
                    }
                }
                _ => {}
            }
        }
        is_done.store(true, Ordering::Release);
        for reader in readers {
            assert_eq!(reader.join().unwrap(), BATCHES * 3);
        }
    });
}
