//! OffsetFetch (key 9).

use model::ErrorCode;
use uuid::Uuid;
use wire::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use wire::messages::{GroupId, OffsetFetchRequest, OffsetFetchResponse};

use crate::offset_commit::commit;
use crate::support::groups::Member;
use crate::support::requests::{str_bytes, topic_name};
use crate::support::{Target, Topic, a_moment, error};

const NEWEST: i16 = 10;

/// OffsetFetch of one group: some partitions, or all that it has.
pub(crate) fn fetch_offsets(version: i16, group: &str, wanted: Option<&[(&Topic, i32)]>) -> OffsetFetchRequest {
    let group = GroupId(str_bytes(group));
    if version < 8 {
        let topic = |(topic, partition): &(&Topic, i32)| {
            OffsetFetchRequestTopic::default()
                .with_name(topic_name(&topic.name))
                .with_partition_indexes(vec![*partition])
        };
        let topics = wanted.map(|wanted| wanted.iter().map(topic).collect());
        return OffsetFetchRequest::default().with_group_id(group).with_topics(topics);
    }
    let topic = |(topic, partition): &(&Topic, i32)| {
        let named = OffsetFetchRequestTopics::default().with_partition_indexes(vec![*partition]);
        if version < 10 { named.with_name(topic_name(&topic.name)) } else { named.with_topic_id(topic.id) }
    };
    let topics = wanted.map(|wanted| wanted.iter().map(topic).collect());
    let group = OffsetFetchRequestGroup::default().with_group_id(group).with_member_epoch(-1).with_topics(topics);
    OffsetFetchRequest::default().with_groups(vec![group])
}

/// Error, offset and metadata of the only partition.
pub(crate) fn committed(response: &OffsetFetchResponse) -> (ErrorCode, i64, String) {
    let partition = &response.groups[0].topics[0].partitions[0];
    let metadata = partition.metadata.as_ref().map_or_else(|| "null".to_owned(), ToString::to_string);
    (error(partition.error_code), partition.committed_offset, metadata)
}

const NOTHING: (ErrorCode, i64, String) = (ErrorCode::None, -1, String::new());

pub(crate) async fn every_version_finds_what_was_committed(target: Target) {
    let (topic, group) = (target.topic_with("a", 2, &[]).await, target.name("g"));
    let mut connection = target.coordinator(&group).await;
    connection.ask(9, &commit(9, &group, &topic, 0, 5)).await;
    for version in 1..=NEWEST {
        let found = connection.call(version, &fetch_offsets(version, &group, Some(&[(&topic, 0)]))).await;
        assert_eq!(committed(&found), (ErrorCode::None, 5, "said".to_owned()));
        assert_eq!(error(found.groups[0].error_code), ErrorCode::None);
        let found = connection.call(version, &fetch_offsets(version, &group, Some(&[(&topic, 1)]))).await;
        assert_eq!(committed(&found), NOTHING, "nothing was committed there");
    }
}

pub(crate) async fn all_that_was_committed_is_asked_for_by_null(target: Target) {
    let (topic, group) = (target.topic_with("a", 3, &[]).await, target.name("g"));
    let mut connection = target.coordinator(&group).await;
    for version in 2..=NEWEST {
        let found = connection.call(version, &fetch_offsets(version, &group, None)).await;
        assert!(found.groups[0].topics.is_empty());
    }
    connection.ask(9, &commit(9, &group, &topic, 0, 5)).await;
    connection.ask(9, &commit(9, &group, &topic, 2, 7)).await;
    for version in 2..=NEWEST {
        let found = connection.ask(version, &fetch_offsets(version, &group, None)).await;
        let mut offsets: Vec<_> =
            found.groups[0].topics[0].partitions.iter().map(|p| (p.partition_index, p.committed_offset)).collect();
        offsets.sort_unstable();
        assert_eq!(offsets, [(0, 5), (2, 7)]);
        assert_eq!(found.groups[0].topics[0].topic_id, if version < 10 { Uuid::nil() } else { topic.id });
    }
    let nothing = connection.call(9, &fetch_offsets(9, &group, Some(&[]))).await;
    assert!(nothing.groups[0].topics.is_empty(), "an empty list asks for nothing");
}

pub(crate) async fn a_group_that_is_not_there_has_committed_nothing(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("nobody"));
    let mut connection = target.coordinator(&group).await;
    for version in 1..=NEWEST {
        let found = connection.call(version, &fetch_offsets(version, &group, Some(&[(&topic, 0)]))).await;
        assert_eq!(committed(&found), NOTHING);
    }
}

pub(crate) async fn a_topic_that_is_not_there_has_no_offsets(target: Target) {
    let group = target.name("g");
    let nobody = Topic { name: target.name("nobody"), id: Uuid::from_u128(77) };
    let mut connection = target.coordinator(&group).await;
    for version in [1, 7, 8, 9] {
        let found = connection.call(version, &fetch_offsets(version, &group, Some(&[(&nobody, 0)]))).await;
        assert_eq!(committed(&found), NOTHING, "version {version}");
    }
    let found = connection.call(NEWEST, &fetch_offsets(NEWEST, &group, Some(&[(&nobody, 0)]))).await;
    assert_eq!(committed(&found).0, ErrorCode::UnknownTopicId);
}

pub(crate) async fn several_groups_are_answered_one_by_one(target: Target) {
    let topic = target.topic("a").await;
    let (one, two) = (target.name("one"), target.name("two"));
    let mut connection = target.coordinator(&one).await;
    target.coordinator(&two).await;
    connection.ask(9, &commit(9, &one, &topic, 0, 1)).await;
    connection.ask(9, &commit(9, &two, &topic, 0, 2)).await;
    for version in 8..=NEWEST {
        let mut request = fetch_offsets(version, &one, Some(&[(&topic, 0)]));
        request.groups.extend(fetch_offsets(version, &two, None).groups);
        request.groups.extend(fetch_offsets(version, &target.name("nobody"), None).groups);
        let response = connection.call(version, &request).await;
        let found: Vec<_> = response
            .groups
            .iter()
            .map(|group| {
                let offset = group.topics.first().map(|topic| topic.partitions[0].committed_offset);
                (error(group.error_code), offset)
            })
            .collect();
        assert_eq!(found, [(ErrorCode::None, Some(1)), (ErrorCode::None, Some(2)), (ErrorCode::None, None)]);
    }
}

pub(crate) async fn members_are_checked_from_version_9_on(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let mut member = Member::alone(&target, &group).await;
    let own = member.id.clone();
    for version in [9, NEWEST] {
        for (id, epoch) in [(Some(&*own), 1), (Some(&*own), 7), (Some("somebody"), 1), (None, -1), (Some(""), -1)] {
            let mut request = fetch_offsets(version, &group, Some(&[(&topic, 0)]));
            request.groups[0].member_id = id.map(str_bytes);
            request.groups[0].member_epoch = epoch;
            let response = member.connection.call(version, &request).await;
            target.transcript.note(format!("{epoch} {:?}", error(response.groups[0].error_code)));
        }
    }
}

pub(crate) async fn offsets_of_open_transactions_may_be_waited_for(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let mut connection = target.coordinator(&group).await;
    connection.ask(9, &commit(9, &group, &topic, 0, 5)).await;
    for version in 7..=NEWEST {
        let request = fetch_offsets(version, &group, Some(&[(&topic, 0)])).with_require_stable(true);
        assert_eq!(committed(&connection.call(version, &request).await).1, 5, "there is none");
    }
}

pub(crate) async fn offsets_go_with_their_topic(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let mut connection = target.coordinator(&group).await;
    connection.ask(9, &commit(9, &group, &topic, 0, 5)).await;
    target.delete(&topic).await;
    let left = loop {
        let found = connection.ask(9, &fetch_offsets(9, &group, Some(&[(&topic, 0)]))).await;
        if committed(&found).1 == -1 {
            break found;
        }
        a_moment().await;
    };
    assert_eq!(committed(&left), NOTHING);
}

pub(crate) async fn a_group_without_a_name(target: Target) {
    let topic = target.topic("b").await;
    let mut connection = target.coordinator("").await;
    for version in [1, 7, 8, NEWEST] {
        connection.call(version, &fetch_offsets(version, "", Some(&[(&topic, 0)]))).await;
    }
}

scenarios! {
    every_version_finds_what_was_committed
    all_that_was_committed_is_asked_for_by_null
    a_group_that_is_not_there_has_committed_nothing
    a_topic_that_is_not_there_has_no_offsets
    several_groups_are_answered_one_by_one
    members_are_checked_from_version_9_on
    offsets_of_open_transactions_may_be_waited_for
    offsets_go_with_their_topic
    a_group_without_a_name
}
