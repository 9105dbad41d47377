//! OffsetCommit (key 8).

use model::ErrorCode;
use uuid::Uuid;
use wire::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use wire::messages::{GroupId, OffsetCommitRequest, OffsetCommitResponse};

use crate::offset_fetch::{committed, fetch_offsets};
use crate::support::groups::{Member, join_as, sync};
use crate::support::requests::{str_bytes, topic_name};
use crate::support::{Target, Topic, error};

const NEWEST: i16 = 10;

/// A commit of one partition by nobody in particular.
pub(crate) fn commit(version: i16, group: &str, topic: &Topic, partition: i32, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(partition)
        .with_committed_offset(offset)
        .with_committed_leader_epoch(-1)
        .with_committed_metadata(Some(str_bytes("said")));
    let named = OffsetCommitRequestTopic::default().with_partitions(vec![partition]);
    let named = match version {
        ..10 => named.with_name(topic_name(&topic.name)),
        10.. => named.with_topic_id(topic.id),
    };
    OffsetCommitRequest::default()
        .with_group_id(GroupId(str_bytes(group)))
        .with_generation_id_or_member_epoch(-1)
        .with_retention_time_ms(-1)
        .with_topics(vec![named])
}

fn by(request: OffsetCommitRequest, member: &str, generation: i32) -> OffsetCommitRequest {
    request.with_member_id(str_bytes(member)).with_generation_id_or_member_epoch(generation)
}

fn only(response: &OffsetCommitResponse) -> ErrorCode {
    error(response.topics[0].partitions[0].error_code)
}

pub(crate) async fn every_version_commits(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let mut connection = target.coordinator(&group).await;
    for version in 2..=NEWEST {
        let response = connection.call(version, &commit(version, &group, &topic, 0, i64::from(version))).await;
        assert_eq!(only(&response), ErrorCode::None);
        let found = connection.call(9, &fetch_offsets(9, &group, Some(&[(&topic, 0)]))).await;
        assert_eq!(committed(&found), (ErrorCode::None, i64::from(version), "said".to_owned()));
    }
}

pub(crate) async fn any_offset_may_be_committed(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let mut connection = target.coordinator(&group).await;
    for offset in [0, 7, i64::MAX, -1, -5] {
        let response = connection.call(9, &commit(9, &group, &topic, 0, offset)).await;
        target.transcript.note(format!("{offset}: {:?}", only(&response)));
        let found = connection.call(9, &fetch_offsets(9, &group, Some(&[(&topic, 0)]))).await;
        target.transcript.note(format!("{:?}", committed(&found)));
    }
}

pub(crate) async fn what_is_not_there_is_unknown(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let nobody = Topic { name: target.name("nobody"), id: Uuid::from_u128(77) };
    let mut connection = target.coordinator(&group).await;
    for (version, topic, partition, expected) in [
        (2, &nobody, 0, ErrorCode::UnknownTopicOrPartition),
        (9, &nobody, 0, ErrorCode::UnknownTopicOrPartition),
        (9, &topic, 1, ErrorCode::UnknownTopicOrPartition),
        (10, &nobody, 0, ErrorCode::UnknownTopicId),
        (10, &topic, 1, ErrorCode::UnknownTopicOrPartition),
    ] {
        let response = connection.call(version, &commit(version, &group, topic, partition, 5)).await;
        assert_eq!(only(&response), expected, "version {version}");
    }
}

pub(crate) async fn each_partition_stands_or_falls_by_itself(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let nobody = Topic { name: target.name("nobody"), id: Uuid::from_u128(77) };
    let mut connection = target.coordinator(&group).await;
    let mut request = commit(9, &group, &topic, 0, 5);
    request.topics[0].partitions.push(OffsetCommitRequestPartition::default().with_partition_index(9));
    request.topics.extend(commit(9, &group, &nobody, 0, 5).topics);
    let response = connection.ask(9, &request).await;
    let mut errors: Vec<_> = response
        .topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|p| (topic.name.to_string(), p.partition_index, p.error_code)))
        .collect();
    errors.sort();
    assert_eq!(errors, [(topic.name.clone(), 0, 0), (topic.name.clone(), 9, 3), (nobody.name.clone(), 0, 3)]);
}

pub(crate) async fn metadata_is_bounded(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let mut connection = target.coordinator(&group).await;
    for (length, expected) in [(4096, ErrorCode::None), (4097, ErrorCode::OffsetMetadataTooLarge)] {
        for version in [2, NEWEST] {
            let mut request = commit(version, &group, &topic, 0, 5);
            request.topics[0].partitions[0].committed_metadata = Some(str_bytes(&"x".repeat(length)));
            assert_eq!(only(&connection.call(version, &request).await), expected);
        }
    }
    let mut request = commit(9, &group, &topic, 0, 6);
    request.topics[0].partitions[0].committed_metadata = None;
    assert_eq!(only(&connection.call(9, &request).await), ErrorCode::None);
    let found = connection.call(9, &fetch_offsets(9, &group, Some(&[(&topic, 0)]))).await;
    assert_eq!(committed(&found), (ErrorCode::None, 6, String::new()), "none is told as empty");
}

pub(crate) async fn the_leader_epoch_is_kept(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let mut connection = target.coordinator(&group).await;
    for (version, epoch) in [(6, 3), (NEWEST, 4), (6, -1)] {
        let mut request = commit(version, &group, &topic, 0, 5);
        request.topics[0].partitions[0].committed_leader_epoch = epoch;
        connection.call(version, &request).await;
        let found = connection.call(9, &fetch_offsets(9, &group, Some(&[(&topic, 0)]))).await;
        assert_eq!(found.groups[0].topics[0].partitions[0].committed_leader_epoch, epoch);
    }
}

pub(crate) async fn members_are_fenced(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let mut member = Member::alone(&target, &group).await;
    let own = member.id.clone();
    for version in [2, 8, 9, NEWEST] {
        for (id, generation, expected) in [
            (&*own, 1, ErrorCode::None),
            (&*own, 0, ErrorCode::IllegalGeneration),
            (&*own, 2, ErrorCode::IllegalGeneration),
            ("somebody", 1, ErrorCode::UnknownMemberId),
            ("", -1, ErrorCode::UnknownMemberId),
        ] {
            let request = by(commit(version, &group, &topic, 0, 5), id, generation);
            let response = member.connection.call(version, &request).await;
            assert_eq!(only(&response), expected, "{id} {generation}, version {version}");
        }
    }
}

pub(crate) async fn a_generation_of_an_unknown_group_is_told(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let mut connection = target.coordinator(&group).await;
    for version in 2..=NEWEST {
        let request = by(commit(version, &group, &topic, 0, 5), "somebody", 3);
        let expected = if version < 9 { ErrorCode::IllegalGeneration } else { ErrorCode::GroupIdNotFound };
        assert_eq!(only(&connection.call(version, &request).await), expected, "version {version}");
    }
}

pub(crate) async fn an_empty_group_is_nobodys_and_everybodys(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let mut connection = target.coordinator(&group).await;
    connection.call(9, &commit(9, &group, &topic, 0, 5)).await;
    for version in [2, NEWEST] {
        let request = by(commit(version, &group, &topic, 0, 6), "somebody", 3);
        let response = connection.call(version, &request).await;
        target.transcript.note(format!("{:?}", only(&response)));
        let request = by(commit(version, &group, &topic, 0, 6), "somebody", -1);
        assert_eq!(only(&connection.call(version, &request).await), ErrorCode::None);
    }
}

pub(crate) async fn a_rebalance_does_not_keep_members_from_committing(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let mut member = Member::alone(&target, &group).await;
    let mut other = Member::pending(&target, &group).await;
    other.begin_join().await;
    member.heartbeat_while(ErrorCode::None).await;
    let request = by(commit(9, &group, &topic, 0, 5), &member.id, 1);
    assert_eq!(only(&member.connection.call(9, &request).await), ErrorCode::None, "what it owned until now");
    member.join().await;
    other.joined().await;
    let request = by(commit(9, &group, &topic, 0, 6), &member.id, 2);
    let refused = only(&member.connection.call(9, &request).await);
    assert_eq!(refused, ErrorCode::RebalanceInProgress, "until it has its assignment");
}

pub(crate) async fn a_static_member_that_was_replaced_is_fenced(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let mut connection = target.coordinator(&group).await;
    let first = connection.call(9, &join_as(&group, "", "one")).await.member_id.to_string();
    let all = sync(&group, &first, 1, &[(&first, b"all")]).with_group_instance_id(Some(str_bytes("one")));
    connection.call(5, &all).await;
    let second = connection.call(9, &join_as(&group, "", "one")).await.member_id.to_string();
    for version in [7, NEWEST] {
        for (id, instance, expected) in [
            (&first, "one", ErrorCode::FencedInstanceId),
            (&second, "one", ErrorCode::None),
            (&second, "two", ErrorCode::UnknownMemberId),
        ] {
            let request = by(commit(version, &group, &topic, 0, 5), id, 1);
            let request = request.with_group_instance_id(Some(str_bytes(instance)));
            assert_eq!(only(&connection.call(version, &request).await), expected);
        }
    }
}

pub(crate) async fn a_group_without_a_name_keeps_offsets(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.coordinator("").await;
    for version in [2, 9] {
        let response = connection.call(version, &commit(version, "", &topic, 0, 5)).await;
        target.transcript.note(format!("{:?}", only(&response)));
        let found = connection.call(9, &fetch_offsets(9, "", Some(&[(&topic, 0)]))).await;
        target.transcript.note(format!("{:?}", committed(&found)));
    }
}

pub(crate) async fn a_commit_of_nothing_is_answered(target: Target) {
    let group = target.name("g");
    let mut connection = target.coordinator(&group).await;
    for version in [2, NEWEST] {
        let request = OffsetCommitRequest::default()
            .with_group_id(GroupId(str_bytes(&group)))
            .with_generation_id_or_member_epoch(-1)
            .with_retention_time_ms(-1);
        assert!(connection.call(version, &request).await.topics.is_empty());
    }
}

scenarios! {
    every_version_commits
    any_offset_may_be_committed
    what_is_not_there_is_unknown
    each_partition_stands_or_falls_by_itself
    metadata_is_bounded
    the_leader_epoch_is_kept
    members_are_fenced
    a_generation_of_an_unknown_group_is_told
    an_empty_group_is_nobodys_and_everybodys
    a_rebalance_does_not_keep_members_from_committing
    a_static_member_that_was_replaced_is_fenced
    a_group_without_a_name_keeps_offsets
    a_commit_of_nothing_is_answered
}
