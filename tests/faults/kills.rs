//! `kill -9` at system calls, one after the other, of each kind by which the broker changes files: in starts, appends,
//! checkpoints, rolls of segments and deletions. What was acknowledged is there afterwards, where it was, and once.

use std::time::Duration;

use rdkafka::producer::{Producer, ThreadedProducer};
use support::librdkafka::{Deliveries, create_topic, flush, producer};
use testkit::process::{Broker, Launch};

use crate::kit::records::{Kept, bounds};
use crate::kit::strace::Fault;

/// Records that each broker is given, if it lives that long: enough for some checkpoints and rolls.
const RECORDS: usize = 200;

const RECORD_BYTES: usize = 15_000;

fn launch() -> Launch {
    Broker::launch()
        .set("shards.per.broker", 2)
        .set("journal.file.bytes", 1 << 20)
        .set("journal.checkpoint.bytes", 1 << 20)
        .set("log.segment.delete.delay.ms", 0)
        .set("log.retention.check.interval.ms", 20)
}

/// Brokers that die, one after the other, at these calls; then one that lives.
fn die_at(call: &'static str, numbers: impl IntoIterator<Item = usize>) {
    let mut broker = launch().start().unwrap();
    let address = broker.address();
    create_topic(&address, "kept", 2, &[]);
    // One topic's segments grow, and are cut back by each start; the other's come and go.
    create_topic(&address, "short-lived", 1, &[("segment.bytes", "1048576"), ("retention.bytes", "1000000")]);
    let mut kept = Kept::of("kept");
    let mut short_lived = Kept::of("short-lived");
    // A checkpoint names the segments that grow: others would be removed by a start, not cut back.
    kept.produce(&address, 0, 10, 100);
    kept.produce(&address, 1, 10, 100);
    broker.stop().unwrap();
    // It goes on from broker to broker, and must find each record there once.
    // Its batches are small, so that there are many writes.
    let patient = producer(
        &address,
        &[("enable.idempotence", "true"), ("retry.backoff.max.ms", "100"), ("batch.num.messages", "2")],
    );
    let careless = producer(&address, &[]);
    let (mut died, mut sent) = (0, 10);
    for number in numbers {
        let dies = Fault::at(call, number);
        // Or it dies before it serves.
        if broker.restart_as(&dies.kills(&launch())).is_ok() {
            kept.send(&patient, 0, RECORDS / 2, RECORD_BYTES);
            kept.send(&patient, 1, RECORDS / 2, RECORD_BYTES);
            short_lived.send(&careless, 0, RECORDS / 2, RECORD_BYTES);
            sent += RECORDS / 2;
            until_dead_or_done(&mut broker, &patient);
        }
        died += usize::from(!broker.process().is_running());
    }
    assert!(died > 1, "{died} died at {call}");

    broker.restart().unwrap();
    assert_eq!(kept.settle(flush(&patient)), []);
    for partition in [0, 1] {
        assert_eq!((kept.count(partition), bounds(&address, "kept", partition)), (sent, (0, sent as i64)));
        kept.check(&address, partition);
    }
}

fn until_dead_or_done(broker: &mut Broker, producer: &ThreadedProducer<Deliveries>) {
    while broker.process().is_running() && producer.in_flight_count() > 0 {
        // Time is up, most often: another look at the broker.
        producer.flush(Duration::from_millis(20)).ok();
    }
}

#[test]
fn a_kill_before_any_write_loses_nothing() {
    die_at("pwritev", [1, 2, 3, 5, 8, 13, 21, 34]);
}

#[test]
fn a_kill_before_any_sync_of_a_file_loses_nothing() {
    die_at("fdatasync", [1, 2, 3, 5, 8, 13, 21, 34]);
}

#[test]
fn a_kill_before_any_sync_of_a_directory_loses_nothing() {
    die_at("fsync", [1, 2, 3]);
}

#[test]
fn a_kill_before_any_opening_of_a_file_loses_nothing() {
    die_at("openat", [10, 12, 14, 16, 20, 24, 28]);
}

#[test]
fn a_kill_before_any_change_of_a_name_loses_nothing() {
    die_at("rename", [1, 2, 3]);
    die_at("unlink", [1, 1, 2]);
    die_at("mkdir", [1, 2, 3]);
}

#[test]
fn a_kill_before_any_change_of_a_length_loses_nothing() {
    die_at("ftruncate", [1; 6]);
}
