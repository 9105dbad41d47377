//! `tidelog cluster`, of a cluster that grows and shrinks.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::process::{Broker, Cluster};

use crate::support::{LIMIT, TIDELOG, fail, finish, json, run, write};

/// Asks until the status is as wanted; that status.
#[track_caller]
fn wait_for(at: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let finished = finish(at, &["cluster", "status", "--output", "json"]);
        let status: Value = serde_json::from_str(finished.stdout.lines().next().unwrap_or("null")).unwrap();
        if is_so(&status) {
            assert_eq!(finished.status.success(), status["healthy"] == true, "{}", finished.stderr);
            return status;
        }
        assert!(begun.elapsed() < LIMIT, "not {what}: {status} {}", finished.stderr);
        sleep(Duration::from_millis(200));
    }
}

fn of_broker(status: &Value, id: i64) -> &Value {
    let brokers = status["brokers"].as_array().into_iter().flatten();
    brokers.into_iter().find(|broker| broker["broker"] == id).unwrap_or(&Value::Null)
}

fn replicas(at: &str, topic: &str) -> Vec<usize> {
    let described = json(at, &["topic", "describe", topic]);
    described["partitions"].as_array().unwrap().iter().map(|it| it["replicas"].as_array().unwrap().len()).collect()
}

#[test]
fn a_broker_with_data_becomes_a_cluster_and_leaves_it_and_one_that_dies_is_replaced_without_a_loss() {
    let launch = Broker::launch().binary(Path::new(TIDELOG)).set("offsets.topic.num.partitions", 2);
    let launch = launch.set("broker.session.timeout.ms", 1000).set("broker.replacement.ms", 1000);
    let mut cluster = Cluster::start_as(&[launch.clone().set("shards.per.broker", 1)]).unwrap();
    let first = &cluster.brokers()[0].address();
    run(first, &["topic", "create", "orders", "--partitions", "2"]);
    let records: String = (0..1000).map(|number| format!("{number}\n")).collect();
    write(first, "orders", &records);
    run(first, &["group", "reset-offsets", "billing", "--topic", "orders", "--to", "end", "--execute"]);
    assert_eq!(wait_for(first, "healthy", |status| status["healthy"] == true)["controller_voters"], Value::from([1]));
    let command = run(first, &["cluster", "add"]);
    assert!(command.starts_with("tidelog serve --join 127."), "{command}");

    let newcomer = launch.set("shards.per.broker", 1);
    cluster.join(&newcomer).unwrap();
    cluster.join(&newcomer).unwrap();
    let is_grown = |status: &Value| {
        status["healthy"] == true && status["controller_voters"].as_array().is_some_and(|voters| voters.len() == 3)
    };
    wait_for(first, "grown to three", |status| is_grown(status) && replicas(first, "__consumer_offsets") == [3, 3]);
    assert!(fail(first, &["cluster", "remove", "1"]).contains("drain it first"));
    assert!(fail(first, &["cluster", "drain", "9"]).contains("there is no broker 9, but 1, 2, 3"));
    assert!(fail(first, &["cluster", "drain", "1"]).contains("too few others"));

    cluster.join(&newcomer).unwrap();
    let last = &cluster.brokers()[3].address();
    run(last, &["cluster", "drain", "1", "--wait"]);
    let groups = cluster.brokers()[0].data_dir().join("groups");
    let status = wait_for(last, "drained", |status| of_broker(status, 1)["state"] == "drained");
    assert_eq!((&of_broker(&status, 1)["carries"], &of_broker(&status, 1)["votes"]), (&0.into(), &false.into()));
    let begun = Instant::now();
    while std::fs::read_dir(&groups).unwrap().any(|group| group.unwrap().file_name() != "0") {
        assert!(begun.elapsed() < LIMIT, "replicas are left in {}", groups.display());
        sleep(Duration::from_millis(50));
    }
    run(last, &["cluster", "remove", "1", "--yes"]);
    cluster.broker(1).kill().unwrap();
    let status = wait_for(last, "healthy without broker 1", is_grown);
    assert_eq!(of_broker(&status, 1), &Value::Null);
    cluster.join(&newcomer).unwrap();
    cluster.broker(2).kill().unwrap();
    let last = &cluster.brokers()[3].address();
    let is_replaced = |broker: &Value| broker["carries"] == 0 && broker["votes"] == false && broker["state"] == "away";
    wait_for(last, "replaced", |status| is_replaced(of_broker(status, 2)));
    run(last, &["cluster", "remove", "2", "--yes"]);
    wait_for(last, "healthy without broker 2", is_grown);
    let read = run(last, &["consume", "orders", "--from-beginning", "-n", "1000"]);
    let mut numbers: Vec<u32> = read.lines().map(|line| line.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..1000), "{read}");
    let group = json(last, &["group", "describe", "billing"]);
    assert!(group["partitions"].as_array().unwrap().iter().all(|partition| partition["lag"] == 0), "{group}");
}

#[test]
fn a_broker_that_is_away_is_told_with_what_to_do() {
    let launch = Broker::launch().binary(Path::new(TIDELOG)).set("broker.session.timeout.ms", 500);
    let mut cluster = Cluster::start_as(&vec![launch; 3]).unwrap();
    let at = &cluster.brokers()[0].address();
    run(at, &["topic", "create", "orders", "--partitions", "1", "--replication-factor", "3"]);
    wait_for(at, "healthy", |status| status["healthy"] == true);
    cluster.broker(3).kill().unwrap();
    let is_told = |problem: &Value| {
        problem["problem"].as_str().is_some_and(|what| what.starts_with("broker 3 (127."))
            && problem["remedy"].as_str().is_some_and(|remedy| remedy.starts_with("start it again"))
    };
    wait_for(at, "told to be away", |status| {
        of_broker(status, 3)["state"] == "away" && status["problems"].as_array().unwrap().iter().any(is_told)
    });
    cluster.broker(3).restart().unwrap();
    wait_for(at, "healthy again", |status| status["healthy"] == true);
}
