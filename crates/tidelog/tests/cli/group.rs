//! `tidelog group`, as a pipe sees it.

use serde_json::json;

use crate::support::{fail, finish, json, run, start_broker, write};

#[test]
fn groups_are_moved_listed_described_and_deleted() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "orders", "--partitions", "2"]);
    run(at, &["topic", "create", "a"]);
    write(at, "a", "one\ntwo\nthree\n");

    let planned = finish(at, &["group", "reset-offsets", "billing", "--topic", "a", "--to", "end"]);
    let planned = planned.success().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(planned.stdout, "a\t0\t-\t3\n");
    assert!(planned.stderr.contains("--execute"), "{}", planned.stderr);
    assert_eq!(run(at, &["group", "list"]), "", "a plan changes nothing");

    let reset = |arguments: &[&str]| {
        run(at, &[&["group", "reset-offsets", "billing", "--execute"], arguments].concat());
    };
    reset(&["--topic", "a", "--topic", "orders:1", "--to", "end"]);
    assert_eq!(run(at, &["group", "list"]), "billing\tEmpty\tclassic\n");
    let committed = || {
        let described = run(at, &["group", "describe", "billing"]);
        let (facts, table) = described.split_once("\n\n").expect("facts, then a table");
        assert!(facts.contains("group\tbilling\nstate\tEmpty\n"), "{facts}");
        table.to_owned()
    };
    assert_eq!(committed(), "a\t0\t3\t3\t0\t-\t-\norders\t1\t0\t0\t0\t-\t-\n");
    reset(&["--topic", "a", "--by", "-2"]);
    assert_eq!(committed(), "a\t0\t1\t3\t2\t-\t-\norders\t1\t0\t0\t0\t-\t-\n");
    reset(&["--to", "1000"]);
    assert_eq!(committed(), "a\t0\t3\t3\t0\t-\t-\norders\t1\t0\t0\t0\t-\t-\n", "no further than there are records");
    reset(&["--topic", "a", "--to", "2000-01-01"]);
    assert!(committed().starts_with("a\t0\t0\t3\t3\t"), "all records are younger");
    reset(&["--topic", "a", "--to", "0s"]);
    assert!(committed().starts_with("a\t0\t3\t3\t0\t"), "no record is younger");

    let described = json(at, &["group", "describe", "billing"]);
    assert_eq!((&described["state"], &described["members"]), (&json!("Empty"), &json!(0)));
    let place = json!({ "topic": "a", "partition": 0, "committed": 3, "end": 3, "lag": 0, "client": null, "host": null,
        "member": null });
    assert_eq!(described["partitions"][0], place);
    let list = json(at, &["group", "list"]);
    assert_eq!(list, json!([{ "group": "billing", "state": "Empty", "kind": "classic" }]));
    let moved = json(at, &["group", "reset-offsets", "billing", "--topic", "a", "--to", "start", "--execute"]);
    assert_eq!(moved, json!([{ "topic": "a", "partition": 0, "from": 3, "to": 0 }]));

    run(at, &["group", "reset-offsets", "other", "--topic", "a", "--to", "end", "--execute"]);
    let deleted = json(at, &["group", "delete", "other"]);
    assert_eq!(deleted, json!([{ "group": "other", "deleted": true }]));
    assert_eq!(run(at, &["group", "delete", "billing"]), "deleted billing\n");
    assert_eq!(run(at, &["group", "list"]), "");
}

#[test]
fn a_group_or_partition_that_is_not_there_is_named() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "a"]);
    for arguments in [["group", "describe", "nobody"], ["group", "delete", "nobody"]] {
        let why = fail(at, &arguments);
        assert!(why.contains("group nobody failed") && why.contains("not"), "{why}");
    }
    let why = fail(at, &["group", "reset-offsets", "nobody", "--to", "start"]);
    assert!(why.contains("nobody has committed nothing") && why.contains("--topic"), "{why}");
    let why = fail(at, &["group", "reset-offsets", "nobody", "--topic", "a:7", "--to", "start"]);
    assert_eq!(why, "topic a has no such partition: it has 1, from 0 on");
}
