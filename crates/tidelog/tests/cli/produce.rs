//! `tidelog produce`

use std::io::Write;
use std::process::Stdio;

use testkit::process::{Broker, Child};

use crate::support::{LIMIT, TIDELOG, command, failure, produce, run, start_broker, write};

#[test]
fn keys_headers_and_a_last_line_without_end_arrive() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "orders", "--partitions", "5"]);
    produce(at, &["orders", "-k", "::", "--header", "a=1", "-c", "zstd"], "foobar::x::y\nabc::").success().unwrap();
    let all = run(at, &["consume", "orders", "-b", "--no-follow", "-o", "json"]);
    let mut lines: Vec<&str> = all.lines().collect();
    lines.sort_by_key(|line| line.contains("abc"));
    // Partitions as Java's client chooses them: murmur2 of "foobar" is -790332482, of "abc" 479470107.
    let line = |partition: i64, key: &str, value: &str| {
        (
            format!(r#"{{"topic":"orders","partition":{partition},"offset":0,"timestamp":"#),
            format!(r#","key":"{key}","value":"{value}","headers":[{{"key":"a","value":"1"}}]}}"#),
        )
    };
    let expected = [line((-790_332_482_i64 & 0x7fff_ffff) % 5, "foobar", "x::y"), line(479_470_107 % 5, "abc", "")];
    assert_eq!(lines.len(), 2, "{all}");
    for (line, (begin, end)) in lines.iter().zip(&expected) {
        assert!(line.starts_with(begin) && line.ends_with(end), "{line}");
    }
}

#[test]
fn one_key_and_one_partition_for_all_can_be_given() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "t", "-p", "4"]);
    produce(at, &["t", "--key", "k", "--partition", "3"], "a\nb\n").success().unwrap();
    let all = run(at, &["consume", "t", "-b", "--no-follow", "--print-partition", "--print-key"]);
    assert_eq!(all, "3\tk\ta\n3\tk\tb\n");
    let nowhere = failure(produce(at, &["t", "--partition", "4"], "a\n"));
    assert_eq!(nowhere, "t has no partition 4: it has 4, 0 to 3");
}

#[test]
fn each_typed_line_is_a_record_at_once() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "t"]);
    let mut typing = Child::spawn(command(at, &["produce", "t"]).stdin(Stdio::piped())).unwrap();
    let mut keyboard = typing.stdin().unwrap();
    for place in 1..=3 {
        writeln!(keyboard, "line {place}").unwrap();
        let offset = (place - 1).to_string();
        let seen = run(at, &["consume", "t", "--from-beginning", "--count", &place.to_string()]);
        assert_eq!(seen.lines().last(), Some(format!("line {place}").as_str()), "at offset {offset}");
    }
    drop(keyboard);
    typing.finish(LIMIT).unwrap().success().unwrap();
}

#[test]
fn a_line_without_a_key_is_named_and_those_before_it_are_written() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "t"]);
    let refused = failure(produce(at, &["t", "-k", ":"], "a:1\nb:2\nno key\nc:3\n"));
    assert_eq!(refused, "line 3 has no key: there is no ':' in it (2 records were written)");
    assert_eq!(run(at, &["consume", "t", "-b", "--no-follow"]), "1\n2\n");
}

#[test]
fn a_topic_is_made_if_the_broker_allows() {
    let strict = Broker::launch().binary(TIDELOG.as_ref()).set("auto.create.topics.enable", false).start().unwrap();
    let refused = failure(produce(&strict.address(), &["t"], "a\n"));
    assert_eq!(refused, "there is no topic 't'; make it with `tidelog topic create t`");

    let broker = start_broker();
    write(&broker.address(), "t", "a\n");
    assert_eq!(run(&broker.address(), &["topic", "list"]), "t\t1\t1\n");
}

#[test]
fn what_goes_through_a_pipe_comes_back_the_same() {
    let broker = start_broker();
    let at = &broker.address();
    let text: String = (0..200_000).map(|place| format!("line {place}\n")).collect();
    for codec in ["none", "lz4"] {
        run(at, &["topic", "create", codec]);
        produce(at, &[codec, "--compression", codec], &text).success().unwrap();
        let back = run(at, &["consume", codec, "--from-beginning", "--no-follow"]);
        assert!(back == text, "{codec}: {} bytes came back of {}", back.len(), text.len());
    }
}
