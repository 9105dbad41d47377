//! The journal on real files: appends a second, and how fast a start reads.
//!
//! `cargo bench -p journal [-- disk fsync relaxed recovery start]`, with `TIDELOG_BENCH_DIR` for another disk than the build's.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use disk::{Disk, Open, RealDisk};
use journal::{Entry, EntryId, GroupLog, Journal, Options, Recovery};
use model::{GroupId, Threads};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

const PAYLOAD_BYTES: usize = 1024;
const GROUPS: u32 = 4;
const RUN: Duration = Duration::from_secs(2);

/// Each group is purged after so many entries, as by its checkpoints.
const PURGE_EVERY: u64 = 16 << 10;

fn main() {
    let dir = std::env::var_os("TIDELOG_BENCH_DIR").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let dir = tempfile::tempdir_in(dir).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let only: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|word| word == name);
    if wanted("disk") {
        disk_alone(dir.path());
    }
    let modes = [("fsync", true), ("relaxed", false)].into_iter().filter(|(name, _)| wanted(name));
    for (name, sync) in modes {
        for appenders in [1, 16, 256] {
            let path = dir.path().join(format!("{name}-{appenders}"));
            LocalSet::new().block_on(&runtime, appends(&path, sync, appenders));
        }
    }
    if wanted("recovery") {
        runtime.block_on(recovery(&dir.path().join("recovery")));
    }
    if wanted("start") {
        runtime.block_on(start(&dir.path().join("start")));
    }
}

/// What the disk takes without a journal: to compare with.
fn disk_alone(dir: &Path) {
    let page = [1; 4096];
    let syncs = |name: &str, zeros: usize| {
        let file = RealDisk.open(&dir.join(name), Open::Create).unwrap();
        let asked = Instant::now();
        for offset in 0..zeros {
            file.write_all_at(&[IoSlice::new(&[0; 1 << 20])], (offset << 20) as u64).unwrap();
        }
        file.sync_data().unwrap();
        let zeroed = asked.elapsed();
        let mut times: Vec<Duration> = (0..1000)
            .map(|number| {
                let asked = Instant::now();
                file.write_all_at(&[IoSlice::new(&page)], number * 4096).unwrap();
                file.sync_data().unwrap();
                asked.elapsed()
            })
            .collect();
        times.sort();
        (zeroed, times[500].as_micros())
    };
    let ((zeroed, on_zeros), (_, growing)) = (syncs("zeros", 64), syncs("growing", 0));
    println!(
        "disk: 4 KiB write + fdatasync p50 {on_zeros} us on zeros, {growing} us growing; 64 MiB of zeros in {} ms",
        zeroed.as_millis()
    );
}

fn open(dir: &Path, sync: bool) -> (Journal, Recovery) {
    let options = Options { sync, ..Options::default() };
    Journal::open(Arc::new(RealDisk), dir, [1; 16], options, Arc::new(Threads)).unwrap()
}

fn entry(index: u64) -> Entry {
    let id = EntryId { term: 1, node: 1, index };
    Entry { id, kind: Entry::NORMAL, payload: Bytes::from(vec![index as u8; PAYLOAD_BYTES]) }
}

async fn append(log: &GroupLog) -> u64 {
    let index = log.state().last.map_or(0, |id| id.index + 1);
    let (tell, told) = oneshot::channel();
    log.append(vec![entry(index)], Box::new(|result| tell.send(result).unwrap()));
    told.await.unwrap().unwrap();
    index
}

/// So many tasks, each of which appends one entry after another.
async fn appends(dir: &Path, sync: bool, appenders: u32) {
    let (journal, _) = open(dir, sync);
    // First until files are recycled: that is the steady state.
    run(&journal, appenders, RUN / 2).await;
    let (before, start) = (journal.stats(), Instant::now());
    let mut latencies = run(&journal, appenders, RUN).await;
    let (after, seconds) = (journal.stats(), start.elapsed().as_secs_f64());
    latencies.sort();
    let count = latencies.len();
    let at = |per_mille: usize| latencies[count * per_mille / 1000].as_micros();
    println!(
        "{} appenders {appenders:3}: {:7.0}/s, p50 {} us, p99 {} us, {:.1} requests a write, {:.2} bytes written a byte, {} stalls",
        if sync { "fsync  " } else { "relaxed" },
        count as f64 / seconds,
        at(500),
        at(990),
        (after.requests - before.requests) as f64 / (after.writes - before.writes) as f64,
        (after.bytes - before.bytes) as f64 / (count * PAYLOAD_BYTES) as f64,
        after.stalls - before.stalls,
    );
    journal.shutdown().await;
}

async fn run(journal: &Journal, appenders: u32, time: Duration) -> Vec<Duration> {
    let start = Instant::now();
    let one = |number: u32| {
        let log = journal.group(GroupId(number % GROUPS));
        tokio::task::spawn_local(async move {
            let mut latencies = Vec::new();
            while start.elapsed() < time {
                let asked = Instant::now();
                let index = append(&log).await;
                latencies.push(asked.elapsed());
                if index % PURGE_EVERY == PURGE_EVERY - 1 {
                    log.purge(entry(index - PURGE_EVERY / 2).id, Box::new(|result| result.unwrap()));
                }
            }
            latencies
        })
    };
    let tasks: Vec<_> = (0..appenders).map(one).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    all
}

/// Opens a journal of 128 MiB.
async fn recovery(dir: &Path) {
    let (journal, _) = open(dir, false);
    let log = journal.group(GroupId(1));
    for batch in 0..128 {
        let entries: Vec<Entry> = (batch * 1024..(batch + 1) * 1024).map(entry).collect();
        let (tell, told) = oneshot::channel();
        log.append(entries, Box::new(|result| tell.send(result).unwrap()));
        told.await.unwrap().unwrap();
    }
    journal.shutdown().await;
    let fastest = (0..5).map(|_| open_and_time(dir)).min_by_key(|(time, _)| *time);
    let (time, recovery) = fastest.unwrap();
    println!(
        "recovery of 128 MiB: {:.1} GB/s, {} ms ({} entries, {} MiB read)",
        (128 << 20) as f64 / time.as_secs_f64() / 1e9,
        time.as_millis(),
        recovery.entries,
        recovery.bytes >> 20
    );
}

fn open_and_time(dir: &Path) -> (Duration, Recovery) {
    let start = Instant::now();
    let (_, recovery) = open(dir, false);
    (start.elapsed(), recovery)
}

/// From nothing to the first durable append.
async fn start(dir: &Path) {
    let times = (0..20).map(|number| {
        let start = Instant::now();
        let (journal, _) = open(&dir.join(number.to_string()), true);
        (start.elapsed(), journal)
    });
    let mut times: Vec<_> = times.map(|(time, _)| time).collect();
    times.sort();
    println!("start in an empty directory: {} us", times[times.len() / 2].as_micros());
}
