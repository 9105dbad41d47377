//! The journal on real files, with real threads.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use disk::RealDisk;
use journal::{Done, Entry, EntryId, GroupLog, Journal, Options, Recovery};
use model::{GroupId, Threads};
use tokio::sync::oneshot;

fn options() -> Options {
    Options { file_bytes: 256 << 10, first_file_bytes: 64 << 10, cache_bytes: 16 << 10, ..Options::default() }
}

fn open(dir: &Path, options: Options) -> (Journal, Recovery) {
    Journal::open(Arc::new(RealDisk), dir, [3; 16], options, Arc::new(Threads)).unwrap()
}

fn id(index: u64) -> EntryId {
    EntryId { term: 1 + index / 100, node: 1, index }
}

fn entry(index: u64) -> Entry {
    let payload = index.to_le_bytes().repeat(1 + index as usize % 300);
    Entry { id: id(index), kind: Entry::NORMAL, payload: payload.into() }
}

async fn and_wait(request: impl FnOnce(Done)) -> io::Result<()> {
    let (tell, told) = oneshot::channel();
    request(Box::new(|result| tell.send(result).unwrap()));
    told.await.unwrap()
}

/// Appends a group's entries, some at a time, and purges all but the last 100 now and then.
async fn append(log: GroupLog, range: std::ops::Range<u64>) {
    for start in range.clone().step_by(5) {
        let entries = (start..(start + 5).min(range.end)).map(entry).collect();
        and_wait(|done| log.append(entries, done)).await.unwrap();
        if start % 250 == 0 && start > 100 {
            and_wait(|done| log.purge(id(start - 100), done)).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn groups_append_and_read_at_once_and_find_all_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let (journal, recovery) = open(&path, options());
    assert_eq!((recovery.entries, recovery.torn), (0, None));
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|group| {
            let (log, stop) = (journal.group(GroupId(group)), stop.clone());
            tokio::task::spawn_blocking(move || {
                while !stop.load(Ordering::Relaxed) {
                    read_all(&log);
                }
            })
        })
        .collect();
    let writers: Vec<_> = (0..4).map(|group| tokio::spawn(append(journal.group(GroupId(group)), 0..2000))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    assert!(journal.stats().files_recycled > 0, "{:?}", journal.stats());
    journal.shutdown().await;

    let (journal, recovery) = open(&path, options());
    assert!(recovery.clean_stop && recovery.damage.is_empty(), "{recovery:?}");
    for group in 0..4 {
        let log = journal.group(GroupId(group));
        assert_eq!((log.state().purged, log.state().last), (Some(id(1650)), Some(id(1999))));
        assert_eq!(read_all(&log), 349);
    }
    journal.shutdown().await;
}

/// Reads a log from its start while it changes; what was purged meanwhile is not found, and nothing is
/// ever wrong.
fn read_all(log: &GroupLog) -> usize {
    let state = log.state();
    let Some(last) = state.last else { return 0 };
    let mut count = 0;
    let mut next = state.purged.map_or(0, |id| id.index + 1);
    while next <= last.index {
        let entries = match log.read(next..last.index + 1, 50_000) {
            Err(error) if error.kind() == ErrorKind::NotFound => return count,
            entries => entries.unwrap(),
        };
        for found in entries {
            assert_eq!(found, entry(next));
            next += 1;
            count += 1;
        }
    }
    count
}
