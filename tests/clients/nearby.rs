//! Consumers that read from the replica in their own rack (KIP-392), on a cluster of three brokers in three racks.

use std::sync::Mutex;
use std::time::Duration;

use model::ErrorCode;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::message::OwnedMessage;
use rdkafka::{ClientContext, Message, Offset, Statistics, TopicPartitionList};
use support::librdkafka::{acknowledged, config, create_replicated_topic, producer};
use support::{LIMIT, kafka_tool, unique};
use testkit::process::{Broker, Cluster};
use uuid::Uuid;
use wire::StrBytes;
use wire::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use wire::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use wire::messages::fetch_response::PartitionData;
use wire::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use wire::messages::{BrokerId, DeleteRecordsRequest, FetchRequest, FetchResponse, ListOffsetsRequest, TopicName};

use crate::java_cluster::{ask, metadata, wait_until};

const RACKS: [&str; 3] = ["a", "b", "c"];
const NEWEST: i16 = 18;
const SELECTOR: &str = "org.apache.kafka.common.replica.RackAwareReplicaSelector";

/// A topic of one partition with a replica in each rack.
struct Nearby {
    cluster: Cluster,
    topic: String,
    id: Uuid,
    leader: usize,
    /// The broker that is in the rack of the consumer, and does not lead.
    near: usize,
}

fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

impl Nearby {
    /// With so many records, once a consumer in the rack is sent to the broker that is near.
    fn start(records: usize) -> Nearby {
        let launch = |rack| {
            let launch = Broker::launch().set("broker.rack", rack).set("replica.selector.class", SELECTOR);
            launch.set("auto.leader.rebalance.enable", false).set("broker.session.timeout.ms", 1000)
        };
        let cluster = Cluster::start_as(&RACKS.map(launch)).unwrap();
        let topic = unique("nearby");
        create_replicated_topic(&cluster.addresses(), &topic, 1, 3);
        let known = metadata(&cluster.brokers()[0], &topic);
        let (leader, id) = (known.topics[0].partitions[0].leader_id.0 as usize, known.topics[0].topic_id);
        let racks: Vec<String> =
            known.brokers.iter().map(|broker| broker.rack.as_deref().unwrap().to_owned()).collect();
        assert_eq!(racks, RACKS, "as Metadata tells");
        let nearby = Nearby { cluster, topic, id, leader, near: leader % 3 + 1 };
        nearby.produce(records);
        nearby.wait_until_sent_there();
        nearby
    }

    fn rack(&self) -> &'static str {
        RACKS[self.near - 1]
    }

    fn produce(&self, records: usize) {
        let producer = producer(&self.cluster.addresses(), &[]);
        for number in 0..records {
            producer
                .send(rdkafka::producer::BaseRecord::<(), _>::to(&self.topic).payload(&number.to_string()))
                .unwrap();
        }
        assert_eq!(acknowledged(&producer).len(), records);
    }

    fn broker(&self, id: usize) -> &Broker {
        &self.cluster.brokers()[id - 1]
    }

    /// A fetch without a session, at which nobody waits.
    fn fetch(&self, version: i16, offset: i64, rack: &str) -> FetchRequest {
        let partition = FetchPartition::default()
            .with_fetch_offset(offset)
            .with_current_leader_epoch(-1)
            .with_partition_max_bytes(1 << 20);
        let topic = FetchTopic::default().with_partitions(vec![partition]);
        let topic = if version < 13 { topic.with_topic(name(&self.topic)) } else { topic.with_topic_id(self.id) };
        let rack = if version < 11 { "" } else { rack };
        FetchRequest::default()
            .with_session_epoch(-1)
            .with_max_bytes(1 << 20)
            .with_min_bytes(1)
            .with_rack_id(StrBytes::from_string(rack.to_owned()))
            .with_topics(vec![topic])
    }

    fn asked(&self, broker: usize, version: i16, request: &FetchRequest) -> PartitionData {
        let response: FetchResponse = ask(self.broker(broker), version, request);
        response.responses[0].partitions[0].clone()
    }

    /// Error, replica named, end, and how many bytes came.
    fn told(&self, broker: usize, version: i16, request: &FetchRequest) -> (ErrorCode, i32, i64, usize) {
        let told = self.asked(broker, version, request);
        let bytes = told.records.map_or(0, |records| records.len());
        (ErrorCode::from_code(told.error_code), told.preferred_read_replica.0, told.high_watermark, bytes)
    }

    fn preferred(&self, offset: i64) -> i32 {
        self.told(self.leader, NEWEST, &self.fetch(NEWEST, offset, self.rack())).1
    }

    fn wait_until_sent_there(&self) {
        wait_until("sent to the replica in the rack", || self.preferred(0) == self.near as i32);
    }
}

#[test]
fn a_leader_names_the_replica_in_the_consumers_rack_as_long_as_it_keeps_up() {
    let mut nearby = Nearby::start(10);
    let (leader, near) = (nearby.leader, nearby.near as i32);
    for version in 11..=NEWEST {
        let told = nearby.told(leader, version, &nearby.fetch(version, 3, nearby.rack()));
        assert_eq!(told, (ErrorCode::None, near, 10, 0), "version {version}");
    }
    let serves = |version, offset, rack: &str| {
        let (error, preferred, end, bytes) = nearby.told(leader, version, &nearby.fetch(version, offset, rack));
        assert_eq!((error, preferred, end), (ErrorCode::None, -1, 10), "{rack} {version}");
        bytes > 0
    };
    assert!(serves(10, 3, ""), "a version that knows no racks");
    assert!(serves(NEWEST, 3, "") && serves(NEWEST, 3, RACKS[leader - 1]) && serves(NEWEST, 3, "elsewhere"));
    let out_of_range = nearby.told(leader, NEWEST, &nearby.fetch(NEWEST, 11, nearby.rack()));
    assert_eq!(out_of_range.0, ErrorCode::OffsetOutOfRange, "nobody is sent away with what nobody has");

    // A session goes on telling it, until the consumer has gone there.
    let open = nearby.fetch(NEWEST, 10, nearby.rack()).with_session_epoch(0);
    let opened: FetchResponse = ask(nearby.broker(leader), NEWEST, &open);
    let next = open.clone().with_session_id(opened.session_id).with_session_epoch(1).with_topics(vec![]);
    assert_eq!(nearby.told(leader, NEWEST, &next), (ErrorCode::None, near, 10, 0));
    let gone = ForgottenTopic::default().with_topic_id(nearby.id).with_partitions(vec![0]);
    let last = next.with_session_epoch(2).with_forgotten_topics_data(vec![gone]);
    assert!(ask(nearby.broker(leader), NEWEST, &last).responses.is_empty());

    // One that is frozen, dead, or only just back is not named.
    nearby.cluster.broker(nearby.near).kill().unwrap();
    wait_until("served by the leader", || nearby.preferred(0) == -1);
    nearby.produce(10);
    nearby.cluster.broker(nearby.near).restart().unwrap();
    wait_until("sent there again", || nearby.preferred(20) == near);
    let told = nearby.told(nearby.near, NEWEST, &nearby.fetch(NEWEST, 10, nearby.rack()));
    assert_eq!((told.0, told.2), (ErrorCode::None, 20), "nobody was sent there before it had all");
}

#[test]
fn a_follower_serves_those_who_were_sent_to_it_as_its_leader_would() {
    let nearby = Nearby::start(10);
    let (leader, near) = (nearby.leader, nearby.near);
    let (rack, elsewhere) = (nearby.rack(), RACKS[leader - 1]);
    for version in 11..=NEWEST {
        let here = nearby.asked(near, version, &nearby.fetch(version, 3, rack));
        let there = nearby.asked(leader, version, &nearby.fetch(version, 3, elsewhere));
        assert!(!here.records.as_ref().unwrap().is_empty());
        assert_eq!(here, there, "version {version}");
    }
    // Whoever did not say where it is wants the leader, and is told who that is.
    let lost = nearby.asked(near, NEWEST, &nearby.fetch(NEWEST, 3, ""));
    assert_eq!(ErrorCode::from_code(lost.error_code), ErrorCode::NotLeaderOrFollower);
    assert_eq!(lost.current_leader.leader_id.0 as usize, leader);
    let (error, ..) = nearby.told(near, 10, &nearby.fetch(10, 3, ""));
    assert_eq!(error, ErrorCode::NotLeaderOrFollower);

    let epoch = metadata(nearby.broker(leader), &nearby.topic).topics[0].partitions[0].leader_epoch;
    for (believed, expected) in [
        (epoch, ErrorCode::None),
        (epoch - 1, ErrorCode::FencedLeaderEpoch),
        (epoch + 1, ErrorCode::UnknownLeaderEpoch),
    ] {
        let mut request = nearby.fetch(NEWEST, 3, rack);
        request.topics[0].partitions[0].current_leader_epoch = believed;
        assert_eq!(nearby.told(near, NEWEST, &request).0, expected);
    }
    // What it does not have (yet) the leader may have.
    assert_eq!(nearby.told(near, NEWEST, &nearby.fetch(NEWEST, 11, rack)).0, ErrorCode::OffsetNotAvailable);
    let (error, _, end, bytes) = nearby.told(near, NEWEST, &nearby.fetch(NEWEST, 10, rack));
    assert_eq!((error, end, bytes), (ErrorCode::None, 10, 0));

    // What is deleted at the leader is gone here, too.
    let partition = DeleteRecordsPartition::default().with_offset(4);
    let topic = DeleteRecordsTopic::default().with_name(name(&nearby.topic)).with_partitions(vec![partition]);
    let delete = DeleteRecordsRequest::default().with_timeout_ms(30_000).with_topics(vec![topic]);
    assert_eq!(ask(nearby.broker(leader), 2, &delete).topics[0].partitions[0].error_code, 0);
    wait_until("deleted at the follower", || {
        nearby.told(near, NEWEST, &nearby.fetch(NEWEST, 3, rack)).0 == ErrorCode::OffsetOutOfRange
    });
    assert_eq!(nearby.asked(near, NEWEST, &nearby.fetch(NEWEST, 4, rack)).log_start_offset, 4);

    // Offsets are the leader's to tell, unless this very replica is asked (replica id -2).
    for (asking, expected) in [(-1, (ErrorCode::NotLeaderOrFollower, -1)), (-2, (ErrorCode::None, 10))] {
        let latest = ListOffsetsPartition::default().with_timestamp(-1).with_current_leader_epoch(-1);
        let topic = ListOffsetsTopic::default().with_name(name(&nearby.topic)).with_partitions(vec![latest]);
        let request = ListOffsetsRequest::default().with_replica_id(BrokerId(asking)).with_topics(vec![topic]);
        let told = ask(nearby.broker(near), 7, &request).topics[0].partitions[0].clone();
        assert_eq!((ErrorCode::from_code(told.error_code), told.offset), expected);
    }
}

/// From which broker librdkafka says to read.
#[derive(Default)]
struct ReadsFrom(Mutex<Option<i32>>);

impl ClientContext for ReadsFrom {
    fn stats(&self, statistics: Statistics) {
        let mut partitions = statistics.topics.values().filter_map(|topic| topic.partitions.get(&0));
        *self.0.lock().unwrap() = partitions.next().map(|partition| partition.broker);
    }
}

impl ConsumerContext for ReadsFrom {}

/// Polls until so many messages were read, and until the consumer reads from that broker.
fn read(consumer: &BaseConsumer<ReadsFrom>, count: usize, from: usize) -> Vec<OwnedMessage> {
    let mut taken = Vec::new();
    wait_until(&format!("{count} messages, and reading from broker {from}"), || {
        while let Some(polled) = consumer.poll(Duration::from_millis(50)) {
            // Connections that break are none of a consumer's business.
            taken.extend(polled.ok().map(|message| message.detach()));
        }
        taken.len() >= count && *consumer.context().0.lock().unwrap() == Some(from as i32)
    });
    taken
}

#[test]
fn librdkafka_reads_in_its_rack_goes_on_at_the_leader_when_that_replica_dies_and_comes_back() {
    let mut nearby = Nearby::start(100);
    let mut config = config(&nearby.cluster.addresses());
    config.set("group.id", "none").set("client.rack", nearby.rack()).set("statistics.interval.ms", "100");
    let consumer: BaseConsumer<ReadsFrom> = config.create_with_context(ReadsFrom::default()).unwrap();
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(&nearby.topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&assignment).unwrap();

    let mut offsets = Vec::new();
    let (near, leader) = (nearby.near, nearby.leader);
    offsets.extend(read(&consumer, 100, near).iter().map(OwnedMessage::offset));
    nearby.cluster.broker(near).kill().unwrap();
    nearby.produce(100);
    offsets.extend(read(&consumer, 100, leader).iter().map(OwnedMessage::offset));
    nearby.cluster.broker(near).restart().unwrap();
    nearby.produce(100);
    offsets.extend(read(&consumer, 100, near).iter().map(OwnedMessage::offset));
    assert_eq!(offsets, (0..300).collect::<Vec<i64>>(), "each record once, in order");
}

#[test]
fn kafkas_consumer_reads_in_its_rack_and_goes_on_at_the_leader_when_that_replica_dies() {
    let mut nearby = Nearby::start(100);
    let (bootstrap, rack) = (nearby.cluster.addresses(), format!("client.rack={}", nearby.rack()));
    let mut reader = kafka_tool("consumer.ConsoleConsumer")
        .args(["--bootstrap-server", &bootstrap, "--topic", &nearby.topic, "--from-beginning"])
        .args(["--formatter-property", "print.offset=true", "--command-property", &rack])
        .args(["--command-property", "reconnect.backoff.ms=20", "--command-property", "group.id=nearby"])
        .spawn();
    // The leader gives no records to a consumer in this rack, so they came from the replica there.
    reader.wait_for_lines("Offset:", 100, LIMIT).unwrap();
    nearby.wait_until_sent_there();
    nearby.cluster.broker(nearby.near).kill().unwrap();
    nearby.produce(100);
    let lines = reader.wait_for_lines("Offset:", 200, LIMIT).unwrap();
    let offsets: Vec<usize> = lines.iter().map(|line| line[7..].split('\t').next().unwrap().parse().unwrap()).collect();
    assert_eq!(offsets, (0..200).collect::<Vec<usize>>(), "each record once, in order");
}
