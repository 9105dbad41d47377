//! `tidelog topic` and `tidelog cluster`, as a pipe sees them.

use crate::support::{fail, run, start_broker, write};

#[test]
fn topics_are_made_listed_described_and_deleted() {
    let broker = start_broker();
    let at = &broker.address();
    let made = run(at, &["topic", "create", "orders", "--partitions", "3", "--set", "retention.ms=86400000"]);
    assert_eq!(made, "created orders: 3 partitions, 1 replica\n");
    run(at, &["topic", "create", "a", "b"]);
    assert_eq!(run(at, &["topic", "list"]), "a\t1\t1\nb\t1\t1\norders\t3\t1\n");

    let described = run(at, &["topic", "describe", "orders"]);
    let lines: Vec<&str> = described.lines().collect();
    assert_eq!(lines[0], "topic\torders");
    assert_eq!(lines[2..4], ["partitions\t3", "settings\tretention.ms=86400000"]);
    assert_eq!(lines[4..], ["", "0\t1\t1\t1\t0\t0", "1\t1\t1\t1\t0\t0", "2\t1\t1\t1\t0\t0"]);
    write(at, "a", "one\ntwo\n");
    assert!(run(at, &["topic", "describe", "a"]).ends_with("0\t1\t1\t1\t0\t2\n"));

    assert_eq!(run(at, &["topic", "delete", "orders", "a"]), "deleted orders\ndeleted a\n");
    assert_eq!(run(at, &["topic", "list"]), "b\t1\t1\n");
}

#[test]
fn what_cannot_be_made_or_found_is_said_with_the_remedy() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "orders"]);
    let taken = fail(at, &["topic", "create", "orders"]);
    assert!(taken.contains("already exists") && taken.contains("--if-not-exists"), "{taken}");
    assert_eq!(run(at, &["topic", "create", "orders", "--if-not-exists"]), "orders is there already\n");
    let unknown =
        "there is no topic 'ordesr'; did you mean 'orders'? otherwise make it with `tidelog topic create ordesr`";
    assert_eq!(fail(at, &["topic", "describe", "ordesr"]), unknown);
    assert_eq!(fail(at, &["topic", "delete", "ordesr"]), unknown);
    let setting = fail(at, &["topic", "create", "x", "--set", "retention.mss=1"]);
    assert!(setting.contains("retention.mss"), "{setting}");
    let replicas = fail(at, &["topic", "create", "x", "--replication-factor", "3"]);
    assert!(replicas.starts_with("creating x failed: "), "{replicas}");
}

#[test]
fn the_cluster_is_described() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "orders", "--partitions", "3"]);
    let info = run(at, &["cluster", "info"]);
    let fact = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'));
    assert_eq!(fact("cluster").map(str::len), Some(22), "{info}");
    assert_eq!(fact("controller"), Some("broker 1"));
    assert_eq!(fact("brokers"), Some("1"));
    assert_eq!(fact("topics"), Some("1 and 0 internal"));
    assert_eq!(fact("partitions"), Some("3"));
    assert_eq!(fact("client"), Some(concat!("tidelog ", env!("CARGO_PKG_VERSION"))));
    assert!(fact("features").is_some_and(|features| features.contains("metadata.version ")), "{info}");
    assert!(info.contains(&format!("\n1\t{at}")), "{info}");
}
