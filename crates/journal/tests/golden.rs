//! The format's golden files: written once, read by this and every later version.
//!
//! `golden/v1` was written by the requests below. A new version of the format gets a folder of its
//! own (run the test with `WRITE_GOLDEN=1`); the older ones stay, and stay readable.

#![allow(clippy::unwrap_used, reason = "tests")]

mod history;

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use disk::{Disk, Open, RealDisk, SimDisk};
use history::{Contents, DIR, IDENTITY, in_one_thread, new_disk};
use journal::{Done, Entry, EntryId, Journal, Options};
use model::{GroupId, Inline};
use tokio::sync::oneshot;

const A: GroupId = GroupId::CONTROLLER;
const B: GroupId = GroupId(7);

fn options() -> Options {
    Options { file_bytes: 20 << 10, first_file_bytes: 20 << 10, spare_files: 1, sync: true, cache_bytes: 0 }
}

fn golden_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

fn id(term: u64, node: i32, index: u64) -> EntryId {
    EntryId { term, node, index }
}

fn entry(id: EntryId, kind: u8, payload: &'static str) -> Entry {
    Entry { id, kind, payload: Bytes::from_static(payload.as_bytes()) }
}

/// A request, and the wait for it: each gets a write of its own.
async fn and_wait(request: impl FnOnce(Done)) {
    let (tell, told) = oneshot::channel();
    request(Box::new(|result| tell.send(result).unwrap()));
    told.await.unwrap().unwrap();
}

/// One of each kind of record, and two changes of files.
async fn write(journal: &Journal) {
    let (a, b) = (journal.group(A), journal.group(B));
    and_wait(|done| a.save_vote(Bytes::from_static(b"vote of a"), done)).await;
    let first = [
        entry(id(0, 0, 0), Entry::MEMBERSHIP, "members"),
        entry(id(3, 1, 1), Entry::BLANK, ""),
        entry(id(3, 1, 2), Entry::NORMAL, "two"),
    ];
    and_wait(|done| a.append(first.to_vec(), done)).await;
    a.save_committed(id(3, 1, 1));
    and_wait(|done| a.truncate_after(Some(1), done)).await;
    and_wait(|done| a.append(vec![entry(id(4, 2, 2), Entry::NORMAL, "another two")], done)).await;
    b.purge(id(8, 1, 999), Box::new(|_| {}));
    and_wait(|done| b.append(vec![entry(id(9, -1, 1000), Entry::NORMAL, "b starts at 1000")], done)).await;
    and_wait(|done| a.purge(id(0, 0, 0), done)).await;
    and_wait(|done| b.append(vec![entry(id(9, -1, 1001), Entry::NORMAL, "b goes on")], done)).await;
    journal.shutdown().await;
}

fn expected() -> [(GroupId, Contents); 2] {
    let by_index = |entries: Vec<Entry>| entries.into_iter().map(|entry| (entry.id.index, entry)).collect();
    let a = Contents {
        vote: Some(Bytes::from_static(b"vote of a")),
        committed: Some(id(3, 1, 1)),
        purged: Some(id(0, 0, 0)),
        last: Some(id(4, 2, 2)),
        entries: by_index(vec![entry(id(3, 1, 1), Entry::BLANK, ""), entry(id(4, 2, 2), Entry::NORMAL, "another two")]),
    };
    let b = Contents {
        purged: Some(id(8, 1, 999)),
        last: Some(id(9, -1, 1001)),
        entries: by_index(vec![
            entry(id(9, -1, 1000), Entry::NORMAL, "b starts at 1000"),
            entry(id(9, -1, 1001), Entry::NORMAL, "b goes on"),
        ]),
        ..Contents::default()
    };
    [(A, a), (B, b)]
}

/// The files of a journal, with their bytes.
fn files(disk: &dyn Disk, dir: &Path) -> Vec<(String, Vec<u8>)> {
    let read = |name: String| {
        let file = disk.open(&dir.join(&name), Open::Read).unwrap();
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_exact_at(&mut bytes, 0).unwrap();
        (name, bytes)
    };
    disk.list(dir).unwrap().into_iter().map(|entry| read(entry.name)).collect()
}

fn put(disk: &dyn Disk, dir: &Path, files: &[(String, Vec<u8>)]) {
    disk.create_dir_all(dir).unwrap();
    for (name, bytes) in files {
        disk.open(&dir.join(name), Open::Create).unwrap().write_all_at(&[IoSlice::new(bytes)], 0).unwrap();
    }
}

fn open(disk: &SimDisk) -> Journal {
    let disk = Arc::new(disk.clone());
    Journal::open(disk, Path::new(DIR), IDENTITY, options(), Arc::new(Inline)).unwrap().0
}

#[test]
fn golden_files_of_version_1_are_read() {
    let disk = SimDisk::new(1);
    put(&disk, Path::new(DIR), &files(&RealDisk, &golden_dir()));
    in_one_thread(async {
        let journal = open(&disk);
        for (group, expected) in expected() {
            assert_eq!(Contents::read(&journal.group(group)), expected, "{group}");
        }
    });
}

#[test]
fn the_same_requests_write_the_golden_bytes() {
    let disk = new_disk(1);
    in_one_thread(async { write(&open(&disk)).await });
    let mut written = files(&disk, Path::new(DIR));
    written.retain(|(_, bytes)| bytes.iter().any(|byte| *byte != 0)); // but for the one made ahead
    if std::env::var_os("WRITE_GOLDEN").is_some() {
        put(&RealDisk, &golden_dir(), &written);
    }
    for ((name, written), (golden_name, golden)) in written.iter().zip(files(&RealDisk, &golden_dir())) {
        assert_eq!(*name, golden_name);
        let differs = written.iter().zip(&golden).position(|(a, b)| a != b);
        assert!(*written == golden, "{name} differs at byte {differs:?}: a changed format is a new version");
    }
    assert_eq!(written.len(), 3);
}
