//! Kafka's own console tools (4.3.1, the newest that are published) and a program on its Java client (4.4.0).

use support::{LIMIT, Program, TestBroker, Tools, java_client, kafka_tool, kcat, unique};
use testkit::process::Broker;

/// A tool that talks to `broker`, in a JVM of its own.
fn tool(class: &str, broker: &TestBroker) -> Program {
    kafka_tool(class).args(["--bootstrap-server", &broker.address()])
}

fn create_topic(name: &str, partitions: i32, tools: &mut Tools) {
    let created = tools.run(&format!("TopicCommand @ --create --topic {name} --partitions {partitions}"));
    assert_eq!(created, format!("Created topic {name}.\n"));
}

#[test]
fn the_console_consumer_prints_what_the_console_producer_was_given() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let topic = unique("console");
    create_topic(&topic, 1, &mut tools);
    let produce = |arguments: &[&str], input: &str| {
        tool("ConsoleProducer", &broker).args(["--topic", &topic]).args(arguments).input(input).run();
    };
    produce(&[], "plain\n");
    produce(&["--reader-property", "parse.key=true", "--reader-property", "key.separator=:"], "key:value\n");
    produce(&["--reader-property", "parse.headers=true"], "one:1,two:2\twith headers\n");
    for codec in ["gzip", "snappy", "lz4", "zstd"] {
        produce(&["--compression-codec", codec, "--producer-property", "acks=all"], &format!("{codec}\n"));
    }

    let mut consume = |options: &str| tools.run(&format!("consumer.ConsoleConsumer @ --topic {topic} {options}"));
    let printed = consume("--from-beginning --max-messages 7");
    let expected = "plain\nvalue\nwith headers\ngzip\nsnappy\nlz4\nzstd\nProcessed a total of 7 messages\n";
    assert!(printed.ends_with(expected), "{printed}");
    let properties = ["key", "headers", "offset", "partition"].map(|what| format!("print.{what}=true"));
    let properties = properties.map(|property| format!(" --formatter-property {property}")).concat();
    let printed = consume(&format!("--partition 0 --offset 1 --max-messages 2{properties}"));
    let expected = [
        "Partition:0\tOffset:1\tNO_HEADERS\tkey\tvalue\n",
        "Partition:0\tOffset:2\tone:1,two:2\tnull\twith headers\n",
        "Processed a total of 2 messages\n",
    ];
    assert!(printed.ends_with(&expected.concat()), "{printed}");
}

#[test]
fn a_console_group_goes_on_where_it_left_and_is_listed_and_described() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let (topic, group) = (unique("console-group"), unique("console-readers"));
    create_topic(&topic, 2, &mut tools);
    kcat(&broker).args(["-P", "-t", &topic, "-p", "1"]).input("one\ntwo\nthree\n").run();
    let mut read = |count: u32| {
        let options = format!("--topic {topic} --group {group} --from-beginning --max-messages {count}");
        tools.run(&format!("consumer.ConsoleConsumer @ {options}"))
    };
    assert!(read(1).ends_with("one\nProcessed a total of 1 messages\n"));
    assert!(read(2).ends_with("two\nthree\nProcessed a total of 2 messages\n"));

    let mut groups = |arguments: &str| tools.run(&format!("consumer.group.ConsumerGroupCommand @ {arguments}"));
    assert!(groups("--list").lines().any(|line| line == group));
    kcat(&broker).args(["-P", "-t", &topic, "-p", "1"]).input("four\n").run();
    let described = groups(&format!("--describe --group {group}"));
    let rows: Vec<Vec<&str>> = described.lines().map(|line| line.split_whitespace().collect()).collect();
    let of_partition =
        |partition: &str| rows.iter().find(|row| row.get(2) == Some(&partition)).map(|row| row[..6].to_vec());
    assert_eq!(of_partition("1"), Some(vec![&*group, &topic, "1", "3", "4", "1"]), "{described}");
    let state = groups(&format!("--describe --group {group} --state"));
    assert!(state.lines().any(|line| line.contains(&group) && line.contains("Empty")), "{state}");

    let arguments = ["--topic", &topic, "--group", &group];
    let mut reader = tool("consumer.ConsoleConsumer", &broker).args(arguments).spawn();
    assert_eq!(reader.wait_for_lines("four", 1, LIMIT).unwrap(), ["four"]);
    let members = groups(&format!("--describe --group {group} --members --verbose"));
    assert!(
        members.lines().any(|line| line.contains("console-consumer") && line.contains(&format!("{topic}:0,1"))),
        "{members}"
    );
}

#[test]
fn kafka_topics_creates_lists_and_deletes() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let topic = unique("listed");
    create_topic(&topic, 3, &mut tools);
    let (code, again) = tools.finish(&format!("TopicCommand @ --create --topic {topic}"));
    assert_eq!(code, 1);
    assert!(again.contains(&format!("Topic '{topic}' already exists.")), "{again}");
    let mut topics = |arguments: &str| tools.run(&format!("TopicCommand @ {arguments}"));
    topics(&format!("--create --topic {topic} --if-not-exists"));
    assert!(topics("--list").lines().any(|line| line == topic));
    topics(&format!("--delete --topic {topic}"));
    assert!(!topics("--list").lines().any(|line| line == topic));
}

#[test]
fn kafka_topics_describes_partitions_and_settings() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let topic = unique("described");
    tools.run(&format!("TopicCommand @ --create --topic {topic} --partitions 2 --config retention.ms=3600000"));
    let described = tools.run(&format!("TopicCommand @ --describe --topic {topic}"));
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
    let mut tools = Tools::new(&broker);
    let topic = unique("emptied");
    create_topic(&topic, 1, &mut tools);
    kcat(&broker).args(["-P", "-t", &topic]).input("one\ntwo\nthree\n").run();
    let mut offset = |time: &str| tools.run(&format!("GetOffsetShell @ --topic {topic} --time {time}"));
    assert_eq!([offset("earliest"), offset("latest")], [0, 3].map(|offset| format!("{topic}:0:{offset}\n")));

    let file = tempfile::NamedTempFile::new().unwrap();
    let wanted = format!(r#"{{"version":1,"partitions":[{{"topic":"{topic}","partition":0,"offset":2}}]}}"#);
    std::fs::write(file.path(), wanted).unwrap();
    let deleted = tools.run(&format!("DeleteRecordsCommand @ --offset-json-file {}", file.path().display()));
    assert!(deleted.contains(&format!("partition: {topic}-0\tlow_watermark: 2")), "{deleted}");
    assert_eq!(tools.run(&format!("GetOffsetShell @ --topic {topic} --time earliest")), format!("{topic}:0:2\n"));
}

#[test]
fn dump_log_segments_reads_our_segments_and_both_indexes() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let topic = unique("dumped");
    create_topic(&topic, 1, &mut tools);
    // Enough for several index entries, one for every 4 KiB of log; kcat sends what fits its linger time together.
    for round in 0..40 {
        let line = format!("{round} {}\n", "x".repeat(300));
        kcat(&broker).args(["-P", "-t", &topic, "-K", " "]).input(line.repeat(3)).run();
    }
    let directory = broker.partition_dir(&topic, 0);
    let file = |name: &str| directory.join(format!("00000000000000000000.{name}")).display().to_string();
    let mut dump = |files: &str, options: &str| tools.run(&format!("DumpLogSegments --files {files} {options}"));
    let log = dump(&file("log"), "--deep-iteration --print-data-log");
    assert!(log.contains("Log starting offset: 0"), "{log}");
    assert_eq!(
        log.lines().filter(|line| line.contains("| offset: ") && line.contains("payload: xxx")).count(),
        120,
        "{log}"
    );
    assert!(log.contains("isvalid: true") && !log.contains("isvalid: false"), "{log}");
    for index in ["index", "timeindex"] {
        // What does not match the segment is told, whatever the exit code.
        assert_eq!(dump(&file(index), "--verify-index-only"), format!("Dumping {}\n", file(index)));
    }
    assert!(dump(&file("index"), "").lines().filter(|line| line.starts_with("offset: ")).count() >= 5);
}

#[test]
fn dump_log_segments_decodes_groups_and_their_offsets() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let (topic, group) = (unique("decoded"), unique("decoders"));
    create_topic(&topic, 1, &mut tools);
    kcat(&broker).args(["-P", "-t", &topic]).input("one\ntwo\n").run();
    tools.run(&format!("consumer.ConsoleConsumer @ --topic {topic} --group {group} --from-beginning --max-messages 2"));

    // By String.hashCode of the group, as Kafka's coordinator does.
    let hash = group.bytes().fold(0_i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(byte)));
    let directory = broker.partition_dir("__consumer_offsets", hash.checked_abs().unwrap_or(0) % 50);
    let file = directory.join("00000000000000000000.log").display().to_string();
    let dumped = tools.run(&format!("DumpLogSegments --files {file} --offsets-decoder"));
    let of_group = format!(r#"key: {{"type":"2","data":{{"group":"{group}"}}}}"#);
    let groups: Vec<&str> = dumped.lines().filter(|line| line.contains(&of_group)).collect();
    let member = r#""protocolType":"consumer","generation":1,"protocol":"range","leader":"console-consumer-"#;
    assert!(groups.iter().any(|line| line.contains(member)), "{dumped}");
    assert!(groups.last().unwrap().contains(r#""generation":2,"protocol":null,"leader":null"#), "{dumped}");
    let of_offset = format!(r#"key: {{"type":"1","data":{{"group":"{group}","topic":"{topic}","partition":0}}}}"#);
    let offset = dumped.lines().rfind(|line| line.contains(&of_offset)).unwrap();
    assert!(offset.contains(r#""offset":2,"leaderEpoch":0,"metadata":"""#), "{offset}");
}

#[test]
fn dump_log_segments_reads_compacted_segments_and_consumers_the_last_value_of_each_key() {
    let settings = [("log.cleaner.backoff.ms", 100), ("group.initial.rebalance.delay.ms", 0)];
    let launch = settings.iter().fold(Broker::launch(), |launch, (name, value)| launch.set(name, *value));
    let broker = TestBroker::start(launch);
    let mut tools = Tools::new(&broker);
    let topic = unique("compacted");
    let configs = "cleanup.policy=compact segment.bytes=1048576 min.cleanable.dirty.ratio=0.01 file.delete.delay.ms=0";
    let configs: String = configs.split(' ').map(|config| format!(" --config {config}")).collect();
    tools.run(&format!("TopicCommand @ --create --topic {topic} --partitions 1{configs}"));
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
        let mut dump = |options: &str| tools.run(&format!("DumpLogSegments --files {file} {options}"));
        if name.ends_with(".log") {
            let dumped = dump("--deep-iteration --print-data-log");
            assert!(dumped.contains("isvalid: true") && !dumped.contains("isvalid: false"), "{name}");
            // Besides the records it is told that offsets are missing, which is as it should be.
            let is_gap = |line: &str| line.starts_with("Non-consecutive offsets") || line.contains(" is followed by ");
            let is_content = |line: &str| {
                ["Dumping ", "Log starting offset: ", "baseOffset: ", "| "].iter().any(|start| line.starts_with(start))
            };
            let strange: Vec<&str> = dumped.lines().filter(|line| !is_gap(line) && !is_content(line)).collect();
            assert!(strange.is_empty(), "{strange:?}");
        } else {
            assert_eq!(dump("--verify-index-only"), format!("Dumping {file}\n"));
        }
    }
}

#[test]
fn the_java_client_produces_idempotently_in_order() {
    assert_eq!(java_client("Produce", &TestBroker::new()).run(), "done\n");
}

#[test]
fn the_java_client_starts_seeks_pauses_and_commits_as_it_is_told() {
    assert_eq!(java_client("Consume", &TestBroker::new()).run(), "done\n");
}

#[test]
fn the_java_client_shares_partitions_with_the_cooperative_assignor() {
    assert_eq!(java_client("Cooperate", &TestBroker::new()).run(), "done\n");
}

#[test]
fn the_java_client_shares_partitions_with_each_eager_assignor() {
    assert_eq!(java_client("Assign", &TestBroker::new()).run(), "done\n");
}

#[test]
fn the_java_client_administers_what_no_tool_does() {
    assert_eq!(java_client("Administer", &TestBroker::new()).run(), "done\n");
}
