//! An fsync that fails once. Nobody knows what of it reached the disk, so nothing more is acknowledged from there on;
//! reads go on, and a restart finds everything that was acknowledged.

use std::path::PathBuf;

use rdkafka::error::KafkaError;
use support::LIMIT;
use support::librdkafka::{create_topic, producer};
use testkit::process::Broker;

use crate::kit::files::{named, the_one};
use crate::kit::records::Kept;
use crate::kit::strace::Fault;

/// A broker that holds some records, and is stopped.
fn stopped_broker() -> (Broker, Kept) {
    let mut broker = Broker::launch().set("shards.per.broker", 1).start().unwrap();
    create_topic(&broker.address(), "kept", 1, &[]);
    let mut kept = Kept::of("kept");
    kept.produce(&broker.address(), 0, 100, 100);
    broker.stop().unwrap();
    (broker, kept)
}

/// Starts the broker, lets the fault happen while records are produced, and looks what follows.
fn after(fault: &Fault, broker: &mut Broker, mut kept: Kept, words: &str) {
    let launch = Broker::launch().set("journal.checkpoint.bytes", 1 << 20);
    broker.restart_as(&fault.fails(&launch)).unwrap();
    let producer = producer(&broker.address(), &[("retries", "0"), ("linger.ms", "0")]);
    let mut refused = Vec::new();
    while refused.is_empty() {
        refused = kept.try_produce(&producer, 0, 1, 40_000);
        assert!(kept.count(0) < 1000, "nothing fails");
    }
    broker.process().wait_for_lines(words, 1, LIMIT).unwrap();
    let errors = kept.try_produce(&producer, 0, 20, 100);
    assert_eq!(errors.len(), 20, "nothing is acknowledged after a failed fsync");
    refused.extend(errors);
    assert!(refused.iter().all(is_retriable), "{refused:?}");
    kept.check(&broker.address(), 0);

    broker.restart().unwrap();
    kept.check(&broker.address(), 0);
    kept.produce(&broker.address(), 0, 10, 100);
    kept.check(&broker.address(), 0);
}

fn is_retriable(error: &KafkaError) -> bool {
    use rdkafka::types::RDKafkaErrorCode::{KafkaStorageError, NotLeaderForPartition};
    matches!(error, KafkaError::MessageProduction(KafkaStorageError | NotLeaderForPartition))
}

#[test]
fn after_a_failed_fsync_of_the_journal_nothing_is_acknowledged_until_a_restart() {
    let (mut broker, kept) = stopped_broker();
    // The journal's thread is the only one that comes that far.
    let fault = Fault::at("fdatasync", 25);
    after(&fault, &mut broker, kept, "the journal failed");
}

#[test]
fn after_a_failed_fsync_of_a_segment_nothing_is_acknowledged_until_a_restart() {
    let (mut broker, kept) = stopped_broker();
    let fault = Fault::at("fdatasync", 1).on(named(&broker.data_dir(), ".log"));
    after(&fault, &mut broker, kept, "a checkpoint could not be synced");
}

#[test]
fn after_a_failed_fsync_of_a_manifest_nothing_is_acknowledged_until_a_restart() {
    let (mut broker, kept) = stopped_broker();
    let fault = Fault::at("fdatasync", 1).on([next_manifest(&broker)]);
    after(&fault, &mut broker, kept, "a checkpoint could not be synced");
}

#[test]
fn a_manifest_that_could_not_be_synced_while_it_was_a_draft_is_written_again() {
    let (mut broker, mut kept) = stopped_broker();
    let draft = next_manifest(&broker).with_extension("new");
    let launch = Broker::launch().set("journal.checkpoint.bytes", 1 << 20);
    broker.restart_as(&Fault::at("fdatasync", 1).on([draft]).fails(&launch)).unwrap();
    kept.produce(&broker.address(), 0, 100, 40_000);
    broker.process().wait_for_lines("Input/output error", 1, LIMIT).unwrap();
    kept.produce(&broker.address(), 0, 100, 40_000);
    broker.kill().unwrap();
    broker.restart().unwrap();
    kept.check(&broker.address(), 0);
}

/// The manifest that the shard's next checkpoint makes.
fn next_manifest(broker: &Broker) -> PathBuf {
    let present = the_one(&broker.data_dir().join("groups/1"), "manifest-");
    let (stem, number) = present.to_str().unwrap().rsplit_once('-').unwrap();
    let number: u64 = number.parse().unwrap();
    PathBuf::from(format!("{stem}-{:020}", number + 1))
}
