//! A member takes the leader's state: what it fetches, what a crash leaves, and that it is the same then.

use std::sync::atomic::{AtomicU64, Ordering};

use super::compaction::{compact, keyed};
use super::*;
use crate::catch_up::{Fetched, Here, Reading, Request, Source, What, fetch, serve};

/// The leader, as another member reaches it.
struct Leader<'a> {
    bench: &'a Bench,
    /// Bytes of files that it has sent.
    sent: AtomicU64,
    /// It does not answer after so many of them.
    dies_after: u64,
    /// It sends no more at a time.
    most_bytes: usize,
    replies: AtomicU64,
    /// Of this reply, counted from 0, a byte comes as another one.
    damages: u64,
}

impl<'a> Leader<'a> {
    fn of(bench: &'a Bench) -> Self {
        let counter = AtomicU64::default;
        let (dies_after, most_bytes, damages) = (u64::MAX, 100, u64::MAX);
        Leader { bench, sent: counter(), dies_after, most_bytes, replies: counter(), damages }
    }
}

impl Source for Leader<'_> {
    fn read(&self, request: Bytes) -> Reading {
        let (disk, unsaved) = (&self.bench.disk, &self.bench.machine.unsaved);
        let mut read = match self.sent.load(Ordering::Relaxed) >= self.dies_after {
            true => Err(std::io::Error::other("the leader is gone")),
            false => serve(disk, Path::new("topics"), unsaved, &request, self.most_bytes),
        };
        let number = self.replies.fetch_add(1, Ordering::Relaxed);
        if let Ok(bytes) = &mut read {
            if matches!(rmp_serde::from_slice::<Request>(&request).unwrap().what, What::File { .. }) {
                self.sent.fetch_add(bytes.len() as u64 - 4, Ordering::Relaxed);
            }
            if number == self.damages {
                let mut damaged = bytes.to_vec();
                damaged[number as usize % bytes.len()] ^= 4;
                *bytes = damaged.into();
            }
        }
        Box::pin(std::future::ready(read))
    }
}

fn fetch_from(leader: &Leader, follower: &Bench, offer: &Bytes) -> std::io::Result<Fetched> {
    let here = Here {
        disk: Arc::new(follower.disk.clone()),
        view: follower.machine.view.clone(),
        stage: follower.machine.stage.clone(),
        reserve_bytes: 100,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(fetch(here, offer.clone(), leader, &model::Inline))
}

fn fetch_until(leader: &Bench, follower: &Bench, offer: &Bytes, dies_after: u64) -> std::io::Result<Fetched> {
    fetch_from(&Leader { dies_after, ..Leader::of(leader) }, follower, offer)
}

/// Fetches all, and tells how many bytes of files that were.
fn fetch_all(leader: &Bench, follower: &Bench, offer: &Bytes) -> (Fetched, u64) {
    let leader = Leader::of(leader);
    let fetched = fetch_from(&leader, follower, offer).unwrap();
    (fetched, leader.sent.load(Ordering::Relaxed))
}

fn install(leader: &Bench, follower: &mut Bench, offer: &Bytes) -> std::io::Result<()> {
    follower.entries = leader.entries.clone();
    let applied = Applied { id: id(leader.entries.len()), membership: Bytes::new() };
    follower.machine.install(applied, offer.clone())
}

fn take_state(leader: &mut Bench, follower: &mut Bench) -> u64 {
    let offer = leader.machine.offer().unwrap();
    let (_kept, sent) = fetch_all(leader, follower, &offer);
    install(leader, follower, &offer).unwrap();
    sent
}

/// Names and bytes of all files of a partition, as a checkpoint counts them; other files than these are garbage.
fn files(bench: &Bench, index: i32) -> Vec<(String, Vec<u8>)> {
    let dir = bench.partition(index).log.dir().to_owned();
    let read = |entry: disk::Entry| {
        let file = bench.disk.open(&dir.join(&entry.name), disk::Open::Read).unwrap();
        let mut bytes = vec![0; entry.len as usize];
        file.read_exact_at(&mut bytes, 0).unwrap();
        (entry.name, bytes)
    };
    bench.disk.list(&dir).unwrap().into_iter().map(read).collect()
}

fn assert_alike(leader: &Bench, follower: &Bench) {
    assert_eq!(leader.machine.view.all().len(), follower.machine.view.all().len());
    for cell in leader.machine.cells.values() {
        let same = &follower.machine.cells[&cell.partition.id];
        assert_eq!(cell.partition.log.log_start(), same.partition.log.log_start());
        assert_eq!(cell.partition.log.log_end(), same.partition.log.log_end());
        assert_eq!(cell.producers, same.producers);
        assert_eq!(cell.settings, same.settings);
        assert_eq!(leader.bytes(cell.partition.id.index), follower.bytes(cell.partition.id.index));
    }
    assert_eq!(leader.machine.clock_ms, follower.machine.clock_ms);
}

fn close_of(index: i32) -> Bytes {
    entry::close(0, &ClosePartitions { as_of: 0, ids: vec![partition(index)] })
}

fn grow(bench: &mut Bench, from: i32, to: i32) {
    for n in from..to {
        bench.append(n % 2, &keyed(9 + i64::from(n % 2), n / 2, "k")).unwrap();
    }
}

/// A leader that has gone on, and a follower that has not, with a checkpoint in the midst of what it has.
fn behind() -> (Bench, Bench) {
    let (mut leader, mut follower) = (Bench::new(), Bench::new());
    for bench in [&mut leader, &mut follower] {
        grow(bench, 0, 14);
        bench.checkpoint().unwrap();
        grow(bench, 14, 18);
    }
    grow(&mut leader, 18, 40);
    leader.checkpoint().unwrap();
    (leader, follower)
}

#[test]
fn a_follower_behind_the_journal_copies_only_what_it_lacks() {
    let (mut leader, mut follower) = behind();
    let size = |bench: &Bench| (0..2).map(|index| bench.partition(index).log.size_bytes()).sum::<u64>();
    let lacking = size(&leader) - size(&follower);
    let fetched = take_state(&mut leader, &mut follower);
    assert!(fetched >= lacking && fetched < lacking + 300, "{fetched} bytes where {lacking} were lacking");
    assert_alike(&leader, &follower);
    for index in 0..2 {
        assert_eq!(files(&leader, index), files(&follower, index), "byte for byte");
    }
    assert!(!follower.disk.exists(Path::new("groups/1/catch-up")).unwrap(), "nothing is left beside it");
    for bench in [&mut leader, &mut follower] {
        assert_eq!(bench.append(0, &keyed(9, 19, "k")), known_at(19), "its producers are known");
        grow(bench, 40, 60);
    }
    assert_alike(&leader, &follower);
    follower.restart(3);
    assert_alike(&leader, &follower);
}

#[test]
fn a_wiped_disk_gets_everything() {
    let (mut leader, _) = behind();
    let mut follower = empty();
    take_state(&mut leader, &mut follower);
    assert_alike(&leader, &follower);
    follower.restart(1);
    assert_alike(&leader, &follower);
    for index in 0..2 {
        assert_eq!(files(&leader, index), files(&follower, index), "byte for byte");
    }
}

#[test]
fn a_fetch_that_was_cut_short_goes_on_where_it_was() {
    let (mut leader, _) = behind();
    let mut follower = empty();
    let offer = leader.machine.offer().unwrap();
    let half = leader.partition(0).log.size_bytes();
    fetch_until(&leader, &follower, &offer, half).err().unwrap();
    let total = half + leader.partition(1).log.size_bytes();
    // The power fails, and the next leader makes another offer.
    follower.disk.crash();
    follower.restart(1);
    let (kept, again) = fetch_all(&leader, &follower, &offer);
    assert!(again <= total + 300, "{again} of {total} bytes");
    drop(kept);
    let offer = leader.machine.offer().unwrap();
    let (_kept, sent) = fetch_all(&leader, &follower, &offer);
    assert!(sent < 300, "only indexes are fetched once more");
    install(&leader, &mut follower, &offer).unwrap();
    assert_alike(&leader, &follower);
}

#[test]
fn what_came_damaged_is_not_taken() {
    let (mut leader, follower) = behind();
    let offer = leader.machine.offer().unwrap();
    let dir = leader.partition(0).log.dir().to_owned();
    let last = leader.disk.list(&dir).unwrap().into_iter().rfind(|entry| entry.name.ends_with(".log")).unwrap();
    leader.disk.flip_bit(&dir.join(last.name), last.len - 1, 3).unwrap();
    let why = fetch_until(&leader, &follower, &offer, u64::MAX).err().unwrap();
    assert!(why.to_string().contains("partition orders-0") && why.to_string().contains("of what came"), "{why}");
}

#[test]
fn what_is_damaged_on_the_way_is_not_taken_and_fetched_once_more() {
    let (mut leader, follower) = behind();
    let offer = leader.machine.offer().unwrap();
    let whole = Leader::of(&leader);
    drop(fetch_from(&whole, &follower, &offer).unwrap());
    let replies = whole.replies.load(Ordering::Relaxed);
    assert!(replies > 10, "{replies}");
    for damages in 0..replies {
        let (_, mut follower) = behind();
        let why = fetch_from(&Leader { damages, ..Leader::of(&leader) }, &follower, &offer).err().unwrap();
        assert!(why.to_string().contains("damaged on the way"), "{why}");
        let (_kept, _) = fetch_all(&leader, &follower, &offer);
        install(&leader, &mut follower, &offer).unwrap();
        assert_alike(&leader, &follower);
    }
}

#[test]
fn what_would_not_fit_is_not_begun_and_names_what_it_takes() {
    let (mut leader, _) = behind();
    let mut follower = empty();
    let offer = leader.machine.offer().unwrap();
    follower.disk.set_capacity(Some(1));
    let before = follower.disk.mutations();
    let why = fetch_until(&leader, &follower, &offer, u64::MAX).err().unwrap();
    assert_eq!(why.kind(), std::io::ErrorKind::StorageFull);
    assert!(why.to_string().contains("1 MiB on the disk, of which 0 MiB are free"), "{why}");
    assert_eq!(follower.disk.mutations(), before);
    follower.disk.set_capacity(None);
    take_state(&mut leader, &mut follower);
    assert_alike(&leader, &follower);
}

#[test]
fn nothing_is_compacted_from_the_fetch_to_the_install() {
    let (mut leader, mut follower) = behind();
    let offer = leader.machine.offer().unwrap();
    let (kept, _) = fetch_all(&leader, &follower, &offer);
    let before = files(&follower, 0);
    compact(&follower, 0).unwrap();
    assert_eq!(files(&follower, 0), before);
    install(&leader, &mut follower, &offer).unwrap();
    assert_alike(&leader, &follower);
    drop(kept);
    compact(&follower, 0).unwrap();
    assert_ne!(files(&follower, 0), before);
}

#[test]
fn a_crash_at_any_step_leaves_the_old_state_or_the_new() {
    crash_at_any_step(|| behind().1);
}

#[test]
fn a_crash_at_any_step_on_an_empty_disk_leaves_nothing_or_all() {
    crash_at_any_step(empty);
}

/// A member whose disk is new.
fn empty() -> Bench {
    let disk = SimDisk::new(2);
    Bench { machine: restore(&disk), disk, entries: Vec::new() }
}

fn crash_at_any_step(member: impl Fn() -> Bench) {
    let run = |step: Option<u64>| {
        let (mut leader, mut follower) = (behind().0, member());
        // One is gone, another is new.
        leader.apply(close_of(1));
        leader.apply(open(0, 0, &[2]));
        leader.append(2, &batch(2, b"new")).unwrap();
        let offer = leader.machine.offer().unwrap();
        let (before, old) = (follower.disk.mutations(), follower.entries.clone());
        if let Some(step) = step {
            follower.disk.crash_at(step);
        }
        let taken =
            fetch_until(&leader, &follower, &offer, u64::MAX).and_then(|_kept| install(&leader, &mut follower, &offer));
        (leader, before, old, follower, taken)
    };
    let (leader, before, _, follower, installed) = run(None);
    installed.unwrap();
    assert_alike(&leader, &follower);
    let steps = follower.disk.mutations() - before;
    assert!(steps > 8, "{steps} steps");
    let mut outcomes = [0, 0];
    for step in 1..=steps {
        for seed in 0..4 {
            let (mut leader, _, old, mut follower, _) = run(Some(step));
            follower.disk = follower.disk.restart(seed);
            follower.machine = restore(&follower.disk);
            let index = follower.machine.applied().map_or(0, |applied| applied.id.index as usize);
            let is_new = index == leader.entries.len();
            outcomes[usize::from(is_new)] += 1;
            if !is_new {
                follower.entries = old;
                follower.restart(seed);
                assert_alike(&member(), &follower);
                take_state(&mut leader, &mut follower);
            }
            assert_alike(&leader, &follower);
            follower.restart(seed);
            assert_alike(&leader, &follower);
        }
    }
    assert!(outcomes.iter().all(|times| *times > 0), "{outcomes:?}");
}

#[test]
fn a_partition_deleted_meanwhile_is_fetched_while_it_is_pinned_and_closed_by_the_next_offer() {
    let (mut leader, mut follower) = behind();
    let offer = leader.machine.offer().unwrap();
    leader.apply(close_of(1));
    leader.checkpoint().unwrap();
    let collect = |leader: &Bench, now_ms| {
        let due = leader.machine.unsaved().garbage.take_due(now_ms);
        due.remove(&leader.disk);
    };
    collect(&leader, 1_000_000);
    drop(fetch_all(&leader, &follower, &offer));
    collect(&leader, 1_050_000);
    // Nobody has used it for a minute: it goes.
    collect(&leader, 1_120_000);
    let why = fetch_until(&leader, &Bench::new(), &offer, u64::MAX).err().unwrap();
    assert_eq!(why.kind(), std::io::ErrorKind::NotFound, "{why}");
    assert!(take_state(&mut leader, &mut follower) < 300, "batches of the earlier offer are still here");
    assert!(follower.machine.view.get(partition(1)).is_none());
    assert_alike(&leader, &follower);
}

#[test]
fn what_either_replica_compacted_is_the_leaders_then() {
    for (leader_compacts, follower_compacts) in [(true, false), (false, true), (true, true)] {
        let (mut leader, mut follower) = behind();
        if follower_compacts {
            compact(&follower, 0).unwrap();
            follower.checkpoint().unwrap();
        }
        if leader_compacts {
            compact(&leader, 0).unwrap();
        }
        take_state(&mut leader, &mut follower);
        assert_alike(&leader, &follower);
        follower.machine.unsaved().garbage.take_due(i64::MAX).remove(&follower.disk);
        follower.restart(1);
        assert_alike(&leader, &follower);
        for bench in [&mut leader, &mut follower] {
            grow(bench, 40, 50);
        }
        assert_alike(&leader, &follower);
    }
}

#[test]
fn a_checkpoint_that_began_before_does_not_bring_the_old_state_back() {
    let (mut leader, mut follower) = behind();
    let applied = Applied { id: id(follower.entries.len()), membership: Bytes::new() };
    let late = follower.machine.checkpoint(applied);
    take_state(&mut leader, &mut follower);
    assert!(late().is_err());
    follower.restart(1);
    assert_alike(&leader, &follower);
}
