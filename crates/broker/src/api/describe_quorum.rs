//! DescribeQuorum (key 55), versions 0 to 2 (KIP-595, KIP-836, KIP-853): Raft groups, as Kafka shows the log of its
//! metadata. Offsets are indexes of a group's log.
//!
//! Kafka has one such log, `__cluster_metadata`; here that is the controller's group. Each shard is one too: the
//! partition of its number of the topic `__shard`, and no partitions stand for all. Any broker answers, with what the
//! groups' leaders report (docs/architecture/decisions/0012-operators-steer-over-the-kafka-port.md).

use controller::ClusterImage;
use model::{ErrorCode, GroupId};
use wire::messages::describe_quorum_request;
use wire::messages::describe_quorum_response::{Listener, Node, PartitionData, ReplicaState, TopicData};
use wire::messages::{BrokerId, DescribeQuorumRequest, DescribeQuorumResponse, TopicName};

use crate::cluster::{MemberReport, Report};
use crate::dispatch::Context;
use crate::text::text;

/// Kafka's name for the log of metadata, which has one partition.
const CLUSTER_METADATA: &str = "__cluster_metadata";

/// The name of the listener for other brokers.
const CLUSTER: &str = "CLUSTER";

/// Ours for the logs of shards.
const SHARDS: &str = "__shard";

/// Describes groups; other names are unknown here.
pub(crate) async fn handle(context: Context, request: DescribeQuorumRequest) -> DescribeQuorumResponse {
    let response = DescribeQuorumResponse::default().with_error_message(Some(text("")));
    let image = context.broker.image();
    let Some((topic, groups)) = asked_for(&request.topics, &image) else {
        return response.with_topics(request.topics.into_iter().map(unknown).collect());
    };
    let reports = context.broker.reports(groups.iter().copied()).await;
    if groups == [GroupId::CONTROLLER] && reports.is_empty() {
        return DescribeQuorumResponse::default().with_error_code(ErrorCode::NotLeaderOrFollower.code());
    }
    let now_ms = context.broker.env.clock.now_ms();
    let partitions = groups.iter().map(|group| {
        let index = if topic == CLUSTER_METADATA { 0 } else { group.0.cast_signed() };
        let partition = PartitionData::default().with_partition_index(index);
        match reports.iter().find(|(of, _)| of == group) {
            Some((_, report)) => described(partition, report, now_ms),
            None => partition
                .with_leader_id(BrokerId(-1))
                .with_error_code(ErrorCode::LeaderNotAvailable.code())
                .with_error_message(Some(text("It has no leader at this time."))),
        }
    });
    let name = TopicName(text(topic));
    let topic = TopicData::default().with_topic_name(name).with_partitions(partitions.collect());
    response.with_topics(vec![topic]).with_nodes(nodes(&context, &image))
}

/// The groups that a request is about; none if it is about another log, too.
fn asked_for(
    topics: &[describe_quorum_request::TopicData],
    image: &ClusterImage,
) -> Option<(&'static str, Vec<GroupId>)> {
    let [topic] = topics else { return None };
    let asked: Vec<i32> = topic.partitions.iter().map(|partition| partition.partition_index).collect();
    match topic.topic_name.as_str() {
        CLUSTER_METADATA if asked == [0] => Some((CLUSTER_METADATA, vec![GroupId::CONTROLLER])),
        SHARDS if asked.is_empty() => Some((SHARDS, image.shards().map(|shard| shard.id).collect())),
        SHARDS => {
            let groups: Vec<GroupId> = asked.iter().map(|index| GroupId(index.cast_unsigned())).collect();
            groups.iter().all(|group| image.shard(*group).is_some()).then_some((SHARDS, groups))
        }
        _ => None,
    }
}

fn unknown(topic: describe_quorum_request::TopicData) -> TopicData {
    let unknown = |index| {
        PartitionData::default()
            .with_partition_index(index)
            .with_error_code(ErrorCode::UnknownTopicOrPartition.code())
            .with_error_message(Some(text("This server does not host this topic-partition.")))
    };
    let partitions = topic.partitions.iter().map(|partition| unknown(partition.partition_index)).collect();
    TopicData::default().with_topic_name(topic.topic_name).with_partitions(partitions)
}

fn described(partition: PartitionData, report: &Report, now_ms: i64) -> PartitionData {
    let states = |votes: bool| {
        report.members.iter().filter(|member| member.votes == votes).map(|member| state(member, now_ms)).collect()
    };
    partition
        .with_error_message(Some(text("")))
        .with_leader_id(BrokerId(report.leader))
        .with_leader_epoch(i32::try_from(report.term).unwrap_or(i32::MAX))
        .with_high_watermark(offset(report.committed))
        .with_current_voters(states(true))
        .with_observers(states(false))
}

fn state(member: &MemberReport, now_ms: i64) -> ReplicaState {
    let at = |ago_ms: Option<u64>| ago_ms.map_or(-1, |ago_ms| now_ms.saturating_sub(offset(ago_ms)));
    ReplicaState::default()
        .with_replica_id(BrokerId(member.broker))
        .with_replica_directory_id(member.directory)
        .with_log_end_offset(member.end.map_or(-1, offset))
        .with_last_fetch_timestamp(at(member.heard_ms))
        .with_last_caught_up_timestamp(at(member.caught_up_ms))
}

fn offset(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

/// Where the members of groups reach each other; of one that is alone, where clients do.
fn nodes(context: &Context, image: &ClusterImage) -> Vec<Node> {
    let for_clients = &context.peer.listener.name;
    let nodes = image.brokers().filter_map(|broker| {
        let of_cluster = broker.cluster.as_ref().map(|place| (CLUSTER, place));
        let (name, place) = of_cluster.or_else(|| Some((for_clients.as_str(), broker.listeners.get(for_clients)?)))?;
        let address =
            Listener::default().with_name(text(name)).with_host(text(place.host.clone())).with_port(place.port);
        Some(Node::default().with_node_id(BrokerId(broker.id.0)).with_listeners(vec![address]))
    });
    nodes.collect()
}
