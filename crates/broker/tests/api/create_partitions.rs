//! CreatePartitions (key 37).

use model::ErrorCode;
use wire::messages::create_partitions_request::{CreatePartitionsAssignment, CreatePartitionsTopic};
use wire::messages::create_partitions_response::CreatePartitionsTopicResult;
use wire::messages::{BrokerId, CreatePartitionsRequest};

use crate::support::requests::{list_offsets, metadata, topic_name};
use crate::support::{Connection, Target, a_moment, error};

const NEWEST: i16 = 3;

/// A topic, how many partitions it is to have, and the brokers of each new one, if they are named.
type Growth<'a> = (&'a str, i32, Option<&'a [&'a [i32]]>);

fn request(growths: &[Growth<'_>]) -> CreatePartitionsRequest {
    let topics = growths.iter().map(|(name, count, assignments)| {
        let assignment = |brokers: &&[i32]| {
            CreatePartitionsAssignment::default().with_broker_ids(brokers.iter().map(|id| BrokerId(*id)).collect())
        };
        let assignments = assignments.map(|rows| rows.iter().map(assignment).collect());
        CreatePartitionsTopic::default().with_name(topic_name(name)).with_count(*count).with_assignments(assignments)
    });
    CreatePartitionsRequest::default().with_timeout_ms(30_000).with_topics(topics.collect())
}

async fn partitions(connection: &mut Connection, topic: &str) -> usize {
    connection.ask(12, &metadata(&[topic])).await.topics[0].partitions.len()
}

fn outcome<'a>(results: &'a [CreatePartitionsTopicResult], topic: &str) -> (ErrorCode, Option<&'a str>) {
    let result = results.iter().find(|result| result.name.as_str() == topic).unwrap();
    (error(result.error_code), result.error_message.as_deref())
}

pub(crate) async fn every_version_adds_partitions_that_can_be_used(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    for (version, count) in (0..=NEWEST).zip(2..) {
        let response = connection.call(version, &request(&[(&topic.name, count, None)])).await;
        assert_eq!(outcome(&response.results, &topic.name), (ErrorCode::None, None));
        let end = list_offsets(&topic.name, count - 1, -1);
        while connection.ask(7, &end).await.topics[0].partitions[0].error_code != 0 {
            a_moment().await;
        }
    }
}

pub(crate) async fn what_is_no_growth_is_refused_topic_by_topic(target: Target) {
    let mut connection = target.connect().await;
    let (one, other) = (target.topic_with("a", 2, &[]).await, target.topic("b").await);
    let nobody = target.name("nobody");
    let growths: &[Growth<'_>] = &[(&one.name, 2, None), (&nobody, 3, None), (&other.name, 2, None)];
    // In which order they are answered is the broker's to choose.
    let response = connection.ask(NEWEST, &request(growths)).await;
    let same = "Topic already has 2 partition(s).";
    assert_eq!(outcome(&response.results, &one.name), (ErrorCode::InvalidPartitions, Some(same)));
    assert_eq!(outcome(&response.results, &nobody), (ErrorCode::UnknownTopicOrPartition, None));
    assert_eq!(outcome(&response.results, &other.name), (ErrorCode::None, None));
    for count in [1, 0, -1] {
        let response = connection.call(NEWEST, &request(&[(&one.name, count, None)])).await;
        let name = &one.name;
        let fewer = format!("The topic {name} currently has 2 partition(s); {count} would not be an increase.");
        assert_eq!(outcome(&response.results, name), (ErrorCode::InvalidPartitions, Some(&*fewer)));
    }
    for count in [10_003, i32::MAX] {
        let response = connection.call(NEWEST, &request(&[(&one.name, count, None)])).await;
        let many = "Excessively large number of additional partitions per request.";
        assert_eq!(outcome(&response.results, &one.name), (ErrorCode::PolicyViolation, Some(many)));
    }
    let response = connection.call(NEWEST, &request(&[("a b", 2, None)])).await;
    assert_eq!(outcome(&response.results, "a b"), (ErrorCode::UnknownTopicOrPartition, None));
}

pub(crate) async fn a_topic_named_twice_stays_as_it_is(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    let response = connection.call(NEWEST, &request(&[(&topic.name, 9, None), (&topic.name, 10, None)])).await;
    assert_eq!(response.results.len(), 1);
    let twice = (ErrorCode::InvalidRequest, Some("Duplicate topic name."));
    assert_eq!(outcome(&response.results, &topic.name), twice);
    assert_eq!(partitions(&mut connection, &topic.name).await, 1);
}

pub(crate) async fn validating_adds_nothing(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    let nobody = target.name("nobody");
    let asked = request(&[(&topic.name, 5, None), (&nobody, 5, None)]).with_validate_only(true);
    let response = connection.ask(NEWEST, &asked).await;
    assert_eq!(outcome(&response.results, &topic.name), (ErrorCode::None, None));
    assert_eq!(outcome(&response.results, &nobody), (ErrorCode::UnknownTopicOrPartition, None));
    assert_eq!(partitions(&mut connection, &topic.name).await, 1);
}

pub(crate) async fn places_by_hand_must_be_there_and_as_many_as_partitions(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    let lists = "The manual partition assignment includes";
    for (count, assignments, message) in [
        (3, &[&[1][..]][..], "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified."),
        (2, &[], "Attempted to add 1 additional partition(s), but only 0 assignment(s) were specified."),
        (2, &[&[7]], &*format!("{lists} broker 7, but no such broker is registered.")),
        (2, &[&[-1]], &*format!("{lists} broker -1, but no such broker is registered.")),
        (2, &[&[1, 1]], &*format!("{lists} the broker 1 more than once.")),
        (2, &[&[]], &*format!("{lists} an empty replica list.")),
    ] {
        let response = connection.call(NEWEST, &request(&[(&topic.name, count, Some(assignments))])).await;
        let refused = (ErrorCode::InvalidReplicaAssignment, Some(message));
        assert_eq!(outcome(&response.results, &topic.name), refused);
    }
    let response = connection.call(NEWEST, &request(&[(&topic.name, 2, Some(&[&[1]]))])).await;
    assert_eq!(outcome(&response.results, &topic.name), (ErrorCode::None, None));
}

scenarios! {
    every_version_adds_partitions_that_can_be_used
    what_is_no_growth_is_refused_topic_by_topic
    a_topic_named_twice_stays_as_it_is
    validating_adds_nothing
    places_by_hand_must_be_there_and_as_many_as_partitions
}
