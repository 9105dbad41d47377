//! What the journal does when nothing, or one thing, goes wrong.

#![allow(clippy::unwrap_used, reason = "tests")]

mod history;

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use disk::{Disk, SimDisk};
use history::{DIR, in_one_thread, new_disk, open, options};
use journal::{Done, Entry, EntryId, GroupLog, Journal};
use model::GroupId;
use tokio::sync::oneshot;

const A: GroupId = GroupId(1);
const B: GroupId = GroupId(2);

fn entry(index: u64, len: usize) -> Entry {
    Entry { id: id(index), kind: Entry::NORMAL, payload: vec![index as u8; len].into() }
}

fn id(index: u64) -> EntryId {
    EntryId { term: 1, node: 1, index }
}

fn done() -> (Done, oneshot::Receiver<io::Result<()>>) {
    let (tell, told) = oneshot::channel();
    (Box::new(|result| tell.send(result).unwrap_or_default()), told)
}

async fn append(log: &GroupLog, index: u64, len: usize) -> io::Result<()> {
    let (tell, told) = done();
    log.append(vec![entry(index, len)], tell);
    told.await.unwrap()
}

async fn purge(log: &GroupLog, index: u64) -> io::Result<()> {
    let (tell, told) = done();
    log.purge(id(index), tell);
    told.await.unwrap()
}

/// Until the background work is done, too.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

fn journal_on(disk: &SimDisk) -> Journal {
    open(disk, options(true)).unwrap().0
}

fn kinds_since(disk: &SimDisk, mutation: u64) -> Vec<&'static str> {
    disk.operations().iter().filter(|operation| operation.number > mutation).map(|operation| operation.kind).collect()
}

fn file_names(disk: &SimDisk) -> Vec<String> {
    disk.list(Path::new(DIR)).unwrap().into_iter().map(|entry| entry.name).collect()
}

#[test]
fn what_queued_up_from_all_groups_is_one_write_and_one_sync() {
    in_one_thread(async {
        let disk = new_disk(1);
        let journal = journal_on(&disk);
        settle().await;
        let before = disk.mutations();
        let order = Arc::new(Mutex::new(Vec::new()));
        for index in 0..20 {
            for group in [A, B] {
                let order = order.clone();
                let tell = Box::new(move |result: io::Result<()>| {
                    result.unwrap();
                    order.lock().unwrap().push((index, group));
                });
                journal.group(group).append(vec![entry(index, 100)], tell);
            }
        }
        assert_eq!(journal.stats().queued_bytes, 4000);
        settle().await;
        assert_eq!(kinds_since(&disk, before), ["write", "sync"]);
        let expected: Vec<_> = (0..20).flat_map(|index| [(index, A), (index, B)]).collect();
        assert_eq!(*order.lock().unwrap(), expected, "told in order");
        let stats = journal.stats();
        assert_eq!((stats.writes, stats.syncs, stats.requests, stats.queued_bytes), (1, 1, 40, 0));
    });
}

#[test]
fn entries_can_be_read_before_they_are_written_and_after_memory_dropped_them() {
    in_one_thread(async {
        let log = journal_on(&new_disk(1)).group(A);
        for index in 0..40 {
            let (tell, told) = done();
            log.append(vec![entry(index, 1000)], tell);
            assert_eq!(log.read(index..index + 1, 0).unwrap(), [entry(index, 1000)]);
            told.await.unwrap().unwrap();
        }
        // The options' cache has room for four of them.
        let all: Vec<Entry> = (0..40).map(|index| entry(index, 1000)).collect();
        for max_bytes in [0, 1, 999, 1000, 5500, 100_000] {
            let mut read: Vec<Entry> = Vec::new();
            while read.len() < 40 {
                let part = log.read(read.len() as u64..40, max_bytes).unwrap();
                assert!(part.len() == 1 || part.len() * 1000 <= max_bytes, "{} of {max_bytes}", part.len());
                read.extend(part);
            }
            assert_eq!(read, all, "in pieces of {max_bytes} bytes");
        }
        assert_eq!(log.read(7..7, 100).unwrap(), []);
        assert_eq!(log.read(40..41, 100).unwrap_err().kind(), ErrorKind::NotFound);
    });
}

#[test]
fn entries_that_do_not_follow_are_refused_and_change_nothing() {
    in_one_thread(async {
        let log = journal_on(&new_disk(1)).group(A);
        assert_eq!(append(&log, 1, 10).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        purge(&log, 4).await.unwrap();
        append(&log, 5, 10).await.unwrap();
        for wrong in [4, 5, 7] {
            assert_eq!(append(&log, wrong, 10).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        }
        let (tell, told) = done();
        log.append(vec![entry(6, 1), entry(8, 1)], tell);
        assert_eq!(told.await.unwrap().unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(log.state().last, Some(id(5)));
        append(&log, 6, 10).await.unwrap();
    });
}

#[test]
fn a_log_goes_on_after_a_purge_beyond_its_end() {
    let disk = new_disk(1);
    in_one_thread(async {
        let log = journal_on(&disk).group(A);
        append(&log, 0, 10).await.unwrap();
        purge(&log, 100).await.unwrap();
        assert_eq!((log.state().last, log.entry_id(100), log.entry_id(0)), (Some(id(100)), Some(id(100)), None));
        assert_eq!(log.read(0..1, 10).unwrap_err().kind(), ErrorKind::NotFound);
        append(&log, 101, 10).await.unwrap();
    });
    in_one_thread(async {
        let log = journal_on(&disk.restart(1)).group(A);
        assert_eq!((log.state().purged, log.state().last), (Some(id(100)), Some(id(101))));
    });
}

#[test]
fn a_group_that_is_forgotten_begins_anew_over_a_restart_too() {
    in_one_thread(async {
        let disk = new_disk(1);
        let journal = journal_on(&disk);
        let (left, stays) = (journal.group(A), journal.group(B));
        left.save_vote(Bytes::from_static(b"vote"), Box::new(|_| {}));
        append(&left, 0, 10).await.unwrap();
        append(&left, 1, 10).await.unwrap();
        purge(&left, 0).await.unwrap();
        left.save_committed(id(1));
        append(&stays, 0, 10).await.unwrap();
        let (tell, told) = done();
        left.forget(tell);
        told.await.unwrap().unwrap();
        assert_eq!(left.state(), journal::GroupState::default());
        append(&left, 0, 20).await.unwrap();
        journal.shutdown().await;

        let again = journal_on(&disk);
        let state = again.group(A).state();
        assert_eq!((state.vote, state.committed, state.purged, state.last), (None, None, None, Some(id(0))));
        assert_eq!(again.group(A).read(0..9, 1000).unwrap(), [entry(0, 20)]);
        assert_eq!(again.group(B).state().last, Some(id(0)));
        again.shutdown().await;
    });
}

#[test]
fn purged_files_are_used_again_and_their_number_stays_bounded() {
    in_one_thread(async {
        let disk = new_disk(1);
        let journal = journal_on(&disk);
        let log = journal.group(A);
        let mut most_files = 0;
        for index in 0..400 {
            append(&log, index, 3000).await.unwrap();
            if index >= 20 {
                purge(&log, index - 20).await.unwrap();
            }
            most_files = most_files.max(file_names(&disk).len());
        }
        let stats = journal.stats();
        assert!(stats.files_recycled > 30, "{stats:?}");
        assert!(stats.files_zeroed < 8 && most_files <= 7, "{most_files} files, {stats:?}");
    });
}

#[test]
fn a_burst_of_old_files_is_removed_but_for_the_spare_ones() {
    in_one_thread(async {
        let disk = new_disk(1);
        let journal = journal_on(&disk);
        let log = journal.group(A);
        for index in 0..200 {
            append(&log, index, 3000).await.unwrap();
        }
        assert!(file_names(&disk).len() > 10 && journal.live_bytes() > 200 * 3000);
        assert_eq!(journal.oldest_group(), Some(A));
        purge(&log, 199).await.unwrap();
        settle().await;
        // The current one, the next one, and two spare ones.
        assert_eq!((file_names(&disk).len(), journal.live_bytes(), journal.oldest_group()), (4, 0, None));
    });
}

#[test]
fn an_idle_group_that_holds_old_files_can_be_told() {
    in_one_thread(async {
        let disk = new_disk(1);
        let journal = journal_on(&disk);
        append(&journal.group(B), 0, 10).await.unwrap();
        for index in 0..100 {
            append(&journal.group(A), index, 3000).await.unwrap();
        }
        purge(&journal.group(A), 99).await.unwrap();
        assert_eq!(journal.oldest_group(), Some(B));
        let live = journal.live_bytes();
        purge(&journal.group(B), 0).await.unwrap();
        assert!(live > 300_000 && journal.live_bytes() == 0, "{live}");
    });
}

#[test]
fn after_a_failed_sync_nothing_is_accepted_and_it_is_not_tried_again() {
    in_one_thread(async {
        let disk = new_disk(1);
        let journal = journal_on(&disk);
        let log = journal.group(A);
        append(&log, 0, 10).await.unwrap();
        settle().await;
        disk.fail_syncs("journal", 1);
        let before = disk.mutations();
        let (first, second) = tokio::join!(append(&log, 1, 10), append(&log, 2, 10));
        assert!(first.unwrap_err().to_string().contains("restart the broker") && second.is_err());
        assert!(journal.failed());
        assert!(append(&log, 3, 10).await.is_err() && append(&journal.group(B), 0, 10).await.is_err());
        assert_eq!(kinds_since(&disk, before), ["write", "sync"]);
        journal.shutdown().await;
    });
}

#[test]
fn on_a_full_disk_appends_wait_and_a_purge_lets_them_go_on() {
    in_one_thread(async {
        let disk = new_disk(1);
        disk.set_capacity(Some(300 << 10));
        let journal = journal_on(&disk);
        let log = journal.group(A);
        let mut index = 0;
        let waiting = loop {
            let waiting = append(&log, index, 3000);
            match tokio::time::timeout(Duration::from_secs(10), waiting).await {
                Ok(result) => result.unwrap(),
                Err(_) => break index,
            }
            index += 1;
        };
        assert!(waiting > 20 && journal.out_of_room() && !journal.failed(), "stopped at {waiting}");
        purge(&log, waiting - 1).await.unwrap();
        append(&log, waiting + 1, 3000).await.unwrap();
        assert!(!journal.out_of_room());
        assert_eq!(log.read(waiting..waiting + 2, 10_000).unwrap(), [waiting, waiting + 1].map(|i| entry(i, 3000)));
        drop(journal);
        drop(log);
        let (journal, recovery) = open(&disk.restart(1), options(true)).unwrap();
        assert_eq!((recovery.entries, journal.group(A).state().last), (2, Some(id(waiting + 1))));
    });
}

#[test]
fn on_a_full_disk_appends_go_on_by_themselves_when_there_is_room_again() {
    in_one_thread(async {
        let disk = new_disk(1);
        disk.set_capacity(Some(200 << 10));
        let journal = journal_on(&disk);
        let log = journal.group(A);
        let entries: Vec<Entry> = (0..200).map(|index| entry(index, 3000)).collect();
        let (tell, told) = done();
        log.append(entries.clone(), tell);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(journal.out_of_room() && journal.stats().stalls > 0);
        disk.set_capacity(None);
        told.await.unwrap().unwrap();
        assert!(!journal.out_of_room());
        drop((journal, log));
        let journal = journal_on(&disk.restart(1));
        assert_eq!(history::Contents::read(&journal.group(A)).entries.into_values().collect::<Vec<_>>(), entries);
    });
}

#[test]
fn a_write_that_finds_the_disk_full_is_made_again_at_the_same_place() {
    in_one_thread(async {
        let disk = new_disk(1);
        let journal = journal_on(&disk);
        let log = journal.group(A);
        append(&log, 0, 10).await.unwrap();
        settle().await;
        // An entry longer than a file makes the file grow: that needs room.
        let used: u64 = disk.list(Path::new(DIR)).unwrap().iter().map(|entry| entry.len).sum();
        disk.set_capacity(Some(used + (40 << 10)));
        let (tell, mut told) = done();
        log.append(vec![entry(1, 200_000)], tell);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(told.try_recv().is_err() && journal.out_of_room() && !journal.failed());
        disk.set_capacity(None);
        told.await.unwrap().unwrap();
        append(&log, 2, 10).await.unwrap();
        drop((journal, log));
        let journal = journal_on(&disk.restart(1));
        assert_eq!(journal.group(A).read(1..2, 1).unwrap(), [entry(1, 200_000)]);
        assert_eq!(journal.group(A).state().last, Some(id(2)));
    });
}

#[test]
fn relaxed_mode_syncs_votes_and_memberships_only() {
    in_one_thread(async {
        let disk = new_disk(1);
        let (journal, _) = open(&disk, options(false)).unwrap();
        let log = journal.group(A);
        settle().await;
        let before = disk.mutations();
        append(&log, 0, 10).await.unwrap();
        append(&log, 1, 10).await.unwrap();
        assert_eq!(kinds_since(&disk, before), ["write", "write"]);
        let (tell, told) = done();
        log.save_vote(Bytes::from_static(b"vote"), tell);
        told.await.unwrap().unwrap();
        let (tell, told) = done();
        log.append(vec![Entry { kind: Entry::MEMBERSHIP, ..entry(2, 10) }], tell);
        told.await.unwrap().unwrap();
        assert_eq!(kinds_since(&disk, before)[2..], ["write", "sync", "write", "sync"]);
    });
}

#[test]
fn a_note_of_what_is_committed_rides_along_and_causes_no_write() {
    let disk = new_disk(1);
    in_one_thread(async {
        let journal = journal_on(&disk);
        append(&journal.group(A), 0, 10).await.unwrap();
        settle().await;
        let before = disk.mutations();
        journal.group(A).save_committed(id(0));
        settle().await;
        assert_eq!(disk.mutations(), before);
        append(&journal.group(B), 0, 10).await.unwrap();
    });
    in_one_thread(async {
        assert_eq!(journal_on(&disk.restart(1)).group(A).state().committed, Some(id(0)));
    });
}

#[test]
fn a_clean_stop_writes_what_waits_and_leaves_nothing_to_cut() {
    let disk = new_disk(1);
    in_one_thread(async {
        let journal = journal_on(&disk);
        let log = journal.group(A);
        let (tell, mut told) = done();
        log.append((0..300).map(|index| entry(index, 1000)).collect(), tell);
        log.save_committed(id(7));
        journal.shutdown().await;
        told.try_recv().unwrap().unwrap();
        assert!(append(&log, 300, 1).await.unwrap_err().to_string().contains("shut down"));
        journal.shutdown().await; // again: nothing to do
        assert!(!journal.failed());
    });
    in_one_thread(async {
        let (journal, recovery) = open(&disk, options(true)).unwrap();
        assert!(recovery.clean_stop && recovery.torn.is_none(), "{recovery:?}");
        assert_eq!((recovery.entries, journal.group(A).state().committed), (300, Some(id(7))));
        let before = disk.mutations();
        journal.shutdown().await;
        assert!(!kinds_since(&disk, before).contains(&"write"), "a stop after nothing writes nothing");
    });
}

#[test]
fn when_all_handles_are_gone_what_waits_is_written_still() {
    in_one_thread(async {
        let disk = new_disk(1);
        let (tell, told) = done();
        journal_on(&disk).group(A).append((0..300).map(|index| entry(index, 1000)).collect(), tell);
        told.await.unwrap().unwrap();
    });
}

#[test]
fn an_empty_directory_is_ready_after_a_few_operations() {
    in_one_thread(async {
        let disk = new_disk(1);
        let before = disk.mutations();
        let journal = journal_on(&disk);
        let expected = ["create_dir", "sync_dir", "create", "write", "sync", "rename", "sync_dir"];
        assert_eq!(kinds_since(&disk, before), expected);
        append(&journal.group(A), 0, 10).await.unwrap();
    });
}
