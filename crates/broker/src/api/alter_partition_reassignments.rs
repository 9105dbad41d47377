//! AlterPartitionReassignments (key 45), versions 0 and 1 (KIP-455). One node can keep partitions where
//! they are, which it says it does; nothing is ever under way.

use controller::placement::check_replicas;
use controller::{ClusterImage, Refusal};
use model::{BrokerId, ErrorCode};
use wire::messages::alter_partition_reassignments_request::ReassignablePartition;
use wire::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use wire::messages::{AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse};

use crate::dispatch::Context;
use crate::text::text;

/// Answers for each partition by itself.
pub(crate) async fn handle(
    context: Context,
    request: AlterPartitionReassignmentsRequest,
) -> AlterPartitionReassignmentsResponse {
    let image = context.broker.image();
    let may_change_factor = request.allow_replication_factor_change;
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let outcome = reassign(&image, &topic.name, partition, may_change_factor);
            let response = ReassignablePartitionResponse::default().with_partition_index(partition.partition_index);
            match outcome {
                Ok(()) => response.with_error_message(None),
                Err(why) => {
                    let message = Some(why.message).filter(|message| !message.is_empty());
                    response.with_error_code(why.code.code()).with_error_message(message.map(text))
                }
            }
        });
        let partitions = partitions.collect();
        ReassignableTopicResponse::default().with_name(topic.name).with_partitions(partitions)
    });
    AlterPartitionReassignmentsResponse::default()
        .with_allow_replication_factor_change(may_change_factor)
        .with_error_message(None)
        .with_responses(topics.collect())
}

fn reassign(
    image: &ClusterImage,
    name: &str,
    wish: &ReassignablePartition,
    may_change_factor: bool,
) -> Result<(), Refusal> {
    let unknown = |message: String| Refusal::new(ErrorCode::UnknownTopicOrPartition, message);
    let index = wish.partition_index;
    let topic = image.topic(name).ok_or_else(|| unknown(format!("Unable to find a topic named {name}.")))?;
    let place = topic.partition(index).ok_or_else(|| unknown(format!("Unable to find partition {name}:{index}.")))?;
    let Some(replicas) = &wish.replicas else {
        return Err(Refusal::new(ErrorCode::NoReassignmentInProgress, "")); // nothing to call off
    };
    let replicas: Vec<BrokerId> = replicas.iter().map(|id| BrokerId(id.0)).collect();
    check_replicas(image, &replicas)?;
    let current = image.replicas(place);
    if !may_change_factor && replicas.len() != current.len() {
        let (from, to) = (current.len(), replicas.len());
        let message = format!("The replication factor is changed from {from} to {to}");
        return Err(Refusal::new(ErrorCode::InvalidReplicationFactor, message));
    }
    match replicas == current {
        true => Ok(()),
        false => {
            let message = "Partitions do not move between brokers in this version.";
            Err(Refusal::new(ErrorCode::InvalidReplicaAssignment, message))
        }
    }
}
