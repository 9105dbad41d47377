//! DescribeQuorum (key 55), versions 0 to 2 (KIP-595, KIP-836, KIP-853): the controller's group, as Kafka
//! shows the log of its metadata. Offsets are indexes of the group's log.

use model::ErrorCode;
use wire::messages::describe_quorum_response::{Listener, Node, PartitionData, ReplicaState, TopicData};
use wire::messages::{BrokerId, DescribeQuorumRequest, DescribeQuorumResponse};

use crate::dispatch::Context;
use crate::text::text;

/// Kafka's name for the log of metadata, which has one partition.
const CLUSTER_METADATA: &str = "__cluster_metadata";

/// Describes the controller's group; other names are unknown here.
pub(crate) async fn handle(context: Context, request: DescribeQuorumRequest) -> DescribeQuorumResponse {
    let response = DescribeQuorumResponse::default().with_error_message(Some(text("")));
    let asks_for_it = match &request.topics[..] {
        [topic] => {
            topic.topic_name.as_str() == CLUSTER_METADATA
                && topic.partitions.iter().map(|partition| partition.partition_index).eq([0])
        }
        _ => false,
    };
    if !asks_for_it {
        let topics = request.topics.into_iter().map(|topic| {
            let unknown = |index| {
                PartitionData::default()
                    .with_partition_index(index)
                    .with_error_code(ErrorCode::UnknownTopicOrPartition.code())
                    .with_error_message(Some(text("This server does not host this topic-partition.")))
            };
            let partitions = topic.partitions.iter().map(|partition| unknown(partition.partition_index)).collect();
            TopicData::default().with_topic_name(topic.topic_name).with_partitions(partitions)
        });
        return response.with_topics(topics.collect());
    }
    let status = *context.broker.controller.status().borrow();
    if status.leader != Some(context.broker.id()) || !status.ready {
        return DescribeQuorumResponse::default().with_error_code(ErrorCode::NotLeaderOrFollower.code());
    }
    let name = wire::messages::TopicName(text(CLUSTER_METADATA));
    let topic = TopicData::default().with_topic_name(name).with_partitions(vec![metadata(&context, status.term)]);
    response.with_topics(vec![topic]).with_nodes(nodes(&context))
}

fn metadata(context: &Context, term: u64) -> PartitionData {
    let broker = &context.broker;
    let applied = i64::try_from(broker.image().version()).unwrap_or(i64::MAX);
    let now_ms = broker.env.clock.now_ms();
    let voter = ReplicaState::default()
        .with_replica_id(BrokerId(broker.meta.node_id))
        .with_replica_directory_id(broker.meta.directory_id)
        .with_log_end_offset(applied)
        .with_last_fetch_timestamp(now_ms)
        .with_last_caught_up_timestamp(now_ms);
    PartitionData::default()
        .with_error_message(Some(text("")))
        .with_leader_id(BrokerId(broker.meta.node_id))
        .with_leader_epoch(i32::try_from(term).unwrap_or(i32::MAX))
        .with_high_watermark(applied)
        .with_current_voters(vec![voter])
}

fn nodes(context: &Context) -> Vec<Node> {
    let image = context.broker.image();
    let listener = &context.peer.listener;
    let nodes = context.broker.endpoints(&image, listener).map(|broker| {
        let address = Listener::default()
            .with_name(text(listener.name.as_str()))
            .with_host(text(broker.host))
            .with_port(broker.port);
        Node::default().with_node_id(BrokerId(broker.id.0)).with_listeners(vec![address])
    });
    nodes.collect()
}
