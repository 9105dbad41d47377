//! Apply on a simulated disk: what entries do, what a checkpoint keeps, what a crash may take.

mod catch_up;
mod compaction;
mod moves;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use disk::{Disk, SimDisk};
use log::{FileCache, LogSettings};
use model::{ErrorCode, GroupId, PartitionId, TopicId, TopicName};
use raft::{Applied, EntryId, StateMachine};
use record::BatchBuilder;
use uuid::Uuid;

use super::*;
use crate::append::Appended;
use crate::entry::{
    AdvanceStart, AppendEntry, ClosePartitions, LogStart, OpenPartition, OpenPartitions, PartitionSettings,
};
use crate::restore::Home;

const TERM: u64 = 3;

/// A machine, the disk below it, and the log that a Raft group would keep for it.
struct Bench {
    disk: SimDisk,
    machine: Machine,
    entries: Vec<Bytes>,
}

impl Bench {
    fn new() -> Self {
        let disk = SimDisk::new(1);
        let mut bench = Bench { machine: restore(&disk), disk, entries: Vec::new() };
        assert!(matches!(bench.apply(open(0, 0, &[0, 1])), Outcome::Done));
        bench
    }

    fn apply(&mut self, entry: Bytes) -> Outcome {
        self.entries.push(entry.clone());
        self.machine.apply(id(self.entries.len()), &entry)
    }

    fn append(&mut self, partition: i32, batch: &Bytes) -> AppendResult {
        match self.apply(append(partition, batch)) {
            Outcome::Appended(results) => results[0],
            Outcome::Refused(error) => Err(error),
            other => panic!("an append is not {other:?}"),
        }
    }

    fn checkpoint(&mut self) -> std::io::Result<()> {
        let applied = Applied { id: id(self.entries.len()), membership: Bytes::new() };
        self.machine.checkpoint(applied)()
    }

    /// Power off and on, with what the disk kept; then the entries beyond the checkpoint again.
    fn restart(&mut self, seed: u64) {
        self.disk = self.disk.restart(seed);
        self.machine = restore(&self.disk);
        let done = self.machine.applied().map_or(0, |applied| applied.id.index as usize);
        for (place, entry) in self.entries.iter().enumerate().skip(done) {
            self.machine.apply(id(place + 1), entry);
        }
    }

    fn sweep(&self) -> Vec<PathBuf> {
        let in_use = || crate::sweep::partitions_with_files(&self.machine.view, &self.machine.unsaved);
        crate::sweep(&self.disk, Path::new("topics"), in_use).unwrap()
    }

    fn partition(&self, index: i32) -> Arc<Partition> {
        self.machine.view.get(partition(index)).expect("it is open")
    }

    /// All bytes of a partition, as a fetch would read them.
    fn bytes(&self, index: i32) -> Vec<u8> {
        let log = &self.partition(index).log;
        if log.log_start() == log.log_end() {
            return Vec::new();
        }
        log.read(log.log_start(), usize::MAX, true).unwrap().concat()
    }
}

fn restore(disk: &SimDisk) -> Machine {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let files = FileCache::new(disk.clone(), 8);
    // As the broker does at start: what is below these directories is the shard's to sync.
    disk.create_dir_all(Path::new("groups")).unwrap();
    disk.create_dir_all(Path::new("topics")).unwrap();
    disk.sync_dir(Path::new("")).unwrap();
    Machine::restore(GroupId(1), Home { disk, files, dir: "groups/1".into(), topics: "topics".into() }).unwrap()
}

fn id(index: usize) -> EntryId {
    EntryId { term: TERM, node: 1, index: index as u64 }
}

fn partition(index: i32) -> PartitionId {
    PartitionId { topic: TopicId(Uuid::from_u128(7)), index }
}

fn opening(index: i32) -> OpenPartition {
    let log = LogSettings { segment_bytes: 400, ..LogSettings::default() };
    let settings = PartitionSettings { log, producer_expiration_ms: 1000, file_delete_delay_ms: 10 };
    let topic = TopicName::parse("orders").unwrap();
    OpenPartition { id: partition(index), topic, settings, epoch_base: 0, start_offset: 0 }
}

fn open(clock_ms: i64, as_of: u64, indexes: &[i32]) -> Bytes {
    entry::open(clock_ms, &OpenPartitions { as_of, partitions: indexes.iter().copied().map(opening).collect() })
}

fn close(clock_ms: i64, as_of: u64) -> Bytes {
    entry::close(clock_ms, &ClosePartitions { as_of, ids: vec![partition(0)] })
}

fn append(index: i32, batch: &Bytes) -> Bytes {
    let mut entry = AppendEntry::default();
    entry.push(partition(index), batch);
    entry.encode(0)
}

fn batch(records: usize, value: &[u8]) -> Bytes {
    let mut batch = BatchBuilder::new();
    (0..records).for_each(|_| batch.push(1, None, Some(value), &[]));
    batch.build().unwrap()
}

fn idempotent(sequence: i32) -> Bytes {
    BatchBuilder::new().producer(9, 0, sequence).record(1, None, Some(b"x")).build().unwrap()
}

fn at(base_offset: i64) -> AppendResult {
    Ok(Appended { base_offset, log_append_time_ms: -1, log_start: 0 })
}

/// The answer to a batch that was here before: with its greatest timestamp, as in Kafka.
fn known_at(base_offset: i64) -> AppendResult {
    at(base_offset).map(|appended| Appended { log_append_time_ms: 1, ..appended })
}

#[test]
fn batches_get_consecutive_offsets_in_each_partition() {
    let mut bench = Bench::new();
    assert_eq!(bench.append(0, &batch(3, b"a")), at(0));
    assert_eq!(bench.append(0, &batch(1, b"b")), at(3));
    assert_eq!(bench.append(1, &batch(1, b"c")), at(0));
    assert_eq!(bench.partition(0).log.log_end(), 4);
}

#[test]
fn a_batch_sent_again_is_not_appended_again() {
    let mut bench = Bench::new();
    assert_eq!(bench.append(0, &idempotent(0)), at(0));
    assert_eq!(bench.append(0, &idempotent(1)), at(1));
    assert_eq!(bench.append(0, &idempotent(0)), known_at(0));
    assert_eq!(bench.append(0, &idempotent(3)), Err(ErrorCode::OutOfOrderSequenceNumber));
    assert_eq!(bench.partition(0).log.log_end(), 2);
}

#[test]
fn a_partition_that_is_not_here_takes_nothing() {
    let mut bench = Bench::new();
    assert_eq!(bench.append(7, &batch(1, b"a")), Err(ErrorCode::UnknownTopicOrPartition));
}

#[test]
fn what_a_coordinator_computed_in_an_earlier_term_is_refused() {
    let mut bench = Bench::new();
    let batch = batch(1, b"a");
    let mut entry = AppendEntry::default();
    entry.push(partition(0), &batch);
    assert!(matches!(bench.apply(entry.encode_in_term(0, TERM - 1)), Outcome::Refused(ErrorCode::NotCoordinator)));
    assert_eq!(bench.partition(0).log.log_end(), 0);
    assert!(matches!(bench.apply(entry.encode_in_term(0, TERM)), Outcome::Appended(results) if results == [at(0)]));
}

#[test]
fn replaying_after_a_power_cut_gives_the_same_bytes() {
    for seed in 0..50 {
        let mut bench = Bench::new();
        for n in 0..20 {
            bench.append(n % 2, &batch(1 + n as usize % 3, &[n as u8; 50])).unwrap();
            if n == 11 {
                bench.checkpoint().unwrap();
            }
        }
        let before = (bench.bytes(0), bench.bytes(1));
        bench.restart(seed);
        assert_eq!((bench.bytes(0), bench.bytes(1)), before, "seed {seed}");
    }
}

#[test]
fn a_crash_at_any_step_of_a_checkpoint_loses_nothing() {
    let steps = {
        let mut bench = Bench::new();
        (0..6).for_each(|n| assert_eq!(bench.append(0, &idempotent(n)), at(i64::from(n))));
        let before = bench.disk.mutations();
        bench.checkpoint().unwrap();
        bench.disk.mutations() - before
    };
    assert!(steps > 3, "a checkpoint syncs a log and commits a manifest, it took {steps} steps");
    for step in 1..=steps {
        for seed in 0..10 {
            let mut bench = Bench::new();
            (0..6).for_each(|n| assert_eq!(bench.append(0, &idempotent(n)), at(i64::from(n))));
            let before = bench.bytes(0);
            bench.disk.crash_at(step);
            assert!(bench.checkpoint().is_err());
            bench.restart(seed);
            assert_eq!(bench.bytes(0), before, "step {step}, seed {seed}");
            assert_eq!(bench.append(0, &idempotent(2)), known_at(2), "producers are remembered");
        }
    }
}

#[test]
fn producers_are_remembered_by_a_checkpoint_alone() {
    let mut bench = Bench::new();
    bench.append(0, &idempotent(0)).unwrap();
    bench.checkpoint().unwrap();
    bench.restart(1);
    assert_eq!(bench.append(0, &idempotent(0)), known_at(0));
}

#[test]
fn apply_waits_for_a_full_disk_and_goes_on_in_order() {
    let mut bench = Bench::new();
    bench.append(0, &batch(1, b"before")).unwrap();
    bench.disk.set_capacity(Some(0));
    assert_eq!(bench.append(0, &batch(1, &[1; 5000])), Err(ErrorCode::KafkaStorageError));
    assert_eq!(bench.append(0, &batch(1, b"behind it")), Err(ErrorCode::KafkaStorageError));
    assert!(!bench.machine.health.accepts_writes());
    assert!(bench.checkpoint().is_err(), "the journal must keep what is missing");
    assert_eq!(bench.partition(0).log.log_end(), 1, "reads go on below");

    bench.disk.set_capacity(None);
    bench.apply(entry::advance_start(0, &AdvanceStart::default()));
    assert!(bench.machine.health.accepts_writes());
    assert_eq!(bench.partition(0).log.log_end(), 3);
    assert_eq!(bench.append(0, &batch(1, b"after")), at(3));
    bench.checkpoint().unwrap();
}

#[test]
fn what_waits_for_the_disk_is_tried_again_by_a_checkpoint_though_no_entry_comes() {
    let mut bench = Bench::new();
    bench.disk.set_capacity(Some(0));
    assert_eq!(bench.append(0, &batch(1, &[1; 5000])), Err(ErrorCode::KafkaStorageError));
    assert!(bench.checkpoint().is_err(), "there is still no room");
    assert_eq!(bench.partition(0).log.log_end(), 0);
    bench.disk.set_capacity(None);
    bench.checkpoint().unwrap();
    assert_eq!(bench.partition(0).log.log_end(), 1);
    assert!(bench.machine.health.accepts_writes());
    bench.restart(1);
    assert_eq!(bench.partition(0).log.log_end(), 1);
}

#[test]
fn a_term_has_not_begun_while_entries_before_it_wait_for_the_disk() {
    let mut bench = Bench::new();
    let begin = |bench: &mut Bench, term| bench.machine.term_started(EntryId { term, node: 1, index: 0 });
    begin(&mut bench, 5);
    assert!(bench.machine.health.has_begun(5) && !bench.machine.health.has_begun(6));
    bench.disk.set_capacity(Some(0));
    assert_eq!(bench.append(0, &batch(1, &[1; 5000])), Err(ErrorCode::KafkaStorageError));
    begin(&mut bench, 6);
    assert_eq!(bench.append(0, &batch(1, b"behind it")), Err(ErrorCode::KafkaStorageError));
    assert!(!bench.machine.health.has_begun(6), "clients may have been told of more than is in the log");

    bench.disk.set_capacity(None);
    bench.apply(entry::advance_start(0, &AdvanceStart::default()));
    assert_eq!(bench.partition(0).log.log_end(), 2);
    assert!(bench.machine.health.has_begun(6));
}

#[test]
fn a_failed_sync_ends_checkpoints_and_writes_until_a_restart() {
    let mut bench = Bench::new();
    bench.append(0, &batch(1, b"a")).unwrap();
    let before = bench.bytes(0);
    bench.disk.fail_syncs("topics", 1);
    assert!(bench.checkpoint().is_err());
    assert!(bench.machine.health.has_failed());
    assert!(bench.checkpoint().is_err(), "a second sync would only seem to succeed");
    bench.restart(1);
    assert_eq!(bench.bytes(0), before);
    bench.checkpoint().unwrap();
}

#[test]
fn a_manifest_that_could_not_be_begun_is_written_by_the_next_checkpoint() {
    let mut bench = Bench::new();
    bench.append(0, &batch(1, b"a")).unwrap();
    bench.disk.fail_syncs("manifest", 1);
    assert!(bench.checkpoint().is_err());
    bench.append(1, &batch(1, b"b")).unwrap();
    let before = (bench.bytes(0), bench.bytes(1));
    bench.checkpoint().unwrap();
    assert!(bench.machine.health.accepts_writes());
    bench.entries.iter_mut().for_each(|entry| *entry = entry::advance_start(0, &AdvanceStart::default()));
    bench.restart(1);
    assert_eq!((bench.bytes(0), bench.bytes(1)), before);
}

#[test]
fn a_failed_sync_of_the_manifest_ends_checkpoints_and_writes_until_a_restart() {
    let mut bench = Bench::new();
    bench.append(0, &batch(1, b"a")).unwrap();
    bench.checkpoint().unwrap();
    bench.append(0, &batch(1, b"b")).unwrap();
    let before = bench.bytes(0);
    bench.disk.fail_syncs("manifest", 1);
    assert!(bench.checkpoint().is_err());
    assert!(bench.checkpoint().is_err(), "what the file holds is not known");
    assert!(!bench.machine.health.accepts_writes(), "or the journal would grow for ever");
    bench.restart(1);
    assert_eq!(bench.bytes(0), before);
    bench.checkpoint().unwrap();
}

#[test]
fn a_log_start_moves_up_and_never_back() {
    let mut bench = Bench::new();
    (0..10).for_each(|n| assert_eq!(bench.append(0, &batch(1, &[0; 100])), at(n)));
    let moves = |offset| AdvanceStart { partitions: vec![LogStart { id: partition(0), offset }] };
    for (offset, start) in [(4, 4), (2, 4), (11, 4), (10, 10)] {
        bench.apply(entry::advance_start(0, &moves(offset)));
        assert_eq!(bench.partition(0).log.log_start(), start, "after a move to {offset}");
    }
    bench.checkpoint().unwrap();
    bench.restart(1);
    assert_eq!(bench.partition(0).log.log_start(), 10);
}

#[test]
fn a_closed_partitions_files_go_when_no_manifest_names_them_and_its_delay_is_over() {
    let mut bench = Bench::new();
    bench.append(0, &batch(1, b"a")).unwrap();
    bench.checkpoint().unwrap();
    let dir = bench.partition(0).log.dir().to_owned();
    bench.apply(close(100, 0));
    assert!(bench.machine.view.get(partition(0)).is_none());
    let collect = |bench: &Bench, now_ms| {
        let due = bench.machine.unsaved().garbage.take_due(now_ms);
        due.remove(&bench.disk);
    };
    collect(&bench, 1000);
    assert!(bench.disk.exists(&dir).unwrap(), "the manifest still names it");
    bench.checkpoint().unwrap();
    collect(&bench, 109);
    assert!(bench.disk.exists(&dir).unwrap(), "file.delete.delay.ms is not over");
    collect(&bench, 110);
    assert!(!bench.disk.exists(&dir).unwrap());
}

#[test]
fn leftovers_of_a_deleted_partition_are_swept_at_the_next_start() {
    let mut bench = Bench::new();
    bench.append(0, &batch(1, b"a")).unwrap();
    bench.append(1, &batch(1, b"b")).unwrap();
    bench.checkpoint().unwrap();
    bench.apply(close(100, 0));
    bench.restart(1);
    // The close was applied again, but a restart would find the manifest that still names the files.
    assert_eq!(bench.sweep(), [] as [PathBuf; 0]);
    bench.checkpoint().unwrap();
    bench.restart(1);
    let orders = TopicName::parse("orders").unwrap();
    assert_eq!(bench.sweep(), [crate::lifecycle::partition_dir(Path::new("topics"), &orders, partition(0), None)]);
    assert_eq!(bench.partition(1).log.log_end(), 1);
}

#[test]
fn an_entry_of_a_newer_version_is_refused_and_changes_nothing() {
    let mut bench = Bench::new();
    let newer = Bytes::from_static(&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(matches!(bench.apply(newer), Outcome::Refused(ErrorCode::UnknownServerError)));
    assert_eq!(bench.append(0, &batch(1, b"a")), at(0));
}

#[test]
fn a_leader_that_knows_an_older_image_neither_closes_nor_opens() {
    let mut bench = Bench::new();
    assert!(matches!(bench.apply(open(0, 7, &[2])), Outcome::Done));
    let stale = |outcome| matches!(outcome, Outcome::Refused(ErrorCode::StaleControllerEpoch));
    assert!(stale(bench.apply(close(0, 6))));
    assert!(bench.machine.view.get(partition(0)).is_some());
    assert!(stale(bench.apply(open(0, 6, &[3]))));
    assert!(bench.machine.view.get(partition(3)).is_none());

    bench.checkpoint().unwrap();
    bench.restart(0);
    assert!(stale(bench.apply(close(0, 6))), "a checkpoint keeps what was known");
    assert!(matches!(bench.apply(close(0, 7)), Outcome::Done));
    assert!(bench.machine.view.get(partition(0)).is_none());
}
