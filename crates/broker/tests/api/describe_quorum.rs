//! DescribeQuorum (key 55).

use model::ErrorCode;
use wire::messages::DescribeQuorumRequest;
use wire::messages::describe_quorum_request::{PartitionData, TopicData};

use crate::support::requests::topic_name;
use crate::support::{Target, error};

const NEWEST: i16 = 2;

fn request(topics: &[(&str, &[i32])]) -> DescribeQuorumRequest {
    let topics = topics.iter().map(|(name, partitions)| {
        let partitions = partitions.iter().map(|index| PartitionData::default().with_partition_index(*index));
        TopicData::default().with_topic_name(topic_name(name)).with_partitions(partitions.collect())
    });
    DescribeQuorumRequest::default().with_topics(topics.collect())
}

pub(crate) async fn every_version_shows_the_one_voter(target: Target) {
    let mut connection = target.connect().await;
    for version in 0..=NEWEST {
        let response = connection.ask(version, &request(&[("__cluster_metadata", &[0])])).await;
        assert_eq!(error(response.error_code), ErrorCode::None);
        let quorum = &response.topics[0].partitions[0];
        assert_eq!((error(quorum.error_code), quorum.leader_id.0), (ErrorCode::None, 1));
        assert!(quorum.leader_epoch > 0 && quorum.high_watermark > 0);
        let [voter] = &quorum.current_voters[..] else { panic!("{quorum:?}") };
        assert_eq!((voter.replica_id.0, voter.log_end_offset), (1, quorum.high_watermark));
        assert_eq!(voter.last_caught_up_timestamp > 0, version >= 1);
        assert_eq!(response.nodes.len(), usize::from(version >= 2));
        assert!(quorum.observers.is_empty());
    }
}

pub(crate) async fn other_logs_are_none_of_the_controllers(target: Target) {
    let mut connection = target.connect().await;
    for (name, partitions) in [("__cluster_metadata", &[1][..]), ("__cluster_metadata", &[0, 1]), ("a", &[0])] {
        let response = connection.call(NEWEST, &request(&[(name, partitions)])).await;
        assert_eq!(error(response.error_code), ErrorCode::None);
        for partition in &response.topics[0].partitions {
            assert_eq!(error(partition.error_code), ErrorCode::UnknownTopicOrPartition);
        }
    }
    let nothing = connection.call(NEWEST, &request(&[])).await;
    assert_eq!((error(nothing.error_code), nothing.topics.len()), (ErrorCode::None, 0));
}

scenarios! {
    every_version_shows_the_one_voter
    other_logs_are_none_of_the_controllers
}
