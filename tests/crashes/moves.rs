//! Partitions that go from broker to broker under load, by Kafka's own tool.

use std::path::Path;

use support::librdkafka::create_replicated_topic;
use support::{LIMIT, Tools, unique};
use testkit::process::{Broker, Cluster};

use crate::cluster::alone;
use crate::load::{Load, PARTITIONS, assert_sound};

const BROKERS: usize = 3;

/// Between two moves at least so much is acknowledged and so much read.
const STEP: usize = 300;

/// A reassignment of all partitions: each to two brokers, one further in each round.
fn plan(file: &Path, topic: &str, round: usize) {
    let replicas = |partition: usize| {
        let first = (partition + round) % BROKERS;
        format!("[{},{}]", first + 1, (first + 1) % BROKERS + 1)
    };
    let partition =
        |index: usize| format!(r#"{{"topic":"{topic}","partition":{index},"replicas":{}}}"#, replicas(index));
    let partitions: Vec<String> = (0..PARTITIONS).map(partition).collect();
    std::fs::write(file, format!(r#"{{"version":1,"partitions":[{}]}}"#, partitions.join(","))).unwrap();
}

#[test]
fn partitions_that_move_under_load_lose_nothing_acknowledged() {
    let _alone = alone();
    let launch = Broker::launch().set("group.initial.rebalance.delay.ms", 0);
    let cluster = Cluster::start_as(&vec![launch; BROKERS]).unwrap();
    let topic = unique("moved-under-load");
    create_replicated_topic(&cluster.addresses(), &topic, i32::try_from(PARTITIONS).unwrap(), 2);
    let mut tools = Tools::at(cluster.addresses());
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display().to_string();
    let mut reassign = |arguments: &str| {
        tools.run(&format!("reassign.ReassignPartitionsCommand @ {arguments} --reassignment-json-file {path}"))
    };

    let load = Load::start(&cluster.addresses(), &topic);
    for round in 1..=BROKERS {
        load.wait_for_more(STEP, LIMIT).unwrap_or_else(|stuck| panic!("before round {round}: {stuck}"));
        plan(file.path(), &topic, round);
        reassign("--execute");
        let complete = |verified: &str| !verified.contains("is still in progress");
        while !complete(&reassign("--verify --preserve-throttles")) {}
        let verified = reassign("--verify");
        assert_eq!(verified.matches("is completed").count(), PARTITIONS, "{verified}");
    }
    load.wait_for_more(STEP, LIMIT).unwrap_or_else(|stuck| panic!("at the end: {stuck}"));

    // So slow that it does not end before it is called off.
    plan(file.path(), &topic, BROKERS + 1);
    reassign("--execute --throttle 1");
    let verified = reassign("--verify --preserve-throttles");
    assert_eq!(verified.matches("is still in progress").count(), PARTITIONS, "{verified}");
    reassign("--cancel");
    load.wait_for_more(STEP, LIMIT).unwrap_or_else(|stuck| panic!("after a move was called off: {stuck}"));
    assert_sound(load.finish());
}
