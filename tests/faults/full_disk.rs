//! A disk that is full: produce is refused with an error that clients retry, everything else goes on, and produce works
//! again once there is room. Each broker has a file system of its own, small enough to fill.

use std::path::Path;
use std::time::Instant;

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use support::LIMIT;
use support::librdkafka::{config, create_topic, flush, producer};
use testkit::process::{Broker, Launch};

use crate::kit::mount::Tmpfs;
use crate::kit::records::{Kept, bounds};

/// Size of the file system. The reserve, by default, is an eighth of it, a journal file 1/32.
const DISK_MIB: usize = 32;

/// How the broker says that it refuses, and that it does not any more.
const FULL: &str = "the disk is full";
const ROOM: &str = "the disk has room again";

fn launch_on(disk: &Tmpfs) -> Launch {
    Broker::launch()
        .within(disk.path())
        .env("TIDELOG_LOG", "warn,broker=info,shard=info,openraft=error")
        .set("log.segment.bytes", 1 << 20)
        .set("log.segment.delete.delay.ms", 0)
}

/// A producer that is told of an error at once.
const NO_RETRIES: [(&str, &str); 3] = [("retries", "0"), ("linger.ms", "0"), ("batch.num.messages", "10")];

/// A broker on a disk that it has filled up to its reserve by itself, and what it acknowledged.
fn full_broker(disk: &Tmpfs) -> (Broker, Kept) {
    let mut broker = launch_on(disk).start().unwrap();
    create_topic(&broker.address(), "in-the-way", 1, &[]);
    create_topic(&broker.address(), "kept", 2, &[]);
    Kept::of("in-the-way").produce(&broker.address(), 0, 800, 8000);
    let mut kept = Kept::of("kept");
    kept.produce(&broker.address(), 1, 100, 1000);

    let producer = producer(&broker.address(), &NO_RETRIES);
    // A checkpoint between the two may give back files of the journal, and so make room once more.
    let is_full = (0..5).any(|_| {
        let mut refused = Vec::new();
        while refused.is_empty() {
            refused = kept.try_produce(&producer, 0, 100, 8000);
            assert!(kept.count(0) * 8000 < DISK_MIB << 20, "nothing is refused");
        }
        let before = kept.count(1);
        refused.extend(kept.try_produce(&producer, 1, 10, 10));
        assert!(refused.iter().all(is_storage_error), "{refused:?}");
        kept.count(1) == before
    });
    assert!(is_full, "produce to another partition is refused as well");
    broker.process().wait_for_lines(FULL, 1, LIMIT).unwrap();
    (broker, kept)
}

fn is_storage_error(error: &KafkaError) -> bool {
    *error == KafkaError::MessageProduction(RDKafkaErrorCode::KafkaStorageError)
}

/// Waits until there is room; then produce must work, and everything acknowledged be where it was.
fn goes_on(broker: &mut Broker, kept: &mut Kept) {
    broker.process().wait_for_lines(ROOM, 1, LIMIT).unwrap();
    for partition in [0, 1] {
        kept.produce(&broker.address(), partition, 50, 1000);
        kept.check(&broker.address(), partition);
    }
    broker.kill().unwrap();
    broker.restart().unwrap();
    for partition in [0, 1] {
        kept.check(&broker.address(), partition);
    }
}

fn admin(address: &str) -> AdminClient<DefaultClientContext> {
    config(address).create().unwrap()
}

#[test]
fn on_a_full_disk_produce_is_refused_until_a_topic_is_deleted_and_reads_go_on() {
    let disk = Tmpfs::of_mib(DISK_MIB);
    let (mut broker, mut kept) = full_broker(&disk);
    kept.check(&broker.address(), 0);
    kept.check(&broker.address(), 1);

    let deleted =
        futures::executor::block_on(admin(&broker.address()).delete_topics(&["in-the-way"], &AdminOptions::new()));
    assert_eq!(deleted.unwrap(), [Ok("in-the-way".to_owned())]);
    goes_on(&mut broker, &mut kept);
}

#[test]
fn deleting_records_makes_room_on_a_full_disk() {
    let disk = Tmpfs::of_mib(DISK_MIB);
    let (mut broker, mut kept) = full_broker(&disk);
    let (_, end) = bounds(&broker.address(), "kept", 0);
    let mut before = TopicPartitionList::new();
    before.add_partition_offset("kept", 0, Offset::Offset(end - 10)).unwrap();
    let deleted =
        futures::executor::block_on(admin(&broker.address()).delete_records(&before, &AdminOptions::new())).unwrap();
    assert_eq!(deleted.elements()[0].offset(), Offset::Offset(end - 10));
    kept.forget_below(0, end - 10);
    goes_on(&mut broker, &mut kept);
}

#[test]
fn a_broker_starts_on_a_full_disk_and_retention_makes_room() {
    let disk = Tmpfs::of_mib(DISK_MIB);
    let (mut broker, mut kept) = full_broker(&disk);
    broker.kill().unwrap();
    broker.restart().unwrap();
    kept.check(&broker.address(), 0);
    kept.check(&broker.address(), 1);

    broker.stop().unwrap();
    let strict = launch_on(&disk).set("log.retention.bytes", 2 << 20).set("log.retention.check.interval.ms", 50);
    broker.restart_as(&strict).unwrap();
    let deadline = Instant::now() + LIMIT;
    while bounds(&broker.address(), "kept", 0).0 == 0 {
        assert!(Instant::now() < deadline, "retention deletes nothing");
    }
    kept.forget_below(0, bounds(&broker.address(), "kept", 0).0);
    for partition in [0, 1] {
        kept.produce(&broker.address(), partition, 50, 1000);
    }
    // Retention must not go on while what it left is looked at.
    broker.stop().unwrap();
    broker.restart_as(&launch_on(&disk)).unwrap();
    for partition in [0, 1] {
        kept.forget_below(partition, bounds(&broker.address(), "kept", partition).0);
        kept.check(&broker.address(), partition);
    }
}

#[test]
fn a_disk_that_another_program_fills_to_the_last_byte_loses_nothing_and_needs_no_restart() {
    let disk = Tmpfs::of_mib(DISK_MIB);
    let mut broker = launch_on(&disk).start().unwrap();
    create_topic(&broker.address(), "kept", 2, &[]);
    let mut kept = Kept::of("kept");
    kept.produce(&broker.address(), 1, 100, 1000);
    // One that waits for better times, and must find each record there once.
    let patient = producer(
        &broker.address(),
        &[("enable.idempotence", "true"), ("batch.num.messages", "10"), ("retry.backoff.max.ms", "100")],
    );
    let ballast = disk.fill();
    kept.send(&patient, 0, 1000, 1000);
    broker.process().wait_for_lines(FULL, 1, LIMIT).unwrap();
    kept.check(&broker.address(), 1);

    drop(ballast);
    assert_eq!(kept.settle(flush(&patient)), []);
    assert_eq!((kept.count(0), bounds(&broker.address(), "kept", 0)), (1000, (0, 1000)));
    goes_on(&mut broker, &mut kept);
}

#[test]
fn a_broker_starts_without_a_byte_left_and_serves_what_there_is() {
    let disk = Tmpfs::of_mib(DISK_MIB);
    let mut broker = launch_on(&disk).start().unwrap();
    create_topic(&broker.address(), "kept", 2, &[]);
    let mut kept = Kept::of("kept");
    for partition in [0, 1] {
        kept.produce(&broker.address(), partition, 500, 1000);
    }
    broker.kill().unwrap();
    let ballast = disk.fill();
    assert!(is_full(disk.path()));
    for _ in 0..3 {
        broker.restart().unwrap();
        broker.process().wait_for_lines(FULL, 1, LIMIT).unwrap();
        kept.check(&broker.address(), 0);
        kept.check(&broker.address(), 1);
        broker.kill().unwrap();
    }
    broker.restart().unwrap();
    drop(ballast);
    goes_on(&mut broker, &mut kept);
}

fn is_full(path: &Path) -> bool {
    rustix::fs::statvfs(path).unwrap().f_bavail == 0
}
