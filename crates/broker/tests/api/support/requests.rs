//! Requests that many scenarios send, in the form of the version given.

use bytes::Bytes;
use model::ErrorCode;
use wire::StrBytes;
use wire::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use wire::messages::fetch_request::{FetchPartition, FetchTopic, ReplicaState};
use wire::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use wire::messages::metadata_request::MetadataRequestTopic;
use wire::messages::produce_request::{PartitionProduceData, TopicProduceData};
use wire::messages::{
    BrokerId, DeleteRecordsRequest, DescribeGroupsRequest, FetchRequest, GroupId, ListOffsetsRequest, MetadataRequest,
    ProduceRequest, ProduceResponse, TopicName,
};

use super::records::batch;
use super::{Connection, Topic};

pub(crate) fn str_bytes(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub(crate) fn topic_name(name: &str) -> TopicName {
    TopicName(str_bytes(name))
}

/// Produce to one partition, with acks=all.
pub(crate) fn produce(
    version: i16,
    topic: &Topic,
    partition: i32,
    records: impl Into<Option<Bytes>>,
) -> ProduceRequest {
    produce_many(version, vec![(topic, partition, records.into())])
}

/// Produce to several partitions, each as a topic of its own.
pub(crate) fn produce_many(version: i16, batches: Vec<(&Topic, i32, Option<Bytes>)>) -> ProduceRequest {
    let topics = batches.into_iter().map(|(topic, partition, records)| {
        let data = PartitionProduceData::default().with_index(partition).with_records(records);
        let named = TopicProduceData::default().with_partition_data(vec![data]);
        if version < 13 { named.with_name(topic_name(&topic.name)) } else { named.with_topic_id(topic.id) }
    });
    ProduceRequest::default().with_acks(-1).with_timeout_ms(30_000).with_topic_data(topics.collect())
}

/// The error, and the offset, of the only partition of a response.
pub(crate) fn produced(response: &ProduceResponse) -> (ErrorCode, i64) {
    let partition = &response.responses[0].partition_responses[0];
    (super::error(partition.error_code), partition.base_offset)
}

/// Appends a batch for each list of values.
pub(crate) async fn append(connection: &mut Connection, topic: &Topic, partition: i32, batches: &[&[&str]]) {
    for values in batches {
        let response = connection.ask(13, &produce(13, topic, partition, batch(values))).await;
        assert_eq!(produced(&response).0, ErrorCode::None);
    }
}

/// Fetch from one partition, without a session and without waiting.
pub(crate) fn fetch(version: i16, topic: &Topic, partition: i32, offset: i64) -> FetchRequest {
    fetch_many(version, &[(topic, partition, offset)])
}

/// Fetch from several partitions, each as a topic of its own.
pub(crate) fn fetch_many(version: i16, wanted: &[(&Topic, i32, i64)]) -> FetchRequest {
    let topics = wanted.iter().map(|(topic, partition, offset)| {
        let wanted = FetchPartition::default()
            .with_partition(*partition)
            .with_fetch_offset(*offset)
            .with_current_leader_epoch(-1)
            .with_last_fetched_epoch(-1)
            .with_log_start_offset(-1)
            .with_partition_max_bytes(1 << 20);
        let named = FetchTopic::default().with_partitions(vec![wanted]);
        if version < 13 { named.with_topic(topic_name(&topic.name)) } else { named.with_topic_id(topic.id) }
    });
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_replica_state(ReplicaState::default().with_replica_id(BrokerId(-1)))
        .with_max_wait_ms(0)
        .with_min_bytes(0)
        .with_max_bytes(50 << 20)
        .with_session_id(0)
        .with_session_epoch(-1)
        .with_topics(topics.collect())
}

/// ListOffsets of one partition.
pub(crate) fn list_offsets(topic: &str, partition: i32, timestamp: i64) -> ListOffsetsRequest {
    let wanted = ListOffsetsPartition::default()
        .with_partition_index(partition)
        .with_timestamp(timestamp)
        .with_current_leader_epoch(-1);
    let topic = ListOffsetsTopic::default().with_name(topic_name(topic)).with_partitions(vec![wanted]);
    ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]).with_timeout_ms(30_000)
}

/// Whether a group's coordinator is not ready to be asked.
pub(crate) async fn is_loading(connection: &mut Connection, group: &str) -> bool {
    let request = DescribeGroupsRequest::default().with_groups(vec![GroupId(str_bytes(group))]);
    connection.ask(5, &request).await.groups[0].error_code != 0
}

/// DeleteRecords of one partition.
pub(crate) fn delete_records(topic: &str, partition: i32, offset: i64) -> DeleteRecordsRequest {
    let wanted = DeleteRecordsPartition::default().with_partition_index(partition).with_offset(offset);
    let topic = DeleteRecordsTopic::default().with_name(topic_name(topic)).with_partitions(vec![wanted]);
    DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000)
}

/// Metadata of some topics by name, without creating them.
pub(crate) fn metadata(names: &[&str]) -> MetadataRequest {
    let topics = names.iter().map(|name| MetadataRequestTopic::default().with_name(Some(topic_name(name))));
    MetadataRequest::default().with_topics(Some(topics.collect())).with_allow_auto_topic_creation(false)
}
