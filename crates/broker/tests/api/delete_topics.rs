//! DeleteTopics (key 20).

use model::ErrorCode;
use uuid::Uuid;
use wire::messages::delete_topics_request::DeleteTopicState;
use wire::messages::{DeleteTopicsRequest, DeleteTopicsResponse};

use crate::support::requests::{append, list_offsets, metadata, topic_name};
use crate::support::{Connection, Target, Topic, a_moment, error};

const NEWEST: i16 = 6;

fn by_names(version: i16, names: &[&str]) -> DeleteTopicsRequest {
    let request = DeleteTopicsRequest::default().with_timeout_ms(30_000);
    let states = names.iter().map(|name| DeleteTopicState::default().with_name(Some(topic_name(name))));
    match version {
        ..6 => request.with_topic_names(names.iter().map(|name| topic_name(name)).collect()),
        6.. => request.with_topics(states.collect()),
    }
}

fn states(topics: &[(Option<&str>, Uuid)]) -> DeleteTopicsRequest {
    let states =
        topics.iter().map(|(name, id)| DeleteTopicState::default().with_name(name.map(topic_name)).with_topic_id(*id));
    DeleteTopicsRequest::default().with_timeout_ms(30_000).with_topics(states.collect())
}

/// Error and message of each topic.
fn told(response: &DeleteTopicsResponse) -> Vec<(ErrorCode, &str)> {
    let results = response.responses.iter();
    results.map(|result| (error(result.error_code), result.error_message.as_deref().unwrap_or_default())).collect()
}

async fn is_there(connection: &mut Connection, topic: &Topic) -> bool {
    let found = connection.ask(12, &metadata(&[&topic.name])).await;
    error(found.topics[0].error_code) == ErrorCode::None
}

pub(crate) async fn every_version_deletes(target: Target) {
    let mut connection = target.connect().await;
    for version in 1..=NEWEST {
        let topic = target.topic(&format!("v{version}")).await;
        let response = connection.call(version, &by_names(version, &[&topic.name])).await;
        assert_eq!(told(&response), [(ErrorCode::None, "")]);
        while is_there(&mut connection, &topic).await {
            a_moment().await;
        }
    }
}

pub(crate) async fn a_topic_is_deleted_by_its_id(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    let response = connection.call(NEWEST, &states(&[(None, topic.id)])).await;
    assert_eq!(told(&response), [(ErrorCode::None, "")]);
    let response = connection.call(NEWEST, &states(&[(None, topic.id)])).await;
    assert_eq!(told(&response), [(ErrorCode::UnknownTopicId, "This server does not host this topic ID.")]);
}

pub(crate) async fn what_is_not_there_is_unknown(target: Target) {
    let mut connection = target.connect().await;
    let name = target.name("nobody");
    for version in 1..=NEWEST {
        let response = connection.call(version, &by_names(version, &[&name])).await;
        let message = if version < 5 { "" } else { "This server does not host this topic-partition." };
        assert_eq!(told(&response), [(ErrorCode::UnknownTopicOrPartition, message)]);
    }
}

pub(crate) async fn a_topic_is_named_in_one_way(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    for (name, id, message) in [
        (Some(&*topic.name), topic.id, "You may not specify both topic name and topic id."),
        (None, Uuid::nil(), "Neither topic name nor id were specified."),
    ] {
        let response = connection.call(NEWEST, &states(&[(name, id)])).await;
        assert_eq!(told(&response), [(ErrorCode::InvalidRequest, message)]);
    }
    assert!(is_there(&mut connection, &topic).await);
}

pub(crate) async fn a_topic_named_twice_is_not_deleted(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    for version in [1, 5, NEWEST] {
        let response = connection.call(version, &by_names(version, &[&topic.name, &topic.name])).await;
        let message = if version < 5 { "" } else { "Duplicate topic name." };
        assert_eq!(told(&response), [(ErrorCode::InvalidRequest, message)]);
    }
    let (by_name, by_id) = ((Some(&*topic.name), Uuid::nil()), (None, topic.id));
    let maps_to_it = (ErrorCode::InvalidRequest, "The provided topic name maps to an ID that was already supplied.");
    let twice = (ErrorCode::InvalidRequest, "Duplicate topic id.");
    for (wanted, expected) in [
        (&[by_id, by_id][..], &[twice][..]),
        (&[by_name, by_id], &[maps_to_it]),
        (&[by_id, by_name, by_id], &[twice, maps_to_it]),
    ] {
        let mut response = connection.ask(NEWEST, &states(wanted)).await;
        // Kafka shuffles its answers.
        response.responses.sort_by_key(|result| result.name.is_some());
        target.transcript.note(format!("{response:?}"));
        assert_eq!(told(&response), expected);
    }
    assert!(is_there(&mut connection, &topic).await);
}

pub(crate) async fn without_time_nothing_is_deleted(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    let nobody = target.name("nobody");
    for version in [1, 5, NEWEST] {
        for timeout_ms in [0, -1] {
            for names in [&[&*topic.name][..], &[&nobody], &[]] {
                let request = by_names(version, names).with_timeout_ms(timeout_ms);
                let response = connection.call(version, &request).await;
                assert_eq!(told(&response), vec![(ErrorCode::RequestTimedOut, ""); names.len()]);
            }
        }
    }
    assert!(is_there(&mut connection, &topic).await);
}

pub(crate) async fn a_topic_made_anew_begins_anew(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    append(&mut connection, &topic, 0, &[&["x"]]).await;
    target.delete(&topic).await;
    let anew = target.topic("a").await;
    assert_ne!(anew.id, topic.id);
    let end = connection.call(7, &list_offsets(&anew.name, 0, -1)).await;
    assert_eq!(end.topics[0].partitions[0].offset, 0);
}

pub(crate) async fn no_topics_are_deleted_for_no_topics(target: Target) {
    let mut connection = target.connect().await;
    for version in 1..=NEWEST {
        assert!(connection.call(version, &by_names(version, &[])).await.responses.is_empty());
    }
}

scenarios! {
    every_version_deletes
    a_topic_is_deleted_by_its_id
    what_is_not_there_is_unknown
    a_topic_is_named_in_one_way
    a_topic_named_twice_is_not_deleted
    without_time_nothing_is_deleted
    a_topic_made_anew_begins_anew
    no_topics_are_deleted_for_no_topics
}
