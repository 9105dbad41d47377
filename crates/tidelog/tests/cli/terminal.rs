//! What a person sees and is asked, on a terminal (of `script`, which is part of every Debian).

use std::io::Write;
use std::process::{Command, Stdio};

use testkit::process::Child;

use crate::support::{LIMIT, TIDELOG, run, start_broker, write};

/// A command line on a terminal of its own, into which `typed` is typed; how it ended, and all that was to be seen.
fn at_terminal(address: &str, line: &str, typed: &str) -> (Option<i32>, String) {
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--echo", "never", "--command", &format!("{TIDELOG} {line}"), "/dev/null"]);
    script.env("TIDELOG_BOOTSTRAP", address).env_remove("TIDELOG_OUTPUT").env("TERM", "xterm").env("COLUMNS", "100");
    let mut child = Child::spawn(script.stdin(Stdio::piped())).unwrap();
    let mut keyboard = child.stdin().unwrap();
    keyboard.write_all(typed.as_bytes()).unwrap();
    let ended = child.finish(LIMIT).unwrap();
    drop(keyboard);
    (ended.status.code(), ended.stdout.replace('\r', ""))
}

#[test]
fn people_get_headings_and_are_asked_before_something_is_gone_for_good() {
    let broker = start_broker();
    let at = &broker.address();
    write(at, "orders", "one\ntwo\n");
    let (code, seen) = at_terminal(at, "topic list", "");
    assert_eq!((code, seen.as_str()), (Some(0), "TOPIC   PARTITIONS  REPLICAS\norders  1           1\n"));

    let (code, seen) = at_terminal(at, "topic delete orders", "n\n");
    assert_eq!(code, Some(1), "{seen}");
    assert!(seen.contains("This deletes with all records: orders\nGo on? [y/N] "), "{seen}");
    assert!(seen.ends_with("tidelog: nothing is changed\n"), "{seen}");
    let (_, seen) = at_terminal(at, "topic delete-records orders --before 1", "n\n");
    assert!(seen.contains("This deletes the first 1 offset of orders, with their records."), "{seen}");
    let (_, seen) = at_terminal(at, "topic alter orders --partitions 2", "n\n");
    assert!(seen.contains("orders gets 2 partitions instead of 1, for good."), "{seen}");
    assert_eq!(run(at, &["topic", "describe", "orders"]).lines().last(), Some("0\t1\t1\t1\t0\t2"));

    let (code, seen) = at_terminal(at, "topic delete-records orders --before end --yes", "");
    assert_eq!((code, seen.contains("Go on?")), (Some(0), false), "{seen}");
    let (_, seen) = at_terminal(at, "topic delete-records orders --before 1", "n\n");
    assert!(seen.contains("This deletes the first 0 offsets of orders"), "they are gone: {seen}");
    let (code, seen) = at_terminal(at, "topic delete orders", "y\n");
    assert_eq!((code, seen.ends_with("deleted orders\n")), (Some(0), true), "{seen}");
    assert_eq!(run(at, &["topic", "list"]), "");
}
