//! ElectLeaders (key 43), versions 0 to 2 (KIP-183, KIP-460). A partition is led by who leads its shard, so that
//! electing its preferred leader does so for all partitions of the shard. An unclean election is never made: who leads has
//! all that was acknowledged.

use std::collections::BTreeMap;
use std::time::Duration;

use controller::{ClusterImage, Refusal, TopicImage};
use futures::future::join_all;
use model::{BrokerId, ErrorCode, GroupId};
use wire::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use wire::messages::{ElectLeadersRequest, ElectLeadersResponse, TopicName};

use crate::dispatch::Context;
use crate::text::text;

/// To the preferred replica.
const PREFERRED: i8 = 0;

/// To any replica, where all that hold everything are gone.
const UNCLEAN: i8 = 1;

/// How long a leader may take to pass on its leadership, however long the client waits.
const LONGEST: Duration = Duration::from_secs(10);

/// Answers for each partition named; no list means all, of which those are told that were elected.
pub(crate) async fn handle(context: Context, request: ElectLeadersRequest) -> ElectLeadersResponse {
    let kind = request.election_type;
    if !is_known(kind) && request.topic_partitions.is_none() {
        return answer(kind, Vec::new());
    }
    let image = context.broker.image();
    let asks_for_all = request.topic_partitions.is_none();
    let asked: Vec<(TopicName, Vec<i32>)> = match request.topic_partitions {
        Some(topics) => topics.into_iter().map(|topic| (topic.topic, topic.partitions)).collect(),
        None => image.topics().map(|topic| all_of(topic)).collect(),
    };
    let wanted = |(name, indexes): &(TopicName, Vec<i32>)| -> Vec<Result<(GroupId, BrokerId), Refusal>> {
        indexes.iter().map(|index| wanted(&context, &image, kind, name, *index)).collect()
    };
    let wanted: Vec<Vec<_>> = asked.iter().map(wanted).collect();
    let shards: BTreeMap<GroupId, BrokerId> = wanted.iter().flatten().flatten().copied().collect();
    let within = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0)).min(LONGEST);
    let broker = &context.broker;
    let elections = shards.iter().map(async |(shard, to)| (*shard, broker.have_lead(*shard, *to, within).await));
    let elected: BTreeMap<GroupId, bool> = join_all(elections).await.into_iter().collect();
    let results = asked.into_iter().zip(wanted).map(|((topic, indexes), wanted)| {
        let results = indexes.into_iter().zip(wanted).map(|(index, wanted)| result(index, wanted, &elected));
        let is_told =
            |result: &PartitionResult| !asks_for_all || result.error_code != ErrorCode::ElectionNotNeeded.code();
        let partitions = results.filter(is_told).collect();
        ReplicaElectionResult::default().with_topic(topic).with_partition_result(partitions)
    });
    let results = results.collect();
    answer(kind, results)
}

fn all_of(topic: &TopicImage) -> (TopicName, Vec<i32>) {
    (TopicName(text(topic.name.as_str())), topic.numbered().map(|(index, _)| index).collect())
}

fn result(
    index: i32,
    wanted: Result<(GroupId, BrokerId), Refusal>,
    elected: &BTreeMap<GroupId, bool>,
) -> PartitionResult {
    let outcome = wanted.and_then(|(shard, _)| match elected.get(&shard) {
        Some(true) => Ok(()),
        _ => Err(not_available()),
    });
    let (code, message) = match outcome {
        Ok(()) => (ErrorCode::None, None),
        Err(refusal) => (refusal.code, Some(text(refusal.message))),
    };
    PartitionResult::default().with_partition_id(index).with_error_code(code.code()).with_error_message(message)
}

fn not_available() -> Refusal {
    Refusal::new(ErrorCode::PreferredLeaderNotAvailable, "The preferred leader was not available.")
}

fn is_known(kind: i8) -> bool {
    matches!(kind, PREFERRED | UNCLEAN)
}

fn answer(kind: i8, results: Vec<ReplicaElectionResult>) -> ElectLeadersResponse {
    let error = if is_known(kind) { ErrorCode::None } else { ErrorCode::InvalidRequest };
    ElectLeadersResponse::default().with_error_code(error.code()).with_replica_election_results(results)
}

/// Which shard is to be led by whom for a partition, or why there is no election.
fn wanted(
    context: &Context,
    image: &ClusterImage,
    kind: i8,
    topic: &str,
    index: i32,
) -> Result<(GroupId, BrokerId), Refusal> {
    let unknown = |message: String| Refusal::new(ErrorCode::UnknownTopicOrPartition, message);
    if !is_known(kind) {
        return Err(Refusal::invalid_request(format!("Unknown election type {kind}")));
    }
    let found = image.topic(topic).ok_or_else(|| unknown(format!("No such topic as {topic}")))?;
    let place = found.partition(index).ok_or_else(|| unknown(format!("No such partition as {topic}-{index}")))?;
    let leading = context.broker.leading(image, found, index);
    let not_needed = || {
        let message = "Leader election not needed for topic partition.";
        Err(Refusal::new(ErrorCode::ElectionNotNeeded, message))
    };
    match (kind, leading, image.replicas(place).first()) {
        (UNCLEAN, Some(_), _) => not_needed(),
        (UNCLEAN, None, _) => {
            let message = "Eligible topic partition leaders are not available.";
            Err(Refusal::new(ErrorCode::EligibleLeadersNotAvailable, message))
        }
        (_, Some(leading), Some(preferred)) if leading.leader == *preferred => not_needed(),
        (_, Some(leading), Some(preferred)) if leading.in_sync.contains(preferred) => Ok((place.shard, *preferred)),
        _ => Err(not_available()),
    }
}
