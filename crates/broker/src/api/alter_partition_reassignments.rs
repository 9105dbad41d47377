//! AlterPartitionReassignments (key 45), versions 0 and 1 (KIP-455): partitions go to other brokers, or stay.

use controller::placement::check_replicas;
use controller::{ClusterImage, Reassignment, Refusal};
use model::{BrokerId, ErrorCode, PartitionId};
use wire::messages::alter_partition_reassignments_request::ReassignablePartition;
use wire::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use wire::messages::{AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse};

use crate::dispatch::Context;
use crate::text::text;

/// Answers for each partition by itself. An answer without an error says that the move has begun.
pub(crate) async fn handle(
    context: Context,
    request: AlterPartitionReassignmentsRequest,
) -> AlterPartitionReassignmentsResponse {
    let image = context.broker.image();
    let may_change_factor = request.allow_replication_factor_change;
    let wishes = request.topics.iter().flat_map(|topic| topic.partitions.iter().map(move |it| (topic, it)));
    let checked: Vec<Result<Reassignment, Refusal>> =
        wishes.map(|(topic, wish)| check(&image, &topic.name, wish, may_change_factor)).collect();
    let begun = begin(&context, &checked).await;
    let mut results = checked.into_iter().zip(begun).map(|(checked, begun)| checked.and(begun));
    let topics = request.topics.into_iter().map(|topic| {
        let indexes = topic.partitions.iter().map(|partition| partition.partition_index);
        let partitions = indexes.map(|index| answer(index, results.next().unwrap_or(Ok(())))).collect();
        ReassignableTopicResponse::default().with_name(topic.name).with_partitions(partitions)
    });
    let topics = topics.collect();
    AlterPartitionReassignmentsResponse::default()
        .with_allow_replication_factor_change(may_change_factor)
        .with_error_message(None)
        .with_responses(topics)
}

/// One result for each, of those that passed their checks.
async fn begin(context: &Context, checked: &[Result<Reassignment, Refusal>]) -> Vec<Result<(), Refusal>> {
    let wishes: Vec<Reassignment> = checked.iter().flatten().cloned().collect();
    let mut done = match context.broker.controller.reassign(&wishes).await {
        Ok(done) => done.into_iter(),
        Err(why) => vec![Err(Refusal::new(why.code(), why.to_string())); wishes.len()].into_iter(),
    };
    let result = |checked: &Result<Reassignment, Refusal>| match checked {
        Ok(_) => done.next().unwrap_or(Ok(())),
        Err(_) => Ok(()),
    };
    checked.iter().map(result).collect()
}

fn answer(index: i32, result: Result<(), Refusal>) -> ReassignablePartitionResponse {
    let response = ReassignablePartitionResponse::default().with_partition_index(index);
    match result {
        Ok(()) => response.with_error_message(None),
        Err(why) => {
            let message = Some(why.message).filter(|message| !message.is_empty());
            response.with_error_code(why.code.code()).with_error_message(message.map(text))
        }
    }
}

fn check(
    image: &ClusterImage,
    name: &str,
    wish: &ReassignablePartition,
    may_change_factor: bool,
) -> Result<Reassignment, Refusal> {
    let unknown = |message: String| Refusal::new(ErrorCode::UnknownTopicOrPartition, message);
    let index = wish.partition_index;
    let topic = image.topic(name).ok_or_else(|| unknown(format!("Unable to find a topic named {name}.")))?;
    let place = topic.partition(index).ok_or_else(|| unknown(format!("Unable to find partition {name}:{index}.")))?;
    let partition = PartitionId { topic: topic.id, index };
    let Some(replicas) = &wish.replicas else {
        return Ok(Reassignment { partition, replicas: None });
    };
    let replicas: Vec<BrokerId> = replicas.iter().map(|id| BrokerId(id.0)).collect();
    check_replicas(image, &replicas)?;
    let current = image.replicas(place);
    if !may_change_factor && replicas.len() != current.len() {
        let (from, to) = (current.len(), replicas.len());
        let message = format!("The replication factor is changed from {from} to {to}");
        return Err(Refusal::new(ErrorCode::InvalidReplicationFactor, message));
    }
    Ok(Reassignment { partition, replicas: Some(replicas) })
}
