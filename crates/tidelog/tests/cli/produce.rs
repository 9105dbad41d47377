//! `tidelog produce`

use std::io::Write;
use std::process::Stdio;

use testkit::process::{Broker, Child};

use serde_json::json;

use crate::support::{LIMIT, TIDELOG, command, fail, failure, finish, json, produce, run, start_broker, write};

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

#[test]
fn a_topic_is_copied_with_all_that_its_records_have() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "from", "--partitions", "3"]);
    let records = [
        r#"{"partition":2,"timestamp":1000,"key":"k","value":"v","headers":[{"key":"a","value":"1"},{"key":"a","value":null}]}"#,
        r#"{"partition":0,"timestamp":2000,"key":{"base64":"/wA="},"value":null,"headers":[]}"#,
        "",
        r#"{"partition":1,"timestamp":3000,"value":{"base64":"gA=="}}"#,
    ];
    produce(at, &["from", "-i", "json", "--keep-partitions"], &records.join("\n")).success().unwrap();
    let read = |topic: &str| {
        let all = run(at, &["consume", topic, "-b", "--no-follow", "-o", "json"]);
        let mut lines: Vec<String> = all.lines().map(|line| line.replace(topic, "TOPIC")).collect();
        lines.sort();
        lines
    };
    let original = read("from");
    assert!(
        original[1].ends_with(r#""timestamp":3000,"key":null,"value":{"base64":"gA=="},"headers":[]}"#),
        "{original:?}"
    );
    run(at, &["topic", "create", "copy", "--partitions", "3"]);
    let all = run(at, &["consume", "from", "-b", "--no-follow", "-o", "json"]);
    produce(at, &["copy", "-i", "json", "--keep-partitions"], &all).success().unwrap();
    assert_eq!(read("copy"), original);
}

#[test]
fn what_was_printed_as_text_is_understood_again() {
    let broker = start_broker();
    let at = &broker.address();
    produce(at, &["t", "-k", ":", "--header", "a=1", "--null", "none"], "k:v\nl:none\n").success().unwrap();
    let print = ["-b", "--no-follow", "--print-headers", "--print-key"];
    let text = run(at, &[&["consume", "t"][..], &print].concat());
    assert_eq!(text, "a=1\tk\tv\na=1\tl\tnull\n");
    let understand = ["--headers-separator", "\t", "-k", "\t", "--null", "null"];
    produce(at, &[&["again"][..], &understand].concat(), &text).success().unwrap();
    assert_eq!(run(at, &[&["consume", "again"][..], &print].concat()), text);
    let tombstone = run(at, &["consume", "again", "--offset", "1", "-n", "1", "-f", "%k %S\\n"]);
    assert_eq!(tombstone, "l -1\n");
}

#[test]
fn files_are_read_by_lines_or_whole() {
    let broker = start_broker();
    let at = &broker.address();
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (one, other, picture) = (file("one", b"1\n2\n"), file("other", b"3"), file("picture", b"\x00\xff\nrest\n"));
    let written = produce(at, &["t", &one, "-", &other, "-o", "json"], "stdin\n").success().unwrap();
    let document: serde_json::Value = serde_json::from_str(&written.stdout).unwrap();
    assert_eq!(document, json!({ "topic": "t", "records": 4 }));
    assert_eq!(run(at, &["consume", "t", "-b", "--no-follow"]), "1\n2\nstdin\n3\n");
    run(at, &["produce", "pictures", "--whole", &picture, &one, "--key", "k"]);
    let lengths = run(at, &["consume", "pictures", "-b", "--no-follow", "-f", "%k %S\\n"]);
    assert_eq!(lengths, "k 8\nk 4\n");

    let missing = fail(at, &["produce", "t", &one, "/nowhere"]);
    assert_eq!(missing, "cannot read /nowhere: no such file or directory");
    let folder = directory.path().to_str().unwrap();
    assert_eq!(fail(at, &["produce", "t", folder]), format!("cannot read {folder}: is a directory"));
    let list = json(at, &["topic", "describe", "t"]);
    assert_eq!(list["partitions"][0]["end"], 4, "nothing was written of a list that cannot be read");
    let wrong = fail(at, &["produce", "t", "-i", "json", &one]);
    assert!(wrong.starts_with(&format!("{one}: line 1 is no record: ")), "{wrong}");
}

#[test]
fn who_has_to_have_a_record_is_chosen() {
    let broker = start_broker();
    let at = &broker.address();
    for acks in ["all", "1", "0"] {
        produce(at, &["t", "--acks", acks], &format!("{acks}\n")).success().unwrap();
    }
    let all = run(at, &["consume", "t", "-b", "-n", "3"]);
    assert_eq!(all, "all\n1\n0\n");
    assert_eq!(finish(at, &["produce", "t", "--acks", "2"]).status.code(), Some(2));
}
