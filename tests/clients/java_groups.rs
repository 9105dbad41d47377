//! `kafka-consumer-groups` whole, and `kafka-groups`.

use rdkafka::consumer::BaseConsumer;
use rdkafka::producer::BaseRecord;
use support::librdkafka::{acknowledged, config, create_topic, producer, take};
use support::{TestBroker, Tools, unique};

const HOUR_MS: i64 = 3_600_000;
/// 2020-01-01T00:00:00Z.
const NEW_YEAR_MS: i64 = 1_577_836_800_000;

/// A topic of one partition: ten records of the first ten hours of 2020, and one of now.
fn dated_topic(broker: &TestBroker) -> String {
    let topic = unique("dated");
    create_topic(&broker.address(), &topic, 1, &[]);
    let producer = producer(&broker.address(), &[]);
    for hour in 0..10 {
        let timestamp = NEW_YEAR_MS + hour * HOUR_MS;
        producer.send(BaseRecord::<(), _>::to(&topic).timestamp(timestamp).payload("old")).unwrap();
    }
    producer.send(BaseRecord::<(), _>::to(&topic).payload("new")).unwrap();
    acknowledged(&producer);
    topic
}

/// A member of a group that has received a record.
fn member(broker: &TestBroker, group: &str, topic: &str) -> BaseConsumer {
    let mut config = config(&broker.address());
    config.set("group.id", group).set("client.id", "the-one").set("auto.offset.reset", "earliest");
    config.set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().unwrap();
    rdkafka::consumer::Consumer::subscribe(&consumer, &[topic]).unwrap();
    take(&consumer, 1);
    consumer
}

/// The rows of the tables in `printed` that are about `group`.
fn rows(printed: &str, group: &str) -> Vec<Vec<String>> {
    let rows = printed.lines().map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    rows.filter(|row| row.first().is_some_and(|first| first == group)).collect()
}

fn words(words: &str) -> Vec<Vec<String>> {
    vec![words.split(' ').map(str::to_owned).collect()]
}

#[test]
fn kafka_consumer_groups_resets_offsets_in_every_way() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let (topic, group) = (dated_topic(&broker), unique("reset"));
    let mut groups = |arguments: &str| tools.run(&format!("consumer.group.ConsumerGroupCommand @ {arguments}"));
    let mut reset = |how: &str, expected: i64| {
        let printed = groups(&format!("--reset-offsets --group {group} {how}"));
        assert_eq!(rows(&printed, &group), words(&format!("{group} {topic} 0 {expected}")), "{how}: {printed}");
    };
    let of_topic = |how: &str| format!("--topic {topic} {how}");
    // What is not executed is only told: the group is not made by that.
    reset(&of_topic("--to-offset 4"), 4);
    reset(&of_topic("--to-offset 4 --dry-run"), 4);
    reset(&of_topic("--to-current --dry-run"), 11);

    reset(&of_topic("--to-offset 4 --execute"), 4);
    reset(&of_topic("--to-current --dry-run"), 4);
    reset(&of_topic("--shift-by 3 --execute"), 7);
    reset(&of_topic("--shift-by -2 --execute"), 5);
    reset(&of_topic("--shift-by -100 --execute"), 0);
    reset("--all-topics --to-latest --execute", 11);
    reset("--all-topics --to-earliest --execute", 0);
    reset(&of_topic("--to-offset 100 --execute"), 11);
    reset(&format!("--topic {topic}:0 --to-datetime 2020-01-01T03:30:00.000 --execute"), 4);
    reset(&of_topic("--to-datetime 2020-01-01T05:00:00.000+02:00 --execute"), 3);
    reset(&of_topic("--by-duration PT1H --execute"), 10);
    reset(&of_topic("--to-current --execute"), 10);

    let described = groups(&format!("--describe --group {group} --offsets"));
    assert_eq!(rows(&described, &group), words(&format!("{group} {topic} 0 10 11 1 - - -")), "{described}");
}

#[test]
fn kafka_consumer_groups_restores_the_offsets_that_it_exported() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let (topic, first, second) = (dated_topic(&broker), unique("exported"), unique("restored"));
    let mut groups = |arguments: &str| tools.run(&format!("consumer.group.ConsumerGroupCommand @ {arguments}"));
    for (group, offset) in [(&first, 6), (&second, 8)] {
        groups(&format!("--reset-offsets --group {group} --topic {topic} --to-offset {offset} --execute"));
    }
    let one = groups(&format!("--reset-offsets --group {first} --topic {topic} --to-current --dry-run --export"));
    // Long names are quoted.
    assert_eq!(one.trim().replace('"', ""), format!("{topic},0,6"));
    let both = groups(&format!(
        "--reset-offsets --group {first} --group {second} --topic {topic} --to-current --dry-run --export"
    ));
    let unquoted = both.replace('"', "");
    let mut lines: Vec<&str> = unquoted.split_whitespace().collect();
    lines.sort_unstable();
    let mut expected = [format!("{first},{topic},0,6"), format!("{second},{topic},0,8")];
    expected.sort_unstable();
    assert_eq!(lines, expected);

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), both.trim()).unwrap();
    groups(&format!("--reset-offsets --group {first} --group {second} --topic {topic} --to-earliest --execute"));
    let path = file.path().display();
    let restored = groups(&format!("--reset-offsets --group {first} --group {second} --from-file {path} --execute"));
    assert_eq!(rows(&restored, &first), words(&format!("{first} {topic} 0 6")), "{restored}");
    let described = groups("--describe --all-groups");
    assert_eq!(rows(&described, &first), words(&format!("{first} {topic} 0 6 11 5 - - -")), "{described}");
    assert_eq!(rows(&described, &second), words(&format!("{second} {topic} 0 8 11 3 - - -")), "{described}");
}

#[test]
fn kafka_consumer_groups_describes_members_and_neither_moves_nor_deletes_a_group_that_has_some() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let (topic, group) = (dated_topic(&broker), unique("members"));
    let mut groups = |arguments: &str| tools.run(&format!("consumer.group.ConsumerGroupCommand @ {arguments}"));
    let one = member(&broker, &group, &topic);

    let state = groups(&format!("--describe --group {group} --state"));
    let row = &rows(&state, &group)[0];
    assert_eq!((&row[1], &row[2..]), (&broker.address(), &words("(1) range Stable 1")[0][..]), "{state}");
    let members = groups(&format!("--describe --group {group} --members --verbose"));
    let row = &rows(&members, &group)[0];
    assert!(row[1].starts_with("the-one-"), "{members}");
    let rest: Vec<&str> = row[2..].iter().map(String::as_str).collect();
    assert_eq!(rest, ["/127.0.0.1", "the-one", "1", "-", &format!("{topic}:0"), "-", "-"], "{members}");
    let offsets = groups(&format!("--describe --group {group} --offsets --verbose"));
    let row = &rows(&offsets, &group)[0];
    assert_eq!((&*row[1], &*row[2], &*row[4], &*row[5]), (&*topic, "0", "-", "11"), "{offsets}");

    let refused = groups(&format!("--reset-offsets --group {group} --topic {topic} --to-earliest --execute"));
    assert!(refused.contains("can only be reset if the group") && refused.contains("Stable"), "{refused}");
    let refused = groups(&format!("--delete --group {group}"));
    assert!(refused.contains("GroupNotEmptyException"), "{refused}");
    let listed = groups("--list --state Stable");
    assert_eq!(rows(&listed, &group), words(&format!("{group} Stable")), "{listed}");
    drop(one);
    let empty = words(&format!("{group} Empty"));
    let mut listings = (0..100).map(|_| groups("--list --state"));
    assert!(listings.any(|listed| rows(&listed, &group) == empty), "never empty");
    let refused = groups("--describe --group nobodys");
    assert!(refused.contains("GroupIdNotFoundException: Group nobodys not found."), "{refused}");
}

#[test]
fn kafka_groups_lists_by_type_and_protocol() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let (topic, group, offsets_only) = (dated_topic(&broker), unique("typed"), unique("simple"));
    let _member = member(&broker, &group, &topic);
    let reset = format!("--reset-offsets --group {offsets_only} --topic {topic} --to-latest --execute");
    tools.run(&format!("consumer.group.ConsumerGroupCommand @ {reset}"));

    let all = tools.run("GroupsCommand @ --list");
    assert_eq!(rows(&all, &group), words(&format!("{group} Classic consumer")), "{all}");
    assert_eq!(rows(&all, &offsets_only), words(&format!("{offsets_only} Classic")), "{all}");
    let consumers = tools.run("GroupsCommand @ --list --consumer");
    assert_eq!((rows(&consumers, &group).len(), rows(&consumers, &offsets_only).len()), (1, 1), "{consumers}");
    let of_protocol = tools.run("GroupsCommand @ --list --group-type classic --protocol consumer");
    assert_eq!((rows(&of_protocol, &group).len(), rows(&of_protocol, &offsets_only).len()), (1, 0), "{of_protocol}");
    let shares = tools.run("GroupsCommand @ --list --share");
    assert!(rows(&shares, &group).is_empty(), "{shares}");
}

#[test]
fn the_reset_tool_of_kafka_streams_moves_an_application() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let (topic, application) = (dated_topic(&broker), unique("application"));
    // What Streams makes for itself, and the tool takes away.
    let internal = format!("{application}-counts-changelog");
    create_topic(&broker.address(), &internal, 1, &[("cleanup.policy", "compact")]);
    let mut reset = |how: &str| {
        tools.run(&format!("StreamsResetter @ --application-id {application} --input-topics {topic} {how}"))
    };
    let moved = |printed: &str, offset: i64| {
        assert!(printed.contains(&format!("Topic: {topic} Partition: 0 Offset: {offset}\n")), "{printed}");
    };
    moved(&reset("--to-offset 7 --dry-run"), 7);
    let printed = reset("--to-datetime 2020-01-01T04:00:00.000");
    moved(&printed, 4);
    assert!(printed.contains(&internal), "{printed}");
    let described = tools.run(&format!("consumer.group.ConsumerGroupCommand @ --describe --group {application}"));
    assert_eq!(rows(&described, &application), words(&format!("{application} {topic} 0 4 11 7 - - -")), "{described}");
    assert!(!tools.run("TopicCommand @ --list").contains(&internal));
}
