//! Kafka's own console tools (4.3.1, the newest that are published) and a program on its Java client (4.4.0).

use support::{LIMIT, Program, TestBroker, java_client, kafka_tool, kcat, unique};
use testkit::process::Broker;

/// A tool that talks to `broker`.
fn tool(class: &str, broker: &TestBroker) -> Program {
    kafka_tool(class).args(["--bootstrap-server", &broker.address()])
}

fn create_topic(name: &str, partitions: &str, broker: &TestBroker) {
    let created = tool("TopicCommand", broker).args(["--create", "--topic", name, "--partitions", partitions]).run();
    assert_eq!(created, format!("Created topic {name}.\n"));
}

#[test]
fn the_console_consumer_prints_what_the_console_producer_was_given() {
    let broker = TestBroker::new();
    let topic = unique("console");
    create_topic(&topic, "1", &broker);
    let produce = |arguments: &[&str], input: &str| {
        tool("ConsoleProducer", &broker).args(["--topic", &topic]).args(arguments).input(input).run();
    };
    produce(&[], "plain\n");
    produce(&["--reader-property", "parse.key=true", "--reader-property", "key.separator=:"], "key:value\n");
    produce(&["--reader-property", "parse.headers=true"], "one:1,two:2\twith headers\n");
    for codec in ["gzip", "snappy", "lz4", "zstd"] {
        produce(&["--compression-codec", codec, "--producer-property", "acks=all"], &format!("{codec}\n"));
    }

    let consume = |arguments: &[&str]| {
        let consumer = tool("consumer.ConsoleConsumer", &broker).args(["--topic", &topic]).args(arguments).finish();
        (consumer.stdout, consumer.stderr)
    };
    let (printed, said) = consume(&["--from-beginning", "--max-messages", "7"]);
    assert_eq!(printed, "plain\nvalue\nwith headers\ngzip\nsnappy\nlz4\nzstd\n");
    assert!(said.contains("Processed a total of 7 messages"), "{said}");
    let properties = ["key", "headers", "offset", "partition"].map(|what| format!("print.{what}=true"));
    let (printed, _) = consume(
        &[
            &["--partition", "0", "--offset", "1", "--max-messages", "2"],
            &*properties.each_ref().map(|property| ["--formatter-property", property]).concat(),
        ]
        .concat(),
    );
    assert_eq!(
        printed,
        "Partition:0\tOffset:1\tNO_HEADERS\tkey\tvalue\nPartition:0\tOffset:2\tone:1,two:2\tnull\twith headers\n"
    );
}

#[test]
fn a_console_group_goes_on_where_it_left_and_is_listed_and_described() {
    let broker = TestBroker::new();
    let (topic, group) = (unique("console-group"), unique("console-readers"));
    create_topic(&topic, "2", &broker);
    kcat(&broker).args(["-P", "-t", &topic, "-p", "1"]).input("one\ntwo\nthree\n").run();
    let read = |count: &str| {
        let arguments = ["--topic", &topic, "--group", &group, "--from-beginning", "--max-messages", count];
        tool("consumer.ConsoleConsumer", &broker).args(arguments).run()
    };
    assert_eq!(read("1"), "one\n");
    assert_eq!(read("2"), "two\nthree\n");

    let groups = |arguments: &[&str]| tool("consumer.group.ConsumerGroupCommand", &broker).args(arguments).run();
    assert!(groups(&["--list"]).lines().any(|line| line == group));
    kcat(&broker).args(["-P", "-t", &topic, "-p", "1"]).input("four\n").run();
    let described = groups(&["--describe", "--group", &group]);
    let rows: Vec<Vec<&str>> = described.lines().map(|line| line.split_whitespace().collect()).collect();
    let of_partition =
        |partition: &str| rows.iter().find(|row| row.get(2) == Some(&partition)).map(|row| row[..6].to_vec());
    assert_eq!(of_partition("1"), Some(vec![&*group, &topic, "1", "3", "4", "1"]), "{described}");
    let state = groups(&["--describe", "--group", &group, "--state"]);
    assert!(state.lines().any(|line| line.contains(&group) && line.contains("Empty")), "{state}");

    let arguments = ["--topic", &topic, "--group", &group];
    let mut reader = tool("consumer.ConsoleConsumer", &broker).args(arguments).spawn();
    assert_eq!(reader.wait_for_lines("four", 1, LIMIT).unwrap(), ["four"]);
    let members = groups(&["--describe", "--group", &group, "--members", "--verbose"]);
    assert!(
        members.lines().any(|line| line.contains("console-consumer") && line.contains(&format!("{topic}:0,1"))),
        "{members}"
    );
}

#[test]
fn kafka_topics_creates_lists_and_deletes() {
    let broker = TestBroker::new();
    let topic = unique("listed");
    create_topic(&topic, "3", &broker);
    let topics = |arguments: &[&str]| tool("TopicCommand", &broker).args(arguments).finish();
    let again = topics(&["--create", "--topic", &topic]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        format!("{}{}", again.stdout, again.stderr).contains(&format!("Topic '{topic}' already exists.")),
        "{again:?}"
    );
    topics(&["--create", "--topic", &topic, "--if-not-exists"]).success().unwrap();
    assert!(topics(&["--list"]).stdout.lines().any(|line| line == topic));
    topics(&["--delete", "--topic", &topic]).success().unwrap();
    assert!(!topics(&["--list"]).stdout.lines().any(|line| line == topic));
}

#[test]
fn kafka_topics_describes_partitions_and_settings() {
    let broker = TestBroker::new();
    let topic = unique("described");
    let create = ["--create", "--topic", &topic, "--partitions", "2", "--config", "retention.ms=3600000"];
    tool("TopicCommand", &broker).args(create).run();
    let described = tool("TopicCommand", &broker).args(["--describe", "--topic", &topic]).run();
    assert!(
        described.contains(&format!("Topic: {topic}\t"))
            && described.contains("PartitionCount: 2\tReplicationFactor: 1"),
        "{described}"
    );
    assert!(described.contains("retention.ms=3600000"), "{described}");
    for partition in [0, 1] {
        let row = format!("\tTopic: {topic}\tPartition: {partition}\tLeader: 1\tReplicas: 1\tIsr: 1");
        assert!(described.contains(&row), "{described}");
    }
}

#[test]
fn kafka_get_offsets_and_delete_records_move_the_log_start() {
    let broker = TestBroker::new();
    let topic = unique("emptied");
    create_topic(&topic, "1", &broker);
    kcat(&broker).args(["-P", "-t", &topic]).input("one\ntwo\nthree\n").run();
    let offset = |time: &str| tool("GetOffsetShell", &broker).args(["--topic", &topic, "--time", time]).run();
    assert_eq!([offset("earliest"), offset("latest")], [0, 3].map(|offset| format!("{topic}:0:{offset}\n")));

    let file = tempfile::NamedTempFile::new().unwrap();
    let wanted = format!(r#"{{"version":1,"partitions":[{{"topic":"{topic}","partition":0,"offset":2}}]}}"#);
    std::fs::write(file.path(), wanted).unwrap();
    let path = file.path().display().to_string();
    let deleted = tool("DeleteRecordsCommand", &broker).args(["--offset-json-file", &path]).run();
    assert!(deleted.contains(&format!("partition: {topic}-0\tlow_watermark: 2")), "{deleted}");
    assert_eq!(offset("earliest"), format!("{topic}:0:2\n"));
}

#[test]
fn dump_log_segments_reads_our_segments_and_both_indexes() {
    let broker = TestBroker::new();
    let topic = unique("dumped");
    create_topic(&topic, "1", &broker);
    // Enough for several index entries, one for every 4 KiB of log; kcat sends what fits its linger time together.
    for round in 0..40 {
        let line = format!("{round} {}\n", "x".repeat(300));
        kcat(&broker).args(["-P", "-t", &topic, "-K", " "]).input(line.repeat(3)).run();
    }
    let directory = broker.partition_dir(&topic, 0);
    let file = |name: &str| directory.join(format!("00000000000000000000.{name}")).display().to_string();
    let dump = |files: &str, extra: &[&str]| {
        kafka_tool("DumpLogSegments").args(["--files", files]).args(extra).finish().success().unwrap().stdout
    };
    let log = dump(&file("log"), &["--deep-iteration", "--print-data-log"]);
    assert!(log.contains("Log starting offset: 0"), "{log}");
    assert_eq!(
        log.lines().filter(|line| line.contains("| offset: ") && line.contains("payload: xxx")).count(),
        120,
        "{log}"
    );
    assert!(log.contains("isvalid: true") && !log.contains("isvalid: false"), "{log}");
    for index in ["index", "timeindex"] {
        let checked = kafka_tool("DumpLogSegments").args(["--files", &file(index), "--verify-index-only"]).finish();
        // What does not match the segment is told on the standard error, whatever the exit code.
        assert_eq!((checked.stdout, checked.stderr), (format!("Dumping {}\n", file(index)), String::new()));
    }
    assert!(dump(&file("index"), &[]).lines().filter(|line| line.starts_with("offset: ")).count() >= 5);
}

#[test]
fn dump_log_segments_reads_compacted_segments_and_consumers_the_last_value_of_each_key() {
    let settings = [("log.cleaner.backoff.ms", 100), ("group.initial.rebalance.delay.ms", 0)];
    let launch = settings.iter().fold(Broker::launch(), |launch, (name, value)| launch.set(name, *value));
    let broker = TestBroker::start(launch);
    let topic = unique("compacted");
    let configs = "cleanup.policy=compact segment.bytes=1048576 min.cleanable.dirty.ratio=0.01 file.delete.delay.ms=0";
    let configs = configs.split(' ').flat_map(|config| ["--config", config]);
    tool("TopicCommand", &broker).args(["--create", "--topic", &topic, "--partitions", "1"]).args(configs).run();
    // Two segments and a half; each key is written twelve times, and the first is deleted at last.
    for round in 0..12 {
        let lines: String = (0..100).map(|key| format!("key{key} {round}-{}\n", "x".repeat(2000))).collect();
        kcat(&broker).args(["-P", "-t", &topic, "-K", " ", "-z", "lz4"]).input(lines).run();
        kcat(&broker)
            .args(["-P", "-t", &topic, "-K", " "])
            .input(format!("plain {round}-{}\n", "x".repeat(200_000)))
            .run();
    }
    kcat(&broker).args(["-P", "-t", &topic, "-K", " ", "-Z"]).input("key0 \n").run();

    let consume = || {
        let read = kcat(&broker).args(["-C", "-e", "-q", "-t", &topic, "-f", "%o %k %S %s\n"]).run();
        read.lines().map(|line| line[..line.len().min(40)].to_owned()).collect::<Vec<_>>()
    };
    let mut records = consume();
    while records.len() > 600 {
        records = consume();
    }
    let last = |key: &str| records.iter().rfind(|line| line.split(' ').nth(1) == Some(key)).cloned();
    for key in (1..100).map(|key| format!("key{key}")).chain(["plain".to_owned()]) {
        assert!(last(&key).is_some_and(|line| line.contains(" 11-x")), "{key}: {:?}", last(&key));
    }
    assert!(last("key0").is_some_and(|line| line.trim_end().ends_with(" -1")), "{:?}", last("key0"));

    let directory = broker.partition_dir(&topic, 0);
    let names = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let compacted: Vec<String> = names.filter(|name| name.split('.').next().unwrap().len() > 20).collect();
    assert!(compacted.iter().any(|name| name.ends_with(".log")), "{compacted:?}");
    for name in compacted {
        let file = directory.join(&name).display().to_string();
        let dump = kafka_tool("DumpLogSegments").args(["--files", &file]);
        if name.ends_with(".log") {
            let dumped = dump.args(["--deep-iteration", "--print-data-log"]).finish().success().unwrap();
            assert!(dumped.stdout.contains("isvalid: true") && !dumped.stdout.contains("isvalid: false"), "{name}");
            // That offsets are missing is told, and is as it should be.
            let is_gap = |line: &str| line.starts_with("Non-consecutive offsets") || line.contains(" is followed by ");
            assert!(dumped.stderr.lines().all(is_gap), "{}", dumped.stderr);
        } else {
            let dumped = dump.arg("--verify-index-only").finish();
            assert_eq!((dumped.stdout, dumped.stderr), (format!("Dumping {file}\n"), String::new()));
        }
    }
}

#[test]
fn the_java_client_produces_idempotently_in_order() {
    assert_eq!(java_client("Produce", &TestBroker::new()).run(), "done\n");
}

#[test]
fn the_java_client_shares_partitions_with_the_cooperative_assignor() {
    assert_eq!(java_client("Cooperate", &TestBroker::new()).run(), "done\n");
}
