//! kcat 1.7, the command line of librdkafka.

use support::{LIMIT, TestBroker, kcat, unique};

#[test]
fn kcat_lists_the_broker_and_its_topics() {
    let broker = TestBroker::new();
    let topic = unique("kcat-list");
    kcat(&broker).args(["-P", "-t", &topic]).input("one\n").run();
    let metadata = kcat(&broker).args(["-L", "-J", "-t", &topic]).run();
    assert!(metadata.contains(&format!(r#""name":"{}""#, broker.address())), "{metadata}");
    let described = format!(
        r#""topic":"{topic}","partitions":[{{"partition":0,"leader":1,"replicas":[{{"id":1}}],"isrs":[{{"id":1}}]}}]"#
    );
    assert!(metadata.contains(&described), "{metadata}");
}

#[test]
fn kcat_consumes_keys_values_and_headers_to_the_end_of_what_it_produced() {
    let broker = TestBroker::new();
    let topic = unique("kcat");
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let input = format!("{codec}:first\n{codec}:second\n");
        kcat(&broker).args(["-P", "-t", &topic, "-K", ":", "-z", codec, "-H", "codec=yes"]).input(input).run();
    }
    let read = |offset: &str, extra: &[&str]| {
        kcat(&broker).args(["-C", "-q", "-e", "-t", &topic, "-o", offset, "-f", "%o %k %s %h\n"]).args(extra).run()
    };
    let all = read("beginning", &[]);
    let expected: Vec<String> = ["none", "gzip", "snappy", "lz4", "zstd"]
        .iter()
        .flat_map(|codec| [("first", codec), ("second", codec)])
        .enumerate()
        .map(|(offset, (value, codec))| format!("{offset} {codec} {value} codec=yes"))
        .collect();
    assert_eq!(all.lines().collect::<Vec<_>>(), expected);
    assert_eq!(read("-2", &[]).lines().collect::<Vec<_>>(), expected[8..]);
    assert_eq!(read("3", &["-c", "2"]).lines().collect::<Vec<_>>(), expected[3..5]);
}

#[test]
fn kcat_finds_offsets_by_timestamp() {
    let broker = TestBroker::new();
    let topic = unique("kcat-time");
    kcat(&broker).args(["-P", "-t", &topic]).input("one\ntwo\n").run();
    let offsets = kcat(&broker).args(["-Q", "-t", &format!("{topic}:0:1")]).run();
    assert_eq!(offsets, format!("{topic} [0] offset 0\n"));
    let beyond = kcat(&broker).args(["-Q", "-t", &format!("{topic}:0:9999999999999")]).run();
    assert_eq!(beyond, format!("{topic} [0] offset -1\n"));
}

#[test]
fn a_kcat_group_goes_on_where_it_left() {
    let broker = TestBroker::new();
    let (topic, group) = (unique("kcat-group"), unique("readers"));
    let read = || {
        let position = ["-X", "auto.offset.reset=earliest", "-X", "partition.assignment.strategy=cooperative-sticky"];
        let mut reader =
            kcat(&broker).args(["-q", "-u", "-f", "%o %s\n"]).args(position).args(["-G", &group, &topic]).spawn();
        let seen = reader.wait_for_lines(" ", 2, LIMIT).unwrap();
        assert!(reader.terminate(LIMIT).unwrap().success());
        seen
    };
    kcat(&broker).args(["-P", "-t", &topic]).input("one\ntwo\n").run();
    assert_eq!(read(), ["0 one", "1 two"]);
    kcat(&broker).args(["-P", "-t", &topic]).input("three\nfour\n").run();
    assert_eq!(read(), ["2 three", "3 four"]);
}
