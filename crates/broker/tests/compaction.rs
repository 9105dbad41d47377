//! Compaction as clients see it: in one thread, with a clock that stands still while anything is to be done.
#![allow(clippy::unwrap_used, reason = "a step that fails is the test's failure")]

mod in_process;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use broker::Running;
use bytes::Bytes;
use disk::SimDisk;
use record::{BatchBuilder, BatchView, Records};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use wire::StrBytes;
use wire::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use wire::messages::fetch_request::{FetchPartition, FetchTopic};
use wire::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use wire::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use wire::messages::produce_request::{PartitionProduceData, TopicProduceData};
use wire::messages::{
    BrokerId, CreateTopicsRequest, FetchRequest, FindCoordinatorRequest, GroupId, ListOffsetsRequest,
    OffsetCommitRequest, OffsetFetchRequest, ProduceRequest, Request, TopicName,
};

async fn start(disk: &SimDisk) -> (Running, Client) {
    let settings = ["offsets.topic.num.partitions=1", "offsets.topic.segment.bytes=1048576", "shards.per.broker=1"];
    let broker = in_process::start(disk, &settings).await;
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    broker.attach(theirs, SocketAddr::from(([127, 0, 0, 1], 1)));
    (broker, Client(ours))
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn name(topic: &str) -> TopicName {
    TopicName(text(topic))
}

/// Key and value of a record, by its offset.
type Content = BTreeMap<i64, (String, Option<String>)>;

/// A client.
struct Client(DuplexStream);

impl Client {
    async fn ask<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        let mut frame = wire::encode_request(version, 1, Some("a test"), request).unwrap();
        self.0.write_all_buf(&mut frame).await.unwrap();
        let length = self.0.read_u32().await.unwrap();
        let mut answer = vec![0; length as usize];
        self.0.read_exact(&mut answer).await.unwrap();
        wire::decode_response::<R>(version, Bytes::from(answer)).unwrap()
    }

    async fn create(&mut self, topic: &str, settings: &[(&str, &str)]) {
        let configs = settings
            .iter()
            .map(|(key, value)| CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value))))
            .collect();
        let wanted = CreatableTopic::default()
            .with_name(name(topic))
            .with_num_partitions(1)
            .with_replication_factor(1)
            .with_configs(configs);
        let request = CreateTopicsRequest::default().with_topics(vec![wanted]).with_timeout_ms(30_000);
        assert_eq!(self.ask(7, &request).await.topics[0].error_code, 0);
    }

    /// A batch of one record, and the error.
    async fn produce(&mut self, topic: &str, key: Option<&str>, value: Option<&str>) -> i16 {
        let now_ms = model::Clock::now_ms(&model::SystemClock);
        let batch = BatchBuilder::new().record(now_ms, key.map(str::as_bytes), value.map(str::as_bytes));
        let data = PartitionProduceData::default().with_records(Some(batch.build().unwrap()));
        let data = TopicProduceData::default().with_name(name(topic)).with_partition_data(vec![data]);
        let request = ProduceRequest::default().with_acks(-1).with_timeout_ms(30_000).with_topic_data(vec![data]);
        self.ask(12, &request).await.responses[0].partition_responses[0].error_code
    }

    /// All records of a topic's only partition, read as consumers do.
    async fn records(&mut self, topic: &str) -> Content {
        let (mut content, mut next) = (Content::new(), 0);
        loop {
            let wanted = FetchPartition::default().with_fetch_offset(next).with_partition_max_bytes(1000);
            let wanted = wanted.with_current_leader_epoch(-1);
            let wanted = FetchTopic::default().with_topic(name(topic)).with_partitions(vec![wanted]);
            let request = FetchRequest::default()
                .with_replica_id(BrokerId(-1))
                .with_max_bytes(1 << 20)
                .with_session_epoch(-1)
                .with_topics(vec![wanted]);
            let response = self.ask(12, &request).await;
            let partition = &response.responses[0].partitions[0];
            assert_eq!(partition.error_code, 0);
            let mut rest = &partition.records.clone().unwrap_or_default()[..];
            if rest.is_empty() {
                assert_eq!(next, partition.high_watermark, "a reader gets to the end");
                return content;
            }
            while !rest.is_empty() {
                let Ok((batch, after)) = BatchView::split_first(rest) else { break };
                for record in &Records::of(&batch, 1 << 20).unwrap() {
                    let record = record.unwrap();
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    let key = record.key.map(text).unwrap_or_default();
                    content.insert(record.offset, (key, record.value.map(text)));
                }
                (next, rest) = (batch.last_offset() + 1, after);
            }
        }
    }

    async fn commit(&mut self, group: &str, offset: i64) {
        let partition = OffsetCommitRequestPartition::default()
            .with_committed_offset(offset)
            .with_committed_leader_epoch(-1)
            .with_committed_metadata(Some(text(&"m".repeat(4000))));
        let topic = OffsetCommitRequestTopic::default().with_name(name("events")).with_partitions(vec![partition]);
        let request = OffsetCommitRequest::default()
            .with_group_id(GroupId(text(group)))
            .with_generation_id_or_member_epoch(-1)
            .with_topics(vec![topic]);
        assert_eq!(self.ask(8, &request).await.topics[0].partitions[0].error_code, 0);
    }

    async fn committed(&mut self, group: &str) -> i64 {
        let topic = OffsetFetchRequestTopics::default().with_name(name("events")).with_partition_indexes(vec![0]);
        let group = OffsetFetchRequestGroup::default()
            .with_group_id(GroupId(text(group)))
            .with_member_epoch(-1)
            .with_topics(Some(vec![topic]));
        let request = OffsetFetchRequest::default().with_groups(vec![group]);
        self.ask(8, &request).await.groups[0].topics[0].partitions[0].committed_offset
    }

    async fn find_coordinator(&mut self, group: &str) {
        let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![text(group)]);
        while self.ask(4, &request).await.coordinators[0].error_code != 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Waits, an hour at most by the clock of these tests.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..3600 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("it has not come to that within an hour");
}

fn last_values(content: &Content) -> BTreeMap<String, Option<String>> {
    content.values().cloned().collect()
}

#[tokio::test(start_paused = true)]
async fn a_compacted_topic_keeps_the_last_value_of_each_key_over_restarts() {
    let disk = SimDisk::new(0);
    let (broker, mut client) = start(&disk).await;
    let settings = [
        ("cleanup.policy", "compact"),
        ("internal.segment.bytes", "2000"),
        ("min.cleanable.dirty.ratio", "0.01"),
        ("delete.retention.ms", "0"),
        ("file.delete.delay.ms", "0"),
    ];
    client.create("events", &settings).await;
    assert_eq!(client.produce("events", None, Some("no key")).await, 87);
    for round in 0..40 {
        for key in 0..10 {
            let value = format!("{round}{}", "x".repeat(50));
            assert_eq!(client.produce("events", Some(&format!("key {key}")), Some(&value)).await, 0);
        }
        if round == 20 {
            client.produce("events", Some("deleted"), Some("once")).await;
            client.produce("events", Some("deleted"), None).await;
        }
    }
    let before = client.records("events").await;
    let mut compacted = Content::new();
    until(async || {
        compacted = client.records("events").await;
        // What is left is one record a key, and the active segment.
        compacted.len() <= 10 + 2000 / 100 && !compacted.values().any(|(key, _)| key == "deleted")
    })
    .await;
    assert!(compacted.iter().all(|(offset, record)| before[offset] == *record), "each stays where it was");
    let mut expected = last_values(&before);
    expected.remove("deleted");
    assert_eq!(last_values(&compacted), expected);

    // Garbage goes, and with it the old files.
    tokio::time::sleep(Duration::from_secs(5)).await;
    broker.stop().await;
    let (broker, mut client) = start(&disk).await;
    assert_eq!(client.records("events").await, compacted);
    assert_eq!(client.produce("events", Some("key 1"), Some("new")).await, 0);
    broker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_compacted_topic_that_also_deletes_and_one_that_does_neither() {
    let (broker, mut client) = start(&SimDisk::new(0)).await;
    for (topic, policy) in [("both", "compact,delete"), ("neither", "")] {
        let settings = [("cleanup.policy", policy), ("internal.segment.bytes", "500"), ("retention.bytes", "1000")];
        client.create(topic, &settings).await;
        for value in 0..40 {
            let value = format!("{value}{}", "x".repeat(50));
            assert_eq!(client.produce(topic, Some(&format!("key {value}")), Some(&value)).await, 0);
        }
    }
    assert_eq!(client.produce("both", None, Some("no key")).await, 87);
    assert_eq!(client.produce("neither", None, Some("no key")).await, 0);
    let earliest = |topic: &str| {
        let wanted = wire::messages::list_offsets_request::ListOffsetsPartition::default()
            .with_timestamp(-2)
            .with_current_leader_epoch(-1);
        let topic = wire::messages::list_offsets_request::ListOffsetsTopic::default()
            .with_name(name(topic))
            .with_partitions(vec![wanted]);
        ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic])
    };
    until(async || client.ask(7, &earliest("both")).await.topics[0].partitions[0].offset > 0).await;
    assert_eq!(client.ask(7, &earliest("neither")).await.topics[0].partitions[0].offset, 0);
    assert_eq!(client.records("neither").await.len(), 41);
    broker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_topic_of_group_offsets_does_not_grow_for_ever_and_loses_no_offset() {
    let disk = SimDisk::new(0);
    let (broker, mut client) = start(&disk).await;
    client.create("events", &[]).await;
    client.find_coordinator("readers").await;
    client.commit("early", 7).await;
    for offset in 0..600 {
        client.commit(if offset % 2 == 0 { "even" } else { "odd" }, offset).await;
    }
    until(async || client.records("__consumer_offsets").await.len() < 300).await;
    let offsets = [("early", 7), ("even", 598), ("odd", 599)];
    for (group, offset) in offsets {
        assert_eq!(client.committed(group).await, offset);
    }
    broker.stop().await;
    let (broker, mut client) = start(&disk).await;
    client.find_coordinator("readers").await;
    for (group, offset) in offsets {
        assert_eq!(client.committed(group).await, offset, "after a restart");
    }
    client.commit("even", 1000).await;
    assert_eq!(client.committed("even").await, 1000);
    broker.stop().await;
}
