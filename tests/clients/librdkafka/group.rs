//! Consumer groups: members that come and go, with both ways of rebalancing; commits.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::BaseRecord;
use rdkafka::{Message, Offset, TopicPartitionList};
use support::librdkafka::{acknowledged, config, create_topic, producer, take, text};
use support::{LIMIT, TestBroker, unique};

const PARTITIONS: usize = 4;

fn member(broker: &TestBroker, group: &str, topic: &str, settings: &[(&str, &str)]) -> BaseConsumer {
    let mut config = config(&broker.address());
    config.set("group.id", group).set("auto.offset.reset", "earliest");
    // Members hear of a rebalance by their heartbeat.
    config.set("heartbeat.interval.ms", "100").set("session.timeout.ms", "10000");
    for (key, value) in settings {
        config.set(*key, *value);
    }
    let consumer: BaseConsumer = config.create().unwrap();
    consumer.subscribe(&[topic]).unwrap();
    consumer
}

/// Polls all members until `done` with the values received so far.
#[track_caller]
fn poll_until(
    members: &[&BaseConsumer],
    received: &mut BTreeMap<String, usize>,
    what: &str,
    done: impl Fn(&BTreeMap<String, usize>) -> bool,
) {
    let deadline = Instant::now() + LIMIT;
    while !done(received) {
        assert!(
            Instant::now() < deadline,
            "never {what}: {:?}",
            members.iter().map(|member| owned(member)).collect::<Vec<_>>()
        );
        for member in members {
            match member.poll(Duration::from_millis(20)) {
                Some(Ok(message)) => *received.entry(text(&message.detach()).to_owned()).or_default() += 1,
                Some(Err(error)) => panic!("{error}"),
                None => {}
            }
        }
    }
}

fn owned(member: &BaseConsumer) -> usize {
    member.assignment().unwrap().count()
}

/// Two members share the partitions, one leaves, and every message is handled once.
fn come_and_go(strategy: &str) {
    let broker = TestBroker::new();
    let (topic, group) = (unique(strategy), unique("members"));
    create_topic(&broker.address(), &topic, i32::try_from(PARTITIONS).unwrap(), &[]);
    let producer = producer(&broker.address(), &[]);
    let mut sent = 0;
    let mut send = || {
        for partition in 0..PARTITIONS {
            for _ in 0..25 {
                let value = sent.to_string();
                let partition = i32::try_from(partition).unwrap();
                producer.send(BaseRecord::<(), _>::to(&topic).partition(partition).payload(&value)).unwrap();
                sent += 1;
            }
        }
        acknowledged(&producer);
        sent
    };
    let settings = [("partition.assignment.strategy", strategy)];
    let mut received = BTreeMap::new();

    let first = member(&broker, &group, &topic, &settings);
    poll_until(&[&first], &mut received, "one owner", |_| owned(&first) == PARTITIONS);
    let count = send();
    poll_until(&[&first], &mut received, "the first round", |received| received.len() == count);

    let second = member(&broker, &group, &topic, &settings);
    let shared = |_: &BTreeMap<_, _>| owned(&first) == PARTITIONS / 2 && owned(&second) == PARTITIONS / 2;
    poll_until(&[&first, &second], &mut received, "shared", shared);
    let count = send();
    poll_until(&[&first, &second], &mut received, "the second round", |received| received.len() == count);

    drop(first);
    poll_until(&[&second], &mut received, "one owner again", |_| owned(&second) == PARTITIONS);
    let count = send();
    poll_until(&[&second], &mut received, "the third round", |received| received.len() == count);
    let repeated: Vec<_> = received.iter().filter(|(_, times)| **times > 1).collect();
    assert!(repeated.is_empty(), "{repeated:?}");
}

#[test]
fn librdkafka_members_share_eagerly_by_range() {
    come_and_go("range");
}

#[test]
fn librdkafka_members_share_cooperatively() {
    come_and_go("cooperative-sticky");
}

#[test]
fn commits_with_their_metadata_are_there_for_the_next_member() {
    let broker = TestBroker::new();
    let (topic, group) = (unique("committed"), unique("committers"));
    create_topic(&broker.address(), &topic, 1, &[]);
    let producer = producer(&broker.address(), &[]);
    for n in 0..10 {
        producer.send(BaseRecord::<(), _>::to(&topic).payload(&n.to_string())).unwrap();
    }
    acknowledged(&producer);

    let manual = [("enable.auto.commit", "false")];
    let first = member(&broker, &group, &topic, &manual);
    take(&first, 10);
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(&topic, 0, Offset::Offset(6)).unwrap();
    offsets.find_partition(&topic, 0).unwrap().set_metadata("six done");
    first.commit(&offsets, CommitMode::Sync).unwrap();
    drop(first);

    let second = member(&broker, &group, &topic, &manual);
    assert!(take(&second, 4).iter().map(Message::offset).eq(6..10));
    let committed = second.committed(LIMIT).unwrap();
    let committed = committed.find_partition(&topic, 0).unwrap();
    assert_eq!((committed.offset(), committed.metadata()), (Offset::Offset(6), "six done"));
}

#[test]
fn a_group_is_listed_with_its_members() {
    let broker = TestBroker::new();
    let (topic, group) = (unique("listed"), unique("lists"));
    create_topic(&broker.address(), &topic, 1, &[]);
    let one = member(&broker, &group, &topic, &[("client.id", "the-one")]);
    poll_until(&[&one], &mut BTreeMap::new(), "an owner", |_| owned(&one) == 1);
    let groups = one.fetch_group_list(Some(&group), LIMIT).unwrap();
    let found = &groups.groups()[0];
    assert_eq!((found.name(), found.state(), found.protocol_type()), (&*group, "Stable", "consumer"));
    let clients: Vec<&str> = found.members().iter().map(|member| member.client_id()).collect();
    assert_eq!(clients, ["the-one"]);
}
