//! DescribeTopicPartitions (key 75).

use model::ErrorCode;
use wire::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use wire::messages::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse};

use crate::support::requests::topic_name;
use crate::support::{Target, error};

fn request(topics: &[&str], limit: i32, cursor: Option<(&str, i32)>) -> DescribeTopicPartitionsRequest {
    let at = |(topic, index)| Cursor::default().with_topic_name(topic_name(topic)).with_partition_index(index);
    let topics = topics.iter().map(|name| TopicRequest::default().with_name(topic_name(name)));
    DescribeTopicPartitionsRequest::default()
        .with_topics(topics.collect())
        .with_response_partition_limit(limit)
        .with_cursor(cursor.map(at))
}

/// Topics with their errors and partitions.
fn found(response: &DescribeTopicPartitionsResponse) -> Vec<(String, ErrorCode, Vec<i32>)> {
    let topics = response.topics.iter().map(|topic| {
        let name = topic.name.as_ref().map(|name| name.to_string()).unwrap_or_default();
        let partitions = topic.partitions.iter().map(|partition| partition.partition_index);
        (name, error(topic.error_code), partitions.collect())
    });
    topics.collect()
}

fn next(response: &DescribeTopicPartitionsResponse) -> Option<(String, i32)> {
    response.next_cursor.as_ref().map(|at| (at.topic_name.to_string(), at.partition_index))
}

pub(crate) async fn topics_come_in_the_order_of_their_names_page_by_page(target: Target) {
    let mut connection = target.connect().await;
    let (a, b) = (target.topic_with("a", 3, &[]).await.name, target.topic_with("b", 2, &[]).await.name);
    let nobody = target.name("c-nobody");
    let asked = [&*nobody, &b, &a, &b];
    let none = ErrorCode::None;
    let mut cursor: Option<(String, i32)> = None;
    for (topics, then) in [
        (vec![(&a, none, vec![0, 1])], Some((&a, 2))),
        (vec![(&a, none, vec![2]), (&b, none, vec![0])], Some((&b, 1))),
        (vec![(&b, none, vec![1]), (&nobody, ErrorCode::UnknownTopicOrPartition, vec![])], None),
    ] {
        let at = cursor.as_ref().map(|(topic, index)| (topic.as_str(), *index));
        let response = connection.ask(0, &request(&asked, 2, at)).await;
        let wanted: Vec<_> = topics.into_iter().map(|(name, code, list)| (name.clone(), code, list)).collect();
        assert_eq!(found(&response), wanted);
        cursor = next(&response);
        assert_eq!(cursor, then.map(|(topic, index)| (topic.clone(), index)));
    }
    let full = connection.ask(0, &request(&[&b, &nobody], 2, None)).await;
    assert_eq!(next(&full), Some((nobody.clone(), 0)));
    assert_eq!(next(&connection.ask(0, &request(&[&b], 2, None)).await), None);
}

pub(crate) async fn a_page_holds_at_least_one_partition(target: Target) {
    let mut connection = target.connect().await;
    let name = target.topic_with("a", 2, &[]).await.name;
    for limit in [0, -1, i32::MIN] {
        let response = connection.ask(0, &request(&[&name], limit, None)).await;
        assert_eq!(found(&response), [(name.clone(), ErrorCode::None, vec![0])]);
        assert_eq!(next(&response), Some((name.clone(), 1)));
    }
}

pub(crate) async fn a_cursor_to_what_was_not_asked_for_is_refused(target: Target) {
    let mut connection = target.connect().await;
    let (a, b) = (target.topic("a").await.name, target.topic("b").await.name);
    for cursor in [(&*b, 0), (&*a, -1)] {
        let response = connection.ask(0, &request(&[&a], 2, Some(cursor))).await;
        assert_eq!(found(&response), [(a.clone(), ErrorCode::InvalidRequest, vec![])]);
    }
    let beyond = connection.ask(0, &request(&[&a, &b], 2, Some((&a, 50)))).await;
    assert_eq!(found(&beyond), [(a, ErrorCode::None, vec![]), (b, ErrorCode::None, vec![0])]);
}

pub(crate) async fn a_partition_shows_its_leader_and_replicas(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    let response = connection.ask(0, &request(&[&topic.name], 10, None)).await;
    let (found, partition) = (&response.topics[0], &response.topics[0].partitions[0]);
    assert_eq!((found.topic_id, found.is_internal), (topic.id, false));
    assert_eq!(
        (partition.leader_id.0, &partition.replica_nodes, &partition.isr_nodes),
        (1, &vec![1.into()], &vec![1.into()])
    );
    assert_eq!(partition.eligible_leader_replicas.as_deref(), Some(&[][..]));
    let all = connection.ask(0, &request(&[], 1, Some((&topic.name, 0)))).await;
    assert_eq!(all.topics[0].topic_id, topic.id);
}

scenarios! {
    topics_come_in_the_order_of_their_names_page_by_page
    a_page_holds_at_least_one_partition
    a_cursor_to_what_was_not_asked_for_is_refused
    a_partition_shows_its_leader_and_replicas
}
