//! OffsetCommit (key 8), versions 2 to 10; topics by id from 10 on (KIP-848). Durable when answered.

use std::collections::BTreeMap;

use controller::ClusterImage;
use coordinator::{CommitPartition, CommitReply, CommitRequest, CommitTopic, Reply, Request};
use model::{ErrorCode, TopicId};
use wire::messages::offset_commit_request::OffsetCommitRequestTopic;
use wire::messages::offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
use wire::messages::{OffsetCommitRequest, OffsetCommitResponse};

use crate::dispatch::Context;
use crate::text::string;

/// From here on topics go by id, and an unknown group is told apart from a stale member.
const BY_ID_SINCE: i16 = 10;
const GROUP_NOT_FOUND_SINCE: i16 = 9;

/// Errors by topic (its place in the request) and partition.
type Errors = BTreeMap<(usize, i32), ErrorCode>;

/// Commits the offsets of partitions that exist.
pub(crate) async fn handle(context: Context, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let image = context.broker.image();
    let mut errors = Errors::new();
    let mut places = Vec::new();
    let mut topics = Vec::new();
    for (place, topic) in request.topics.iter().enumerate() {
        if let Some(topic) = committable(&context, &image, place, topic, &mut errors) {
            places.push(place);
            topics.push(topic);
        }
    }
    if !topics.is_empty() {
        let commit = Request::Commit(CommitRequest {
            group: request.group_id.to_string(),
            member_id: request.member_id.to_string(),
            instance_id: request.group_instance_id.as_ref().map(string),
            generation: request.generation_id_or_member_epoch,
            retention_ms: (context.version < 5 && request.retention_time_ms >= 0).then_some(request.retention_time_ms),
            group_not_found_known: context.version >= GROUP_NOT_FOUND_SINCE,
            topics: topics.clone(),
        });
        let committed = context.broker.ask_group_to_write(commit).await;
        note(&mut errors, &places, &topics, committed);
    }
    let topics = request.topics.into_iter().enumerate().map(|(place, topic)| answer(&errors, place, topic));
    OffsetCommitResponse::default().with_topics(topics.collect())
}

/// The part of a topic that may be committed; notes what is wrong with the rest.
fn committable(
    context: &Context,
    image: &ClusterImage,
    place: usize,
    asked: &OffsetCommitRequestTopic,
    errors: &mut Errors,
) -> Option<CommitTopic> {
    let (topic, unknown) = match context.version {
        ..BY_ID_SINCE => (image.topic(&asked.name), ErrorCode::UnknownTopicOrPartition),
        BY_ID_SINCE.. => (image.topic_by_id(TopicId(asked.topic_id)), ErrorCode::UnknownTopicId),
    };
    let Some(topic) = topic else {
        errors.extend(asked.partitions.iter().map(|partition| ((place, partition.partition_index), unknown)));
        return None;
    };
    let mut partitions = Vec::with_capacity(asked.partitions.len());
    for partition in &asked.partitions {
        let index = partition.partition_index;
        if topic.partition(index).is_none() {
            errors.insert((place, index), ErrorCode::UnknownTopicOrPartition);
            continue;
        }
        partitions.push(CommitPartition {
            partition: index,
            offset: partition.committed_offset,
            leader_epoch: partition.committed_leader_epoch,
            metadata: partition.committed_metadata.as_ref().map(string),
        });
    }
    let name = topic.name.to_string();
    (!partitions.is_empty()).then_some(CommitTopic { name, id: topic.id, partitions })
}

fn note(errors: &mut Errors, places: &[usize], topics: &[CommitTopic], committed: Result<Reply, ErrorCode>) {
    match committed {
        Ok(Reply::Commit(CommitReply { topics })) => {
            for (place, topic) in places.iter().zip(topics) {
                errors.extend(topic.partitions.into_iter().map(|p| ((*place, p.partition), p.error)));
            }
        }
        Ok(_) | Err(_) => {
            let error = committed.err().unwrap_or(ErrorCode::UnknownServerError);
            for (place, topic) in places.iter().zip(topics) {
                errors.extend(topic.partitions.iter().map(|p| ((*place, p.partition), error)));
            }
        }
    }
}

fn answer(errors: &Errors, place: usize, topic: OffsetCommitRequestTopic) -> OffsetCommitResponseTopic {
    let partitions = topic.partitions.iter().map(|partition| {
        let index = partition.partition_index;
        let error = errors.get(&(place, index)).copied().unwrap_or(ErrorCode::None);
        OffsetCommitResponsePartition::default().with_partition_index(index).with_error_code(error.code())
    });
    let partitions = partitions.collect();
    OffsetCommitResponseTopic::default().with_name(topic.name).with_topic_id(topic.topic_id).with_partitions(partitions)
}
