//! `tidelog consume`

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use testkit::process::{Broker, Child};

use crate::support::{LIMIT, TIDELOG, command, fail, produce, run, spawn, start_broker, write};

/// A broker with a topic `t` of ten records, `0` to `9`.
fn ten_records() -> Broker {
    let broker = start_broker();
    let lines: String = (0..10).map(|place| format!("{place}\n")).collect();
    write(&broker.address(), "t", &lines);
    broker
}

#[test]
fn reading_begins_where_it_is_told() {
    let broker = ten_records();
    let at = &broker.address();
    let consume = |more: &[&str]| {
        let arguments = [&["consume", "t", "--no-follow"], more].concat();
        run(at, &arguments).lines().map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(consume(&["--from-beginning"]), "0 1 2 3 4 5 6 7 8 9");
    assert_eq!(consume(&[]), "");
    assert_eq!(consume(&["--offset", "7"]), "7 8 9");
    assert_eq!(consume(&["--offset", "10"]), "");
    assert_eq!(consume(&["--last", "2"]), "8 9");
    assert_eq!(consume(&["--last", "99"]), "0 1 2 3 4 5 6 7 8 9");
    assert_eq!(consume(&["--from", "1h"]), "0 1 2 3 4 5 6 7 8 9");
    assert_eq!(consume(&["--from", "2999-01-01"]), "");
    assert_eq!(consume(&["--from-beginning", "--count", "3"]), "0 1 2");
    assert_eq!(consume(&["--last", "5", "--count", "3"]), "5 6 7");
}

#[test]
fn an_offset_that_is_not_there_is_refused_with_those_that_are() {
    let broker = ten_records();
    let at = &broker.address();
    assert_eq!(fail(at, &["consume", "t", "--offset", "11"]), "t-0 has no offset 11: it holds 0 to 9");
    assert_eq!(fail(at, &["consume", "t", "--partition", "1"]), "t has no partition 1: it has only partition 0");
    run(at, &["topic", "create", "empty"]);
    let empty = "empty-0 has no offset 1: it is empty, and its next record gets 0";
    assert_eq!(fail(at, &["consume", "empty", "--offset", "1"]), empty);
}

#[test]
fn it_follows_until_it_is_told_to_stop() {
    let broker = ten_records();
    let at = &broker.address();
    for stop in [Signal::INT, Signal::TERM] {
        let mut follower = spawn(at, &["consume", "t", "--last", "1", "--print-offset"]);
        follower.wait_for_line("print what is there", LIMIT, |_| Some(())).unwrap();
        write(at, "t", "one more\n");
        follower.wait_for_lines("one more", 1, LIMIT).unwrap();
        follower.signal(stop).unwrap();
        let ended = follower.finish(LIMIT).unwrap();
        assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""));
        assert_eq!(ended.stdout.lines().count(), 2, "{}", ended.stdout);
    }
}

#[test]
fn it_shows_only_what_is_new_unless_told_otherwise() {
    let broker = ten_records();
    let at = &broker.address();
    let mut follower = spawn(at, &["consume", "t"]);
    // Nothing says that it has begun, but that it sees one of these.
    let begun = (0..60).any(|_| {
        write(at, "t", "new\n");
        follower.wait_for_line("print a new record", Duration::from_secs(1), |_| Some(())).is_ok()
    });
    assert!(begun, "{}", follower.printed());
    assert_eq!(follower.printed().lines().find(|line| *line != "new"), None);
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    let broker = ten_records();
    let at = &broker.address();
    write(at, "single", "only\n");
    // `single` has nothing more to write when head ends, and so no other way to notice.
    for topic in ["t", "single"] {
        let line = format!("{TIDELOG} consume {topic} --from-beginning --bootstrap {at} | head -n 1");
        let mut pipe = Command::new("bash");
        pipe.args(["-c", &format!("set -o pipefail; {line}")]).stdin(Stdio::null());
        let ended = Child::spawn(&mut pipe).unwrap().finish(LIMIT).unwrap().success().unwrap();
        assert_eq!((ended.stdout.lines().count(), ended.stderr.as_str()), (1, ""));
    }
}

#[test]
fn it_can_be_stopped_while_nobody_empties_its_pipe() {
    let broker = start_broker();
    let at = &broker.address();
    write(at, "t", &"more than a pipe holds\n".repeat(100_000));
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut consume = command(at, &["consume", "t", "--from-beginning"]).stdout(writer).spawn().unwrap();
    reader.read_exact(&mut [0]).unwrap();
    rustix::process::kill_process(Pid::from_child(&consume), Signal::TERM).unwrap();
    let (ended, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || ended.send(consume.wait()));
    assert_eq!(wait.recv_timeout(LIMIT).expect("it ends").unwrap().code(), Some(0));
}

#[test]
fn all_partitions_or_some_of_them_are_read() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "t", "--partitions", "3"]);
    for partition in ["0", "1", "2"] {
        produce(at, &["t", "--partition", partition], &format!("in {partition}\n")).success().unwrap();
    }
    let consume = |more: &[&str]| {
        let all = run(at, &[&["consume", "t", "-b", "--no-follow"], more].concat());
        let mut lines: Vec<String> = all.lines().map(str::to_owned).collect();
        lines.sort();
        lines.join(", ")
    };
    assert_eq!(consume(&[]), "in 0, in 1, in 2");
    assert_eq!(consume(&["--partition", "2"]), "in 2");
    assert_eq!(consume(&["-p", "0", "-p", "1"]), "in 0, in 1");
    let first = run(at, &["consume", "t", "--offset", "0", "--count", "2"]);
    assert_eq!(first.lines().count(), 2, "an offset holds for each partition: {first}");
}

#[test]
fn it_goes_on_after_a_restart_of_the_broker() {
    let mut broker = ten_records();
    let mut follower = spawn(&broker.address(), &["consume", "t", "--last", "1"]);
    follower.wait_for_lines("9", 1, LIMIT).unwrap();
    broker.restart().unwrap();
    write(&broker.address(), "t", "after the restart\n");
    follower.wait_for_lines("after the restart", 1, LIMIT).unwrap();
    assert_eq!(follower.printed(), "9\nafter the restart\n");
}

#[test]
fn several_topics_are_read_up_to_their_ends() {
    let broker = start_broker();
    let at = &broker.address();
    write(at, "a", "1\n2\n");
    write(at, "b", "3\n");
    run(at, &["topic", "create", "empty"]);
    let all = run(at, &["consume", "b", "a", "empty", "a", "-b", "--no-follow", "--print-topic"]);
    let mut lines: Vec<&str> = all.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["a\t1", "a\t2", "b\t3"]);
    assert!(fail(at, &["consume", "a", "c"]).starts_with("there is no topic 'c'"));
}

#[test]
fn reading_ends_where_a_time_begins() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "t"]);
    let records: String =
        [1000, 2000, 3000].map(|time| format!("{{\"timestamp\":{time},\"value\":\"{time}\"}}\n")).concat();
    produce(at, &["t", "--input", "json"], &records).success().unwrap();
    let consume = |more: &[&str]| run(at, &[&["consume", "t"], more].concat());
    assert_eq!(consume(&["-b", "--until", "3000"]), "1000\n2000\n");
    assert_eq!(consume(&["--from", "1001", "--until", "2001"]), "2000\n");
    assert_eq!(consume(&["-b", "--until", "0s"]), "1000\n2000\n3000\n", "where it ends, if nothing is so young");
    assert_eq!(consume(&["-b", "--until", "1000"]), "");
}

#[test]
fn records_are_printed_as_a_pattern_says_or_as_they_are() {
    let broker = start_broker();
    let at = &broker.address();
    produce(at, &["t", "-k", ":", "--header", "a=1"], "k:v\n").success().unwrap();
    let pattern = run(at, &["consume", "t", "-b", "-n", "1", "-f", "%t %p %o %k=%s (%K, %S) %h %%\\n"]);
    assert_eq!(pattern, "t 0 0 k=v (1, 1) a=1 %\n");
    let raw = command(at, &["consume", "t", "-b", "-n", "1", "-o", "raw"]).output().unwrap();
    assert_eq!(raw.stdout, b"v", "no end of line is added");
}
