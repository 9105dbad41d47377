//! OffsetForLeaderEpoch (key 23).

use model::ErrorCode;
use wire::messages::offset_for_leader_epoch_request::{OffsetForLeaderPartition, OffsetForLeaderTopic};
use wire::messages::{BrokerId, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

use crate::support::requests::{append, topic_name};
use crate::support::{Target, error};

const NEWEST: i16 = 4;

fn request(topic: &str, partition: i32, current: i32, epoch: i32) -> OffsetForLeaderEpochRequest {
    let partition = OffsetForLeaderPartition::default()
        .with_partition(partition)
        .with_current_leader_epoch(current)
        .with_leader_epoch(epoch);
    let topic = OffsetForLeaderTopic::default().with_topic(topic_name(topic)).with_partitions(vec![partition]);
    OffsetForLeaderEpochRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic])
}

fn only(response: &OffsetForLeaderEpochResponse) -> (ErrorCode, i32, i64) {
    let partition = &response.topics[0].partitions[0];
    (error(partition.error_code), partition.leader_epoch, partition.end_offset)
}

pub(crate) async fn every_version_finds_the_end_of_the_current_epoch(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let current = connection.current_epoch(&topic).await;
    let empty = connection.call(NEWEST, &request(&topic.name, 0, -1, current)).await;
    assert_eq!(only(&empty), (ErrorCode::None, current, 0));
    append(&mut connection, &topic, 0, &[&["a", "b"]]).await;
    for version in 2..=NEWEST {
        let response = connection.call(version, &request(&topic.name, 0, current, current)).await;
        assert_eq!(only(&response), (ErrorCode::None, current, 2));
    }
}

pub(crate) async fn an_epoch_that_never_was_has_no_end(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a"]]).await;
    let current = connection.current_epoch(&topic).await;
    for epoch in [current + 1, i32::MAX, -1] {
        let response = connection.call(NEWEST, &request(&topic.name, 0, -1, epoch)).await;
        assert_eq!(only(&response), (ErrorCode::None, -1, -1), "epoch {epoch}");
    }
}

pub(crate) async fn an_epoch_that_is_over_is_fenced(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let current = connection.current_epoch(&topic).await;
    let response = connection.call(NEWEST, &request(&topic.name, 0, current + 1, current)).await;
    assert_eq!(only(&response), (ErrorCode::UnknownLeaderEpoch, -1, -1));
}

pub(crate) async fn what_is_not_there_is_unknown(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for version in 2..=NEWEST {
        for (name, partition) in [(&target.name("nobody"), 0), (&topic.name, 1), (&topic.name, -1)] {
            let response = connection.call(version, &request(name, partition, -1, 0)).await;
            assert_eq!(only(&response), (ErrorCode::UnknownTopicOrPartition, -1, -1));
        }
    }
}

scenarios! {
    every_version_finds_the_end_of_the_current_epoch
    an_epoch_that_never_was_has_no_end
    an_epoch_that_is_over_is_fenced
    what_is_not_there_is_unknown
}
