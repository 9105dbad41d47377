//! Connect, standalone with files, and MirrorMaker 2 from one broker to another.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Headers;
use rdkafka::producer::BaseRecord;
use rdkafka::{Message, Offset, TopicPartitionList};
use support::librdkafka::{acknowledged, config, producer, reader, take, text};
use support::{LIMIT, TestBroker, Tools, kafka_program, unique};
use testkit::process::Child;

/// Looks ten times a second until `done`.
#[track_caller]
fn wait_until(client: &BaseConsumer, what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !done() {
        assert!(Instant::now() < deadline, "never {what}");
        client.poll(Duration::from_millis(100));
    }
}

/// Waits until `group` has committed `offset` of a partition.
#[track_caller]
fn wait_for_commit(broker: &TestBroker, group: &str, topic: &str, partition: i32, offset: i64) {
    let client: BaseConsumer = config(&broker.address()).set("group.id", group).create().unwrap();
    wait_until(&client, &format!("{group} at {offset} of {topic}"), || {
        let mut wanted = TopicPartitionList::new();
        wanted.add_partition(topic, partition);
        let committed = client.committed_offsets(wanted, LIMIT).unwrap();
        committed.elements()[0].offset() == Offset::Offset(offset)
    });
}

/// Waits until a topic has been made by somebody else.
#[track_caller]
fn wait_for_topic(broker: &TestBroker, topic: &str) {
    let client: BaseConsumer = config(&broker.address()).set("group.id", "none").create().unwrap();
    wait_until(&client, topic, || {
        let all = client.fetch_metadata(None, LIMIT).unwrap();
        all.topics().iter().any(|one| one.name() == topic)
    });
}

fn write_properties(path: &Path, properties: &[(&str, &str)]) {
    let lines = properties.iter().fold(String::new(), |mut lines, (key, value)| {
        writeln!(lines, "{key}={value}").unwrap();
        lines
    });
    std::fs::write(path, lines).unwrap();
}

/// Connect with a source of lines from `in` and a sink of lines to `out`, both in `folder`.
fn start_connect(broker: &TestBroker, folder: &Path, topic: &str, sink: &str) -> Child {
    let path = |name: &str| folder.join(name).display().to_string();
    let converter = "org.apache.kafka.connect.storage.StringConverter";
    write_properties(
        &folder.join("worker"),
        &[
            ("bootstrap.servers", &broker.address()),
            ("listeners", "HTTP://127.0.0.1:0"),
            ("key.converter", converter),
            ("value.converter", converter),
            ("offset.storage.file.filename", &path("offsets")),
            ("offset.flush.interval.ms", "200"),
            ("plugin.discovery", "service_load"),
        ],
    );
    let source = [("name", "lines"), ("connector.class", "FileStreamSource"), ("file", &path("in")), ("topic", topic)];
    write_properties(&folder.join("source"), &source);
    let sink = [("name", sink), ("connector.class", "FileStreamSink"), ("file", &path("out")), ("topics", topic)];
    write_properties(&folder.join("sink"), &sink);
    kafka_program("connect.cli.ConnectStandalone").args(["worker", "source", "sink"].map(path)).spawn()
}

#[test]
fn connect_copies_a_file_through_a_topic_and_goes_on_where_it_stopped() {
    let broker = TestBroker::new();
    let (topic, sink) = (unique("lines"), unique("sink"));
    let folder = tempfile::tempdir().unwrap();
    let written = || std::fs::read_to_string(folder.path().join("out")).unwrap();
    let group = format!("connect-{sink}");
    let mut given = String::new();
    let mut give = |lines: &str| {
        given += lines;
        std::fs::write(folder.path().join("in"), &given).unwrap();
    };

    give("one\ntwo\nthree\n");
    let mut connect = start_connect(&broker, folder.path(), &topic, &sink);
    wait_for_commit(&broker, &group, &topic, 0, 3);
    assert_eq!(written(), "one\ntwo\nthree\n");
    give("four\n");
    wait_for_commit(&broker, &group, &topic, 0, 4);
    connect.terminate(LIMIT).unwrap();

    give("five\n");
    let _again = start_connect(&broker, folder.path(), &topic, &sink);
    wait_for_commit(&broker, &group, &topic, 0, 5);
    assert_eq!(written(), "one\ntwo\nthree\nfour\nfive\n");
}

/// MirrorMaker with clusters `from` and `to`, looking for what is new every second.
fn start_mirror(from: &TestBroker, to: &TestBroker, folder: &Path, topic: &str, group: &str) -> Child {
    let one_replica = ["", "checkpoints.topic.", "heartbeats.topic.", "offset-syncs.topic.", "offset.storage."];
    let one_replica = one_replica.into_iter().chain(["status.storage.", "config.storage."]);
    let one_replica: Vec<String> = one_replica.map(|of| format!("{of}replication.factor")).collect();
    let every_second = ["refresh.topics", "refresh.groups", "emit.checkpoints", "sync.group.offsets"];
    let every_second: Vec<String> = every_second.iter().map(|what| format!("{what}.interval.seconds")).collect();
    let (from, to) = (from.address(), to.address());
    let mut properties = vec![
        ("clusters", "from,to"),
        ("from.bootstrap.servers", &*from),
        ("to.bootstrap.servers", &*to),
        ("from->to.enabled", "true"),
        ("to->from.enabled", "false"),
        ("from->to.topics", topic),
        ("from->to.groups", group),
        ("sync.group.offsets.enabled", "true"),
        ("sync.topic.acls.enabled", "false"),
        ("offset.lag.max", "0"),
        ("plugin.discovery", "service_load"),
    ];
    properties.extend(one_replica.iter().chain(&every_second).map(|name| (&**name, "1")));
    let file = folder.join("mirror");
    write_properties(&file, &properties);
    kafka_program("connect.mirror.MirrorMaker").arg(file).spawn()
}

#[test]
fn mirror_maker_copies_records_settings_and_the_offsets_of_groups_to_another_broker() {
    let (from, to) = (TestBroker::new(), TestBroker::new());
    let (topic, group) = (unique("orders"), unique("billing"));
    let mut tools = Tools::new(&from);
    tools.run(&format!(
        "TopicCommand @ --create --topic {topic} --partitions 2 --config retention.ms=7200000 \
         --config cleanup.policy=compact"
    ));
    let producer = producer(&from.address(), &[("compression.type", "zstd"), ("linger.ms", "20")]);
    let send = |range: std::ops::Range<i64>| {
        for n in range {
            let (key, value) = (format!("key {n}"), format!("value {n}"));
            let record = BaseRecord::to(&topic).partition(1).key(&key).payload(&value).timestamp(1_700_000_000_000 + n);
            let header = rdkafka::message::Header { key: "n", value: Some(&key) };
            producer.send(record.headers(rdkafka::message::OwnedHeaders::new().insert(header))).unwrap();
        }
        acknowledged(&producer);
    };
    send(0..50);
    let move_to_end = format!("--reset-offsets --group {group} --topic {topic} --to-latest --execute");
    tools.run(&format!("consumer.group.ConsumerGroupCommand @ {move_to_end}"));

    let folder = tempfile::tempdir().unwrap();
    let _mirror = start_mirror(&from, &to, folder.path(), &topic, &group);
    let copy = format!("from.{topic}");
    wait_for_topic(&to, &copy);
    let reader = reader(&to.address(), &copy, 1, Offset::Beginning, &[]);
    let records = take(&reader, 50);
    for (n, record) in (0..).zip(&records) {
        assert_eq!((record.partition(), record.offset(), text(record)), (1, n, &*format!("value {n}")));
        assert_eq!(record.key_view::<str>(), Some(Ok(&*format!("key {n}"))));
        assert_eq!(record.timestamp().to_millis(), Some(1_700_000_000_000 + n));
        assert_eq!(record.headers().map(|headers| headers.get(0).key), Some("n"));
    }
    wait_for_commit(&to, &group, &copy, 1, 50);

    send(50..60);
    assert_eq!(text(&take(&reader, 10)[9]), "value 59");
    tools.run(&format!("consumer.group.ConsumerGroupCommand @ {move_to_end}"));
    wait_for_commit(&to, &group, &copy, 1, 60);
    let described = Tools::new(&to).run(&format!("TopicCommand @ --describe --topic {copy}"));
    assert!(described.contains("PartitionCount: 2") && described.contains("retention.ms=7200000"), "{described}");
    assert!(described.contains("cleanup.policy=compact"), "{described}");
}
