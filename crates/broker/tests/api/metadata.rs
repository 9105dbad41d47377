//! Metadata (key 3).

use model::ErrorCode;
use uuid::Uuid;
use wire::messages::metadata_request::MetadataRequestTopic;
use wire::messages::{MetadataRequest, MetadataResponse};

use crate::support::requests::{metadata, topic_name};
use crate::support::{Target, a_moment, error};

const NEWEST: i16 = 13;

/// Name, error and number of partitions of each topic.
fn topics(response: &MetadataResponse) -> Vec<(String, ErrorCode, usize)> {
    let name =
        |name: &Option<wire::messages::TopicName>| name.as_ref().map_or_else(String::new, |name| name.to_string());
    let topics = response.topics.iter();
    topics.map(|topic| (name(&topic.name), error(topic.error_code), topic.partitions.len())).collect()
}

fn by_id(id: Uuid) -> MetadataRequest {
    let topic = MetadataRequestTopic::default().with_name(None).with_topic_id(id);
    MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(false)
}

pub(crate) async fn every_version_describes_brokers_and_topics(target: Target) {
    let topic = target.topic_with("a", 3, &[]).await;
    let mut connection = target.connect().await;
    for version in 0..=NEWEST {
        let request = metadata(&[&topic.name]).with_allow_auto_topic_creation(version < 4);
        let response = connection.ask(version, &request).await;
        assert_eq!(topics(&response), [(topic.name.clone(), ErrorCode::None, 3)]);
        let described = &response.topics[0];
        assert_eq!(described.topic_id, if version < 10 { Uuid::nil() } else { topic.id });
        let mut numbers: Vec<i32> = described.partitions.iter().map(|partition| partition.partition_index).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2]);
        for partition in &described.partitions {
            assert_eq!(partition.leader_id.0, 1);
            assert_eq!((partition.replica_nodes.len(), partition.isr_nodes.len()), (1, 1));
            assert_eq!(partition.leader_epoch >= 0, version >= 7);
        }
        assert_eq!(response.brokers.len(), 1);
        assert_eq!(response.brokers[0].node_id.0, 1);
        assert_eq!(response.cluster_id.is_some(), version >= 2);
        assert_eq!(response.controller_id.0, if version < 1 { -1 } else { 1 });
    }
}

pub(crate) async fn one_partition_is_described_alike(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for version in 0..=NEWEST {
        let request = metadata(&[&topic.name]).with_allow_auto_topic_creation(version < 4);
        connection.call(version, &request).await;
    }
}

pub(crate) async fn all_topics_are_asked_for_by_null(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let everything = MetadataRequest::default().with_topics(None).with_allow_auto_topic_creation(true);
    let nothing = MetadataRequest::default().with_topics(Some(vec![])).with_allow_auto_topic_creation(true);
    for version in 0..=NEWEST {
        let has_it = |response: &MetadataResponse| topics(response).contains(&(topic.name.clone(), ErrorCode::None, 1));
        assert!(has_it(&connection.ask(version, &everything).await), "version {version}");
        let response = connection.ask(version, &nothing).await;
        assert_eq!(has_it(&response), version == 0, "in version 0 an empty list means all");
        assert_eq!(response.topics.is_empty(), version > 0);
    }
}

pub(crate) async fn an_unknown_topic_is_told_if_it_may_not_be_created(target: Target) {
    let mut connection = target.connect().await;
    let name = target.name("nobody");
    for version in 4..=NEWEST {
        let response = connection.call(version, &metadata(&[&name])).await;
        assert_eq!(topics(&response), [(name.clone(), ErrorCode::UnknownTopicOrPartition, 0)]);
    }
}

pub(crate) async fn an_unknown_topic_is_created_if_it_may_be(target: Target) {
    let mut connection = target.connect().await;
    for version in [0, 3, 4, NEWEST] {
        let name = target.name(&format!("made{version}"));
        let request = metadata(&[&name]).with_allow_auto_topic_creation(true);
        // Kafka says UNKNOWN_TOPIC_OR_PARTITION or LEADER_NOT_AVAILABLE first.
        let found = loop {
            let response = connection.ask(version, &request).await;
            if response.topics[0].error_code == 0 {
                break response;
            }
            a_moment().await;
        };
        assert_eq!(topics(&found), [(name, ErrorCode::None, 1)]);
    }
}

pub(crate) async fn a_name_that_cannot_be_is_refused(target: Target) {
    let mut connection = target.connect().await;
    for name in ["", ".", "..", "a b", "a/b", "\u{e4}", &"x".repeat(250)] {
        for (version, create) in [(0, true), (4, true), (4, false), (NEWEST, true), (NEWEST, false)] {
            let request = metadata(&[name]).with_allow_auto_topic_creation(create);
            let response = connection.call(version, &request).await;
            let code = topics(&response)[0].1;
            target.transcript.note(format!("{name:?} {version} {create}: {code}"));
            let expected = [ErrorCode::InvalidTopicException, ErrorCode::UnknownTopicOrPartition];
            assert!(expected.contains(&code), "{name:?}: {code}");
        }
    }
}

pub(crate) async fn a_topic_is_found_by_its_id(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for version in [12, NEWEST] {
        let response = connection.call(version, &by_id(topic.id)).await;
        assert_eq!(topics(&response), [(topic.name.clone(), ErrorCode::None, 1)]);
        let response = connection.call(version, &by_id(Uuid::from_u128(77))).await;
        assert_eq!(topics(&response), [(String::new(), ErrorCode::UnknownTopicId, 0)]);
    }
}

pub(crate) async fn an_id_needs_version_12(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for version in [10, 11, 12, NEWEST] {
        let mut request = by_id(topic.id);
        if version < 12 {
            // A name that is null, too: no client may send this.
            let response = connection.call(version, &request).await;
            assert_eq!(topics(&response)[0].1, ErrorCode::InvalidRequest);
            assert!(response.brokers.is_empty(), "nothing else is told");
        }
        request.topics.as_mut().unwrap()[0].name = Some(topic_name(&topic.name));
        let response = connection.call(version, &request).await;
        target.transcript.note(format!("{version}: {:?}", topics(&response)));
    }
}

/// Kafka's client in Java sends an empty name beside an id.
pub(crate) async fn beside_ids_names_do_not_count(target: Target) {
    let (topic, other) = (target.topic("a").await, target.topic("b").await);
    let mut connection = target.connect().await;
    for version in [12, NEWEST] {
        for name in ["", &target.name("nobody"), &other.name] {
            let mut request = by_id(topic.id).with_allow_auto_topic_creation(true);
            let asked = request.topics.as_mut().unwrap();
            asked[0].name = Some(topic_name(name));
            asked.push(MetadataRequestTopic::default().with_name(Some(topic_name(&other.name))));
            let response = connection.call(version, &request).await;
            assert_eq!(topics(&response), [(topic.name.clone(), ErrorCode::None, 1)]);
        }
        let everything = MetadataRequest::default().with_topics(None);
        let created = target.name("nobody");
        assert!(topics(&connection.ask(version, &everything).await).iter().all(|(name, ..)| *name != created));
    }
}

pub(crate) async fn a_topic_asked_for_twice_is_told_once(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let response = connection.call(NEWEST, &metadata(&[&topic.name, &topic.name])).await;
    assert_eq!(topics(&response), [(topic.name.clone(), ErrorCode::None, 1)]);
}

pub(crate) async fn what_a_client_may_do_is_told_if_it_asks(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for version in [7, 8, 10, 11, NEWEST] {
        for asks in [false, true] {
            let request = metadata(&[&topic.name]).with_include_topic_authorized_operations(asks && version >= 8);
            let request = request.with_include_cluster_authorized_operations(asks && (8..=10).contains(&version));
            let response = connection.call(version, &request).await;
            assert_eq!(response.topics[0].topic_authorized_operations != i32::MIN, asks && version >= 8);
        }
    }
}

pub(crate) async fn internal_topics_are_marked(target: Target) {
    target.coordinator(&target.name("g")).await;
    let response = target.connect().await.ask(NEWEST, &metadata(&["__consumer_offsets"])).await;
    assert!(response.topics[0].is_internal);
    assert_eq!(topics(&response), [("__consumer_offsets".to_owned(), ErrorCode::None, 2)]);
    let response =
        target.connect().await.ask(0, &metadata(&["__consumer_offsets"]).with_allow_auto_topic_creation(true)).await;
    assert!(!response.topics[0].is_internal, "version 0 has no place for it");
}

scenarios! {
    every_version_describes_brokers_and_topics
    one_partition_is_described_alike
    all_topics_are_asked_for_by_null
    an_unknown_topic_is_told_if_it_may_not_be_created
    an_unknown_topic_is_created_if_it_may_be
    a_name_that_cannot_be_is_refused
    a_topic_is_found_by_its_id
    an_id_needs_version_12
    beside_ids_names_do_not_count
    a_topic_asked_for_twice_is_told_once
    what_a_client_may_do_is_told_if_it_asks
    internal_topics_are_marked
}
