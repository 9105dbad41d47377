//! `tidelog consume --group`

use std::collections::BTreeSet;

use rustix::process::Signal;
use testkit::process::Broker;

use crate::support::{LIMIT, TIDELOG, fail, json, produce, run, spawn, write};

/// A broker on which a new group does not wait for more members.
fn eager_broker() -> Broker {
    let launch = Broker::launch().binary(TIDELOG.as_ref()).set("group.initial.rebalance.delay.ms", 0);
    launch.start().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_group_goes_on_where_it_has_got_to() {
    let broker = eager_broker();
    let at = &broker.address();
    let lines: String = (0..10).map(|place| format!("{place}\n")).collect();
    write(at, "t", &lines);
    let group = |more: &[&str]| run(at, &[&["consume", "t", "--group", "g"], more].concat());
    assert_eq!(group(&["--no-follow"]), "", "a new group begins at the end, unless told otherwise");
    write(at, "t", "10\n");
    assert_eq!(group(&["--no-follow"]), "10\n", "and stays where it has begun");
    run(at, &["group", "delete", "g"]);
    assert_eq!(group(&["-b", "--count", "4"]), "0\n1\n2\n3\n");
    assert_eq!(group(&["-b", "--count", "1"]), "4\n", "what has been read is not read again");
    let described = json(at, &["group", "describe", "g"]);
    assert_eq!(
        (described["state"].as_str(), described["partitions"][0]["committed"].as_i64()),
        (Some("Empty"), Some(5))
    );
    assert_eq!(group(&["--no-follow"]), "5\n6\n7\n8\n9\n10\n");
    assert_eq!(group(&["--no-follow"]), "");
    assert!(fail(at, &["consume", "x", "--group", "g"]).starts_with("there is no topic 'x'"));
}

#[test]
fn members_share_the_partitions_and_one_takes_over_from_another() {
    let broker = eager_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "t", "--partitions", "2"]);
    let to_both = |text: &str| {
        for partition in ["0", "1"] {
            produce(at, &["t", "--partition", partition], &format!("{text}\n")).success().unwrap();
        }
    };
    let join = || spawn(at, &["consume", "t", "--group", "g", "--from-beginning", "--format", "%s in %p\\n"]);
    to_both("first");
    let mut one = join();
    one.wait_for_lines("first in", 2, LIMIT).unwrap();
    let mut other = join();
    readers(at, 2);
    to_both("second");
    let seen_by_one = one.wait_for_lines("second in", 1, LIMIT).unwrap();
    let seen_by_other = other.wait_for_lines("second in", 1, LIMIT).unwrap();
    assert_ne!(seen_by_one, seen_by_other);

    one.signal(Signal::INT).unwrap();
    let ended = one.finish(LIMIT).unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""));
    to_both("third");
    other.wait_for_lines("third in", 2, LIMIT).unwrap();
    let all = ended.stdout + &other.printed();
    assert_eq!(all.lines().count(), 6, "each record is printed once: {all}");
    assert_eq!(all.lines().collect::<BTreeSet<_>>().len(), 6, "{all}");
    readers(at, 1);
}

#[test]
fn a_member_stays_one_over_a_restart_of_the_broker() {
    let mut broker = eager_broker();
    write(&broker.address(), "t", "before\n");
    let mut member = spawn(&broker.address(), &["consume", "t", "--group", "g", "--from-beginning"]);
    member.wait_for_lines("before", 1, LIMIT).unwrap();
    broker.restart().unwrap();
    write(&broker.address(), "t", "after\n");
    member.wait_for_lines("after", 1, LIMIT).unwrap();
    member.signal(Signal::TERM).unwrap();
    assert_eq!(member.finish(LIMIT).unwrap().success().unwrap().stdout, "before\nafter\n");
    let described = json(&broker.address(), &["group", "describe", "g"]);
    assert_eq!(described["partitions"][0]["committed"], 2, "{described}");
    assert_eq!(described["members"], 0, "it has left");
}

/// Waits until so many members read partitions of `t`.
fn readers(at: &str, count: usize) {
    let read_by = || {
        let described = json(at, &["group", "describe", "g"]);
        let partitions = described["partitions"].as_array().unwrap().clone();
        let members = partitions.iter().filter_map(|partition| partition["member"].as_str().map(str::to_owned));
        members.collect::<BTreeSet<_>>().len()
    };
    assert!((0..1000).any(|_| read_by() == count), "there are never {count}");
}
