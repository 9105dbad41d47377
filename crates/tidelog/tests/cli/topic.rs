//! `tidelog topic` and `tidelog cluster`, as a pipe sees them.

use serde_json::json;

use crate::support::{fail, finish, json, produce, run, start_broker, write};

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
    assert_eq!(fact("controller"), Some("1"));
    assert_eq!(fact("brokers"), Some("1"));
    assert_eq!((fact("topics"), fact("internal topics")), (Some("1"), Some("0")));
    assert_eq!(fact("partitions"), Some("3"));
    assert_eq!(fact("client"), Some(concat!("tidelog ", env!("CARGO_PKG_VERSION"))));
    assert!(fact("features").is_some_and(|features| features.contains("metadata.version=")), "{info}");
    assert!(info.contains(&format!("\n1\t{at}")), "{info}");

    let object = json(at, &["cluster", "info"]);
    assert_eq!(object["brokers"], json!([{ "broker": 1, "address": at, "rack": null }]));
    assert_eq!((&object["topics"], &object["internal_topics"]), (&json!(1), &json!(0)));
    assert!(object["features"]["metadata.version"].is_number(), "{object}");
}

#[test]
fn programs_get_one_document() {
    let broker = start_broker();
    let at = &broker.address();
    let made = json(at, &["topic", "create", "orders", "-p", "2", "--set", "retention.ms=1000"]);
    assert_eq!(made, json!([{ "topic": "orders", "created": true, "partitions": 2, "replicas": 1 }]));
    let again = json(at, &["topic", "create", "orders", "--if-not-exists"]);
    assert_eq!(again, json!([{ "topic": "orders", "created": false }]));
    let failed = finish(at, &["topic", "create", "more", "orders", "-o", "json"]);
    let more = r#"[{"created":true,"partitions":1,"replicas":1,"topic":"more"}]"#;
    assert_eq!((failed.status.code(), failed.stdout.trim()), (Some(1), more), "what was done is said");
    assert!(failed.stderr.contains("already exists"), "{}", failed.stderr);

    let list = json(at, &["topic", "list"]);
    let names: Vec<_> = list.as_array().unwrap().iter().map(|topic| topic["topic"].as_str().unwrap()).collect();
    assert_eq!(names, ["more", "orders"]);
    let described = json(at, &["topic", "describe", "orders"]);
    assert_eq!(described["id"], list[1]["id"]);
    assert_eq!(described["settings"], json!({ "retention.ms": "1000" }));
    let first = json!({ "partition": 0, "leader": 1, "replicas": [1], "in_sync": [1], "start": 0, "end": 0 });
    assert_eq!(described["partitions"][0], first);
    assert_eq!(described["partitions"].as_array().map(Vec::len), Some(2));
    assert_eq!(json(at, &["topic", "delete", "more"]), json!([{ "topic": "more", "deleted": true }]));
}

#[test]
fn a_topic_is_changed() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "orders", "--set", "retention.ms=1000"]);
    let change = ["--set", "cleanup.policy=compact", "--unset", "retention.ms", "--partitions", "3"];
    let changed = run(at, &[&["topic", "alter", "orders"][..], &change].concat());
    let lines =
        ["set cleanup.policy=compact of orders", "unset retention.ms of orders", "orders has 3 partitions now", ""];
    assert_eq!(changed, lines.join("\n"));
    let described = run(at, &["topic", "describe", "orders"]);
    assert!(described.contains("partitions\t3\nsettings\tcleanup.policy=compact\n"), "{described}");

    let refused = fail(at, &["topic", "alter", "orders", "--set", "retention.mss=1", "--partitions", "4"]);
    assert!(refused.contains("retention.mss"), "{refused}");
    let fewer = fail(at, &["topic", "alter", "orders", "--partitions", "2"]);
    assert!(fewer.starts_with("adding partitions to orders failed: "), "{fewer}");
    assert_eq!(run(at, &["topic", "list"]), "orders\t3\t1\n", "nothing was added where a setting was refused");
    let object = json(at, &["topic", "alter", "orders", "--set", "retention.ms=5", "--partitions", "4"]);
    let set = json!({ "topic": "orders", "set": "retention.ms", "value": "5" });
    assert_eq!(object, json!([set, { "topic": "orders", "partitions": 4 }]));
    let unknown = fail(at, &["topic", "alter", "ordesr", "--partitions", "2"]);
    assert!(unknown.contains("did you mean 'orders'?"), "{unknown}");
}

#[test]
fn first_records_are_deleted_by_offset_and_time() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "t", "--partitions", "2"]);
    for partition in ["0", "1"] {
        produce(at, &["t", "--partition", partition], "a\nb\nc\nd\n").success().unwrap();
    }
    let delete = |arguments: &[&str]| run(at, &[&["topic", "delete-records", "t"], arguments].concat());
    assert_eq!(delete(&["--partition", "1", "--before", "2"]), "1\t0\t2\t4\n");
    assert_eq!(delete(&["--before", "1"]), "0\t0\t1\t4\n1\t2\t2\t4\n", "a start does not go back");
    assert_eq!(delete(&["--before", "2000-01-01"]), "0\t1\t1\t4\n1\t2\t2\t4\n", "no record is so old");
    let behind = fail(at, &["topic", "delete-records", "t", "--before", "5"]);
    assert_eq!(behind, "t-0 has no offset 5: it ends at 4");
    assert_eq!(run(at, &["consume", "t", "-b", "--no-follow", "-p", "0"]), "b\nc\nd\n");
    let all = json(at, &["topic", "delete-records", "t", "--before", "end", "-p", "0"]);
    assert_eq!(all, json!([{ "partition": 0, "start_was": 1, "start": 4, "end": 4 }]));
    assert_eq!(delete(&["--before", "0s"]), "0\t4\t4\t4\n1\t2\t4\t4\n", "all records are older than now");
    assert_eq!(run(at, &["consume", "t", "-b", "--no-follow"]), "");
}
