//! OffsetDelete (key 47).

use bytes::Bytes;
use model::ErrorCode;
use wire::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use wire::messages::offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use wire::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use wire::messages::{GroupId, OffsetCommitRequest, OffsetDeleteRequest, OffsetDeleteResponse, OffsetFetchRequest};

use crate::support::groups::{JOIN, SYNC, join, protocol, sync};
use crate::support::requests::{str_bytes, topic_name};
use crate::support::{Connection, Target, error};

/// Commits offset 0 of partitions, as an administrator does.
pub(crate) async fn commit(connection: &mut Connection, group: &str, topic: &str, partitions: &[i32]) {
    let partitions = partitions.iter().map(|partition| {
        OffsetCommitRequestPartition::default().with_partition_index(*partition).with_committed_offset(0)
    });
    let topic = OffsetCommitRequestTopic::default().with_name(topic_name(topic)).with_partitions(partitions.collect());
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(str_bytes(group)))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    let committed = connection.ask(9, &request).await;
    assert_eq!(error(committed.topics[0].partitions[0].error_code), ErrorCode::None);
}

pub(crate) async fn is_committed(connection: &mut Connection, group: &str, topic: &str, partition: i32) -> bool {
    let topic =
        OffsetFetchRequestTopics::default().with_name(topic_name(topic)).with_partition_indexes(vec![partition]);
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(GroupId(str_bytes(group)))
        .with_member_epoch(-1)
        .with_topics(Some(vec![topic]));
    let found = connection.ask(9, &OffsetFetchRequest::default().with_groups(vec![group])).await;
    found.groups[0].topics[0].partitions[0].committed_offset >= 0
}

fn request(group: &str, topics: &[(&str, &[i32])]) -> OffsetDeleteRequest {
    let topics = topics.iter().map(|(name, partitions)| {
        let partition = |index: &i32| OffsetDeleteRequestPartition::default().with_partition_index(*index);
        OffsetDeleteRequestTopic::default()
            .with_name(topic_name(name))
            .with_partitions(partitions.iter().map(partition).collect())
    });
    OffsetDeleteRequest::default().with_group_id(GroupId(str_bytes(group))).with_topics(topics.collect())
}

fn outcomes(response: &OffsetDeleteResponse, topic: &str) -> Vec<(i32, ErrorCode)> {
    let found = response.topics.iter().find(|found| found.name.as_str() == topic);
    let partitions = found.map(|topic| &topic.partitions[..]).unwrap_or_default();
    let mut outcomes: Vec<_> = partitions.iter().map(|one| (one.partition_index, error(one.error_code))).collect();
    outcomes.sort_by_key(|(partition, _)| *partition);
    outcomes
}

pub(crate) async fn offsets_are_deleted_partition_by_partition(target: Target) {
    let (topic, group) = (target.topic_with("a", 3, &[]).await, target.name("g"));
    let nobody = target.name("nobody");
    let mut connection = target.coordinator(&group).await;
    commit(&mut connection, &group, &topic.name, &[0, 1]).await;
    let asked = request(&group, &[(&nobody, &[0]), (&topic.name, &[0, 2, 77])]);
    let response = connection.ask(0, &asked).await;
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(error(response.error_code), ErrorCode::None);
    assert_eq!(outcomes(&response, &nobody), [(0, unknown)]);
    assert_eq!(outcomes(&response, &topic.name), [(0, ErrorCode::None), (2, ErrorCode::None), (77, unknown)]);
    assert!(!is_committed(&mut connection, &group, &topic.name, 0).await);
    assert!(is_committed(&mut connection, &group, &topic.name, 1).await);
    for nothing in [&[][..], &[(&*topic.name, &[][..])]] {
        let response = connection.call(0, &request(&group, nothing)).await;
        assert_eq!((error(response.error_code), response.topics.len()), (ErrorCode::None, 0));
    }
}

pub(crate) async fn a_group_that_is_not_there_is_the_error_of_the_whole(target: Target) {
    let (topic, ghost) = (target.topic("a").await, target.name("ghost"));
    let mut connection = target.coordinator(&ghost).await;
    let nobody = target.name("nobody");
    for (group, topic, code) in [
        (&*ghost, &*topic.name, ErrorCode::GroupIdNotFound),
        (&ghost, &nobody, ErrorCode::GroupIdNotFound),
        ("", &topic.name, ErrorCode::InvalidGroupId),
    ] {
        let response = connection.call(0, &request(group, &[(topic, &[0])])).await;
        assert_eq!((error(response.error_code), response.topics.len()), (code, 0));
    }
}

pub(crate) async fn offsets_that_members_read_from_stay(target: Target) {
    let (topic, other, group) = (target.topic("a").await, target.topic("b").await, target.name("g"));
    let mut connection = target.coordinator(&group).await;
    commit(&mut connection, &group, &topic.name, &[0]).await;
    commit(&mut connection, &group, &other.name, &[0]).await;
    // A consumer's subscription: version 0, one topic, no user data.
    let name = topic.name.as_bytes();
    let length = u16::try_from(name.len()).unwrap().to_be_bytes();
    let subscription = Bytes::from([&[0, 0, 0, 0, 0, 1][..], &length, name, &[0, 0, 0, 0]].concat());
    let mut asked = join(&group, "").with_protocols(vec![protocol("range", b"").with_metadata(subscription)]);
    asked.member_id = connection.ask(JOIN, &asked).await.member_id;
    let joined = connection.ask(JOIN, &asked).await;
    let member = asked.member_id.to_string();
    connection.ask(SYNC, &sync(&group, &member, joined.generation_id, &[(&member, b"all")])).await;
    let response = connection.call(0, &request(&group, &[(&topic.name, &[0]), (&other.name, &[0])])).await;
    assert_eq!(outcomes(&response, &topic.name), [(0, ErrorCode::GroupSubscribedToTopic)]);
    assert_eq!(outcomes(&response, &other.name), [(0, ErrorCode::None)]);
    assert!(is_committed(&mut connection, &group, &topic.name, 0).await);
    assert!(!is_committed(&mut connection, &group, &other.name, 0).await);
}

scenarios! {
    offsets_are_deleted_partition_by_partition
    a_group_that_is_not_there_is_the_error_of_the_whole
    offsets_that_members_read_from_stay
}
