//! ListPartitionReassignments (key 46), version 0 (KIP-455).

use std::collections::BTreeMap;

use controller::{ClusterImage, Move};
use model::{BrokerId, PartitionId};
use wire::messages::list_partition_reassignments_request::ListPartitionReassignmentsTopics;
use wire::messages::list_partition_reassignments_response::{OngoingPartitionReassignment, OngoingTopicReassignment};
use wire::messages::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse, TopicName};

use crate::dispatch::Context;
use crate::endpoints::wire_ids;
use crate::text::text;

/// Lists what is under way: of the partitions named, or of all. What does not exist, or does not move, is left out.
pub(crate) async fn handle(
    context: Context,
    request: ListPartitionReassignmentsRequest,
) -> ListPartitionReassignmentsResponse {
    let image = context.broker.image();
    let is_wanted = |id: PartitionId| match &request.topics {
        None => true,
        Some(topics) => is_named(&image, topics, id),
    };
    let mut topics: BTreeMap<&str, Vec<OngoingPartitionReassignment>> = BTreeMap::new();
    for (id, under_way) in image.moves().filter(|(id, _)| is_wanted(*id)) {
        let Some(topic) = image.topic_by_id(id.topic) else { continue };
        topics.entry(topic.name.as_str()).or_default().extend(describe(&image, id, under_way));
    }
    let topic = |(name, partitions)| {
        OngoingTopicReassignment::default().with_name(TopicName(text(name))).with_partitions(partitions)
    };
    ListPartitionReassignmentsResponse::default()
        .with_error_message(None)
        .with_topics(topics.into_iter().map(topic).collect())
}

fn is_named(image: &ClusterImage, topics: &[ListPartitionReassignmentsTopics], id: PartitionId) -> bool {
    let name = image.topic_by_id(id.topic).map(|topic| topic.name.as_str());
    topics.iter().any(|topic| Some(&**topic.name) == name && topic.partition_indexes.contains(&id.index))
}

/// As Kafka tells it: the replicas are those that it has and those that it gets.
fn describe(image: &ClusterImage, id: PartitionId, under_way: Move) -> Option<OngoingPartitionReassignment> {
    let from = image.replicas(image.partition(id)?);
    let to = &image.shard(under_way.to)?.members;
    let adding: Vec<BrokerId> = to.iter().copied().filter(|id| !from.contains(id)).collect();
    let removing: Vec<BrokerId> = from.iter().copied().filter(|id| !to.contains(id)).collect();
    let all: Vec<BrokerId> = to.iter().chain(&removing).copied().collect();
    let described = OngoingPartitionReassignment::default()
        .with_partition_index(id.index)
        .with_replicas(wire_ids(&all))
        .with_adding_replicas(wire_ids(&adding))
        .with_removing_replicas(wire_ids(&removing));
    Some(described)
}
