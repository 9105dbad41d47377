//! What there is of a cluster at a broker that is alone.

use disk::SimDisk;
use model::ErrorCode;
use std::rc::Rc;
use wire::messages::describe_quorum_request::{PartitionData, TopicData};
use wire::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use wire::messages::{BrokerId, DescribeQuorumRequest, IncrementalAlterConfigsRequest, UnregisterBrokerRequest};

use crate::own::{start, target};
use crate::support::requests::{str_bytes, topic_name};
use crate::support::{Target, error};

async fn alone() -> Target {
    target("cluster", &Rc::new(start(&SimDisk::new(0), &["shards.per.broker=2"]).await))
}

#[tokio::test(start_paused = true)]
async fn each_shard_is_described_like_the_controller() {
    let mut connection = alone().await.connect().await;
    let asked = |indexes: &[i32]| {
        let partitions = indexes.iter().map(|index| PartitionData::default().with_partition_index(*index));
        let topic = TopicData::default().with_topic_name(topic_name("__shard")).with_partitions(partitions.collect());
        DescribeQuorumRequest::default().with_topics(vec![topic])
    };
    let all = connection.ask(2, &asked(&[])).await;
    let groups: Vec<(i32, i32, usize)> = all.topics[0]
        .partitions
        .iter()
        .map(|group| (group.partition_index, group.leader_id.0, group.current_voters.len()))
        .collect();
    assert_eq!(groups, [(1, 1, 1), (2, 1, 1)]);
    let unknown = connection.ask(2, &asked(&[2, 9])).await;
    assert!(unknown.topics[0].partitions.iter().all(|it| error(it.error_code) == ErrorCode::UnknownTopicOrPartition));
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_carries_something_is_not_forgotten() {
    let mut connection = alone().await.connect().await;
    let refused = connection.ask(0, &UnregisterBrokerRequest::default().with_broker_id(BrokerId(1))).await;
    assert_eq!(error(refused.error_code), ErrorCode::InvalidRequest);
    let why = refused.error_message.unwrap();
    assert!(why.contains("replicas in 2 shard(s)") && why.contains("tidelog cluster drain 1"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn who_is_drained_is_said_of_all_brokers_by_their_ids() {
    const BROKER: i8 = 4;
    let mut connection = alone().await.connect().await;
    for (whose, ids, expected) in
        [("", "7", ErrorCode::None), ("", "7,x", ErrorCode::InvalidConfig), ("1", "1", ErrorCode::InvalidConfig)]
    {
        let change =
            AlterableConfig::default().with_name(str_bytes("drained.brokers")).with_value(Some(str_bytes(ids)));
        let resource = AlterConfigsResource::default()
            .with_resource_type(BROKER)
            .with_resource_name(str_bytes(whose))
            .with_configs(vec![change]);
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        let answer = connection.ask(1, &request).await;
        assert_eq!(error(answer.responses[0].error_code), expected, "{whose} {ids}");
    }
}
