//! ElectLeaders (key 43).

use model::ErrorCode;
use wire::messages::ElectLeadersRequest;
use wire::messages::elect_leaders_request::TopicPartitions;
use wire::messages::elect_leaders_response::PartitionResult;

use crate::support::requests::topic_name;
use crate::support::{Target, error};

const NEWEST: i16 = 2;

fn request(kind: i8, topics: &[(&str, &[i32])]) -> ElectLeadersRequest {
    let topics = topics.iter().map(|(name, partitions)| {
        TopicPartitions::default().with_topic(topic_name(name)).with_partitions(partitions.to_vec())
    });
    ElectLeadersRequest::default()
        .with_election_type(kind)
        .with_timeout_ms(30_000)
        .with_topic_partitions(Some(topics.collect()))
}

fn outcome(result: &PartitionResult) -> (ErrorCode, &str) {
    (error(result.error_code), result.error_message.as_deref().unwrap_or_default())
}

pub(crate) async fn every_version_finds_that_no_election_is_needed(target: Target) {
    let mut connection = target.connect().await;
    let (topic, nobody) = (target.topic("a").await.name, target.name("nobody"));
    for (version, kind) in [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1)] {
        let response = connection.call(version, &request(kind, &[(&topic, &[0, 99]), (&nobody, &[0])])).await;
        assert_eq!(error(response.error_code), ErrorCode::None);
        let results: Vec<_> =
            response.replica_election_results.iter().flat_map(|topic| &topic.partition_result).map(outcome).collect();
        let unknown = ErrorCode::UnknownTopicOrPartition;
        assert_eq!(
            results,
            [
                (ErrorCode::ElectionNotNeeded, "Leader election not needed for topic partition."),
                (unknown, &*format!("No such partition as {topic}-99")),
                (unknown, &*format!("No such topic as {nobody}")),
            ]
        );
    }
}

pub(crate) async fn an_unknown_kind_of_election_is_refused(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await.name;
    let response = connection.call(NEWEST, &request(7, &[(&topic, &[0])])).await;
    assert_eq!(error(response.error_code), ErrorCode::InvalidRequest);
    let result = &response.replica_election_results[0].partition_result[0];
    assert_eq!(outcome(result), (ErrorCode::InvalidRequest, "Unknown election type 7"));
}

pub(crate) async fn of_all_partitions_none_is_elected(target: Target) {
    let mut connection = target.connect().await;
    target.topic("a").await;
    for kind in [0, 1] {
        let response = connection.ask(NEWEST, &request(kind, &[]).with_topic_partitions(None)).await;
        assert_eq!(error(response.error_code), ErrorCode::None);
        assert!(response.replica_election_results.iter().all(|topic| topic.partition_result.is_empty()));
    }
}

scenarios! {
    every_version_finds_that_no_election_is_needed
    an_unknown_kind_of_election_is_refused
    of_all_partitions_none_is_elected
}
