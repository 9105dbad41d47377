//! DescribeProducers (key 61).

use model::ErrorCode;
use wire::messages::DescribeProducersRequest;
use wire::messages::describe_producers_request::TopicRequest;

use crate::support::records::fill;
use crate::support::requests::{produce, produced, topic_name};
use crate::support::{Target, error};
use record::BatchBuilder;

fn request(topics: &[(&str, &[i32])]) -> DescribeProducersRequest {
    let topics = topics.iter().map(|(name, partitions)| {
        TopicRequest::default().with_name(topic_name(name)).with_partition_indexes(partitions.to_vec())
    });
    DescribeProducersRequest::default().with_topics(topics.collect())
}

pub(crate) async fn idempotent_producers_are_shown_with_their_last_sequence(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    for (sequence, values) in [(0, &["x", "y"][..]), (2, &["z"])] {
        let written = connection
            .call(12, &produce(12, &topic, 0, fill(BatchBuilder::new().producer(77, 3, sequence), values)))
            .await;
        assert_eq!(produced(&written).0, ErrorCode::None);
    }
    let response = connection.ask(0, &request(&[(&topic.name, &[0])])).await;
    let partition = &response.topics[0].partitions[0];
    assert_eq!(error(partition.error_code), ErrorCode::None);
    let [producer] = &partition.active_producers[..] else { panic!("{partition:?}") };
    assert_eq!((producer.producer_id.0, producer.producer_epoch, producer.last_sequence), (77, 3, 2));
    assert_eq!((producer.coordinator_epoch, producer.current_txn_start_offset), (-1, -1));
    assert!(producer.last_timestamp > 0);
}

pub(crate) async fn what_is_not_there_is_unknown(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    let nobody = target.name("nobody");
    let response = connection.call(0, &request(&[(&topic.name, &[0, 99]), (&nobody, &[0]), ("a b", &[0])])).await;
    let partition = |topic: usize, index: usize| {
        let partition = &response.topics[topic].partitions[index];
        (error(partition.error_code), partition.error_message.as_deref())
    };
    assert_eq!(partition(0, 0), (ErrorCode::None, None));
    assert_eq!(partition(0, 1), (ErrorCode::UnknownTopicOrPartition, None));
    let unknown = "This server does not host this topic-partition.";
    assert_eq!(partition(1, 0), (ErrorCode::UnknownTopicOrPartition, Some(unknown)));
    assert_eq!(partition(2, 0).0, ErrorCode::InvalidTopicException);
}

scenarios! {
    idempotent_producers_are_shown_with_their_last_sequence
    what_is_not_there_is_unknown
}
