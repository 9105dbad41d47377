//! ElectLeaders (key 43), versions 0 to 2 (KIP-183, KIP-460). A partition whose leader is the preferred
//! one needs no election; with one replica nobody else could be elected.

use controller::{ClusterImage, Refusal};
use model::ErrorCode;
use wire::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use wire::messages::{ElectLeadersRequest, ElectLeadersResponse, TopicName};

use crate::dispatch::Context;
use crate::text::text;

/// To the preferred replica.
const PREFERRED: i8 = 0;

/// To any replica, where all that hold everything are gone.
const UNCLEAN: i8 = 1;

/// Answers for each partition named; no list means all, of which those are told that were elected.
pub(crate) async fn handle(context: Context, request: ElectLeadersRequest) -> ElectLeadersResponse {
    let kind = request.election_type;
    let image = context.broker.image();
    let Some(topics) = request.topic_partitions else {
        let nothing_elected = |name: &str| ReplicaElectionResult::default().with_topic(TopicName(text(name)));
        let topics = image.topics().map(|topic| nothing_elected(topic.name.as_str())).collect();
        return answer(kind, if is_known(kind) { topics } else { Vec::new() });
    };
    let results = topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|index| {
            let refusal = elect(&context, &image, kind, &topic.topic, *index);
            PartitionResult::default()
                .with_partition_id(*index)
                .with_error_code(refusal.code.code())
                .with_error_message(Some(text(refusal.message)))
        });
        let partitions = partitions.collect();
        ReplicaElectionResult::default().with_topic(topic.topic).with_partition_result(partitions)
    });
    let results = results.collect();
    answer(kind, results)
}

fn is_known(kind: i8) -> bool {
    matches!(kind, PREFERRED | UNCLEAN)
}

fn answer(kind: i8, results: Vec<ReplicaElectionResult>) -> ElectLeadersResponse {
    let error = if is_known(kind) { ErrorCode::None } else { ErrorCode::InvalidRequest };
    ElectLeadersResponse::default().with_error_code(error.code()).with_replica_election_results(results)
}

/// Why there is no election.
fn elect(context: &Context, image: &ClusterImage, kind: i8, topic: &str, index: i32) -> Refusal {
    let unknown = |message: String| Refusal::new(ErrorCode::UnknownTopicOrPartition, message);
    if !is_known(kind) {
        return Refusal::invalid_request(format!("Unknown election type {kind}"));
    }
    let Some(found) = image.topic(topic) else { return unknown(format!("No such topic as {topic}")) };
    let Some(place) = found.partition(index) else {
        return unknown(format!("No such partition as {topic}-{index}"));
    };
    let leader = context.broker.leader_of(image, found, index);
    let not_needed = "Leader election not needed for topic partition.";
    match (kind, leader) {
        (UNCLEAN, Some(_)) => Refusal::new(ErrorCode::ElectionNotNeeded, not_needed),
        (UNCLEAN, None) => {
            let message = "Eligible topic partition leaders are not available.";
            Refusal::new(ErrorCode::EligibleLeadersNotAvailable, message)
        }
        (_, Some(leader)) if image.replicas(place).first() == Some(&leader) => {
            Refusal::new(ErrorCode::ElectionNotNeeded, not_needed)
        }
        _ => {
            let message = "The preferred leader was not available.";
            Refusal::new(ErrorCode::PreferredLeaderNotAvailable, message)
        }
    }
}
