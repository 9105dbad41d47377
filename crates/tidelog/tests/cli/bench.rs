//! `tidelog bench`: that it counts right, not how fast anything is.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{LIMIT, fail, json, run, spawn, start_broker, write};

fn latencies(report: &Value) -> Vec<f64> {
    let rows = report["latency"].as_array().unwrap().iter();
    let (names, times): (Vec<_>, Vec<_>) =
        rows.map(|row| (row["latency"].as_str().unwrap().to_owned(), row["ms"].as_f64().unwrap())).unzip();
    assert_eq!(names, ["p50", "p90", "p99", "p99.9", "max"]);
    assert!(times.is_sorted() && times[0] > 0.0, "{times:?}");
    times
}

#[test]
fn a_rate_is_kept_or_what_is_missed_is_said() {
    let broker = start_broker();
    let at = &broker.address();
    let arguments = ["--rate", "200", "--duration", "1s", "--warm-up", "100ms", "--connections", "2"];
    let report = json(at, &[&["bench", "produce", "--record-bytes", "100"][..], &arguments].concat());
    let (written, missed) = (report["records"].as_u64().unwrap(), report["missed"].as_u64().unwrap());
    assert!((198..=202).contains(&(written + missed)), "{report}");
    assert_eq!(report["record_bytes"], 100);
    let rate = report["records_per_second"].as_f64().unwrap();
    let mib = report["mib_per_second"].as_f64().unwrap();
    assert!((mib - rate * 100.0 / 1_048_576.0).abs() < 0.01, "{report}");
    assert!(report["latency_is"].as_str().unwrap().starts_with("from when a record was due"));
    latencies(&report);
    assert_eq!(run(at, &["topic", "list"]), "", "its topic is gone");
}

#[test]
fn as_fast_as_it_goes_into_a_topic_that_is_kept() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "t", "--partitions", "3"]);
    let arguments = ["bench", "produce", "--topic", "t", "--duration", "200ms", "--warm-up", "0s"];
    let report = json(at, &arguments);
    latencies(&report);
    let written = report["records"].as_u64().unwrap();
    let described = json(at, &["topic", "describe", "t"]);
    let ends: Vec<u64> =
        described["partitions"].as_array().unwrap().iter().map(|place| place["end"].as_u64().unwrap()).collect();
    assert_eq!(ends.iter().sum::<u64>(), written, "what is reported is in the log");
    assert!(ends.iter().all(|end| *end > 0), "all partitions have their turn: {ends:?}");

    let read = json(at, &["bench", "consume", "--topic", "t", "--connections", "2"]);
    assert_eq!((read["records"].as_u64(), read["record_bytes"].as_u64()), (Some(written), Some(1024)));
    assert!(read.get("missed").is_none(), "{read}");
    latencies(&read);
    assert!(fail(at, &["bench", "produce", "--topic", "u"]).starts_with("there is no topic 'u'"));
}

#[test]
fn reading_is_measured_on_records_of_its_own() {
    let broker = start_broker();
    let at = &broker.address();
    write(at, "other", "one\n");
    let text = run(at, &["bench", "consume", "--records", "5000", "--record-bytes", "10", "--compression", "lz4"]);
    let fact = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'));
    assert_eq!((fact("records"), fact("record bytes")), (Some("5000"), Some("10")), "{text}");
    assert!(text.contains("\np50\t") && text.contains("\nmax\t"), "{text}");
    assert_eq!(run(at, &["topic", "list"]), "other\t1\t1\n");
}

#[test]
fn a_run_that_is_stopped_says_what_it_has_seen_and_removes_its_topic() {
    let broker = start_broker();
    let at = &broker.address();
    let mut bench = spawn(at, &["bench", "produce", "--duration", "1h", "--warm-up", "0s", "-o", "json"]);
    let has_written = || {
        let topics = json(at, &["topic", "list"]);
        let Some(topic) = topics[0]["topic"].as_str() else { return false };
        json(at, &["topic", "describe", topic])["partitions"][0]["end"].as_i64() > Some(0)
    };
    assert!((0..1000).any(|_| has_written()), "nothing is ever written");
    bench.signal(Signal::INT).unwrap();
    let ended = bench.finish(LIMIT).unwrap().success().unwrap();
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!(report["records"].as_u64() > Some(0), "{report}");
    assert_eq!(run(at, &["topic", "list"]), "");
}
