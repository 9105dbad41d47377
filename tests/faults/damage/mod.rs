//! Bytes that are not what was written: a bit is flipped, a file is cut or gone. What is damaged is named, what is not
//! is served, and nothing is made worse: with the bytes back in place, all is as before.

mod indexes;
mod journal;
mod manifests;
mod repair;
mod segments;

use std::path::PathBuf;

use rdkafka::error::KafkaError;
use support::LIMIT;
use support::librdkafka::{create_topic, producer};
use testkit::process::{Broker, Launch};

use crate::kit::records::Kept;

/// Two shards, a partition of the topic in each.
fn launch() -> Launch {
    Broker::launch().set("shards.per.broker", 2)
}

/// A broker with records in two partitions, all of them in the journal as well, that was killed.
fn killed_broker() -> (Broker, Kept) {
    let mut broker = launch().start().unwrap();
    create_topic(&broker.address(), "kept", 2, &[]);
    let mut kept = Kept::of("kept");
    for partition in [0, 1, 0, 1] {
        kept.produce(&broker.address(), partition, 100, 100);
    }
    broker.kill().unwrap();
    (broker, kept)
}

/// The same, where a checkpoint has made the journal empty, and each partition has several segments.
fn stopped_broker() -> (Broker, Kept) {
    let mut broker = launch().start().unwrap();
    create_topic(&broker.address(), "kept", 2, &[("segment.bytes", "1048576")]);
    let mut kept = Kept::of("kept");
    for partition in [0, 1] {
        kept.produce(&broker.address(), partition, 600, 6000);
    }
    broker.stop().unwrap();
    (broker, kept)
}

/// Starts the broker, which must name what is wrong in these words and serve `good` all the same, but not `bad`.
#[track_caller]
fn serves_all_but(broker: &mut Broker, kept: &Kept, (good, bad): (i32, i32), words: &[&str]) {
    broker.restart().unwrap();
    broker.process().wait_for_line(&format!("say {words:?}"), LIMIT, |line| names(line, words)).unwrap();
    kept.check(&broker.address(), good);
    kept.clone().produce(&broker.address(), good, 1, 10);
    let refused = try_to_produce(broker, kept, bad);
    assert_eq!(refused.len(), 1);
}

fn names(line: &str, words: &[&str]) -> Option<()> {
    words.iter().all(|word| line.contains(word)).then_some(())
}

fn try_to_produce(broker: &Broker, kept: &Kept, partition: i32) -> Vec<KafkaError> {
    let producer = producer(&broker.address(), &[("message.timeout.ms", "1000")]);
    kept.clone().try_produce(&producer, partition, 1, 10)
}

/// The directory of a partition's segments.
fn partition_dir(broker: &Broker, partition: i32) -> PathBuf {
    let topic = broker.data_dir().join("topics/kept");
    let mut partitions = std::fs::read_dir(topic).unwrap().map(|entry| entry.unwrap().path());
    let prefix = format!("{partition}-");
    partitions.find(|path| path.file_name().unwrap().to_string_lossy().starts_with(&prefix)).unwrap()
}
