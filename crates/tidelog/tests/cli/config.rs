//! `tidelog config`

use serde_json::json;

use crate::support::{command, fail, finish, json, run, start_broker};
use testkit::process::Child;

#[test]
fn settings_are_shown_changed_and_taken_back() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "orders", "--set", "retention.ms=1000"]);
    let get = |what: &[&str]| run(at, &[&["config", "get"], what].concat());
    assert_eq!(get(&["topic", "orders"]), "retention.ms\t1000\ttopic\n");
    let keys = ["topic", "orders", "retention.ms", "cleanup.policy"];
    assert_eq!(get(&keys), "cleanup.policy\tdelete\tdefault\nretention.ms\t1000\ttopic\n");
    assert!(get(&["topic", "orders", "--all"]).lines().count() > 20);
    let explained = get(&["topic", "orders", "retention.ms", "--docs"]);
    assert!(explained.split('\t').count() == 4 && explained.len() > 60, "{explained}");

    let set = ["config", "set", "topic", "orders", "retention.ms=2000", "segment.bytes=2000000"];
    let would = run(at, &[&set[..], &["--dry-run"]].concat());
    assert_eq!(would, "would set retention.ms=2000 of topic orders\nwould set segment.bytes=2000000 of topic orders\n");
    assert_eq!(get(&["topic", "orders"]), "retention.ms\t1000\ttopic\n", "nothing is changed");
    assert_eq!(run(at, &set), "set retention.ms=2000 of topic orders\nset segment.bytes=2000000 of topic orders\n");
    let object = json(at, &["config", "get", "topic", "orders"]);
    assert_eq!((&object[0]["setting"], &object[0]["value"]), (&json!("retention.ms"), &json!("2000")));
    assert_eq!(
        (&object[1]["type"], &object[1]["read_only"], &object[1]["secret"]),
        (&json!("int"), &json!(false), &json!(false))
    );
    assert!(object[1]["about"].as_str().is_some_and(|about| about.len() > 20), "{object}");
    let unset = json(at, &["config", "unset", "topic", "orders", "segment.bytes"]);
    assert_eq!(unset, json!([{ "of": "topic orders", "setting": "segment.bytes", "value": null, "changed": true }]));
    assert_eq!(get(&["topic", "orders"]), "retention.ms\t2000\ttopic\n");
}

#[test]
fn brokers_loggers_and_subscriptions_have_settings_too() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["config", "set", "broker", "all", "log.retention.ms=86400000"]);
    run(at, &["config", "set", "broker", "1", "log.cleaner.threads=2"]);
    let one = run(at, &["config", "get", "broker", "1", "log.retention.ms", "log.cleaner.threads", "node.id"]);
    let lines =
        ["log.cleaner.threads\t2\tbroker", "log.retention.ms\t86400000\tall brokers", "node.id\t1\tdefault", ""];
    assert_eq!(one, lines.join("\n"));
    assert_eq!(run(at, &["config", "get", "broker", "all"]), "log.retention.ms\t86400000\tall brokers\n");
    run(at, &["config", "set", "loggers", "1", "broker=DEBUG"]);
    assert_eq!(run(at, &["config", "get", "loggers", "1", "broker"]), "broker\tDEBUG\tlogger\n");
    run(at, &["config", "set", "client-metrics", "slow", "interval.ms=5000"]);
    assert_eq!(run(at, &["config", "get", "client-metrics", "slow"]), "interval.ms\t5000\tclient metrics\n");
}

#[test]
fn what_has_no_such_setting_is_said_with_the_nearest() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "orders"]);
    let said = fail(at, &["config", "get", "topic", "orders", "retention.mss"]);
    assert_eq!(said, "topic orders has no setting 'retention.mss'; did you mean 'retention.ms'?");
    let said = fail(at, &["config", "get", "topic", "ordesr"]);
    assert!(said.starts_with("there is no topic 'ordesr'; did you mean 'orders'?"), "{said}");
    let said = fail(at, &["config", "set", "topic", "orders", "retention.ms=soon"]);
    assert!(said.starts_with("changing the settings of topic orders failed: ") && said.contains("soon"), "{said}");
    assert_eq!(fail(at, &["config", "get", "broker", "7"]), "there is no broker 7, but 1");
    let said = fail(at, &["config", "get", "broker", "one"]);
    assert_eq!(said, "'one' is no broker: write its id, or all for all brokers");
}

#[test]
fn what_a_broker_would_start_with_is_printed_as_a_file_and_for_programs() {
    let nowhere = "localhost:1";
    let set = ["config", "effective", "--set", "num.partitions=3"];
    assert_eq!(run(nowhere, &set), "num.partitions = 3  # --set\n");
    let object = json(nowhere, &set);
    assert_eq!(object, json!([{ "setting": "num.partitions", "value": "3", "origin": "--set" }]));
    assert!(run(nowhere, &["config", "effective"]).starts_with("# every setting stands at its default"));
    let wrong = finish(nowhere, &["config", "effective", "--set", "num.partitons=3"]);
    assert!(wrong.stderr.contains("did you mean num.partitions?"), "{}", wrong.stderr);

    // What it prints can be read again.
    let directory = tempfile::tempdir().unwrap();
    let all = run(nowhere, &["config", "effective", "--all"]);
    assert!(all.lines().count() > 50, "{all}");
    std::fs::write(directory.path().join("tidelog.toml"), run(nowhere, &set)).unwrap();
    let mut again = command(nowhere, &["config", "effective"]);
    let again = Child::spawn(again.current_dir(directory.path())).unwrap();
    let again = again.finish(crate::support::LIMIT).unwrap().success().unwrap();
    assert_eq!(again.stdout, "num.partitions = 3  # tidelog.toml:1\n");
}
