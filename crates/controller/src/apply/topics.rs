//! Commands about topics. Each topic of a command stands or falls by itself.

use std::sync::Arc;

use model::{ErrorCode, PartitionId, TopicId, TopicName};

use super::{Outcome, Refusal};
use crate::command::{CreatePartitions, CreateTopics, DeleteTopics, NewPartitions, NewTopic};
use crate::image::{ClusterImage, Draft, PartitionImage, TopicImage};

/// Partitions of one topic. Its image is copied when it changes, so its size is bounded.
pub(super) const MAX_PARTITIONS_PER_TOPIC: usize = 100_000;

pub(super) fn create(draft: &mut Draft, command: CreateTopics) -> Outcome {
    Outcome::TopicsCreated(command.topics.into_iter().map(|topic| create_one(draft, topic)).collect())
}

fn create_one(draft: &mut Draft, topic: NewTopic) -> Result<Arc<TopicImage>, Refusal> {
    let image = draft.image();
    check_name(image, &topic.name)?;
    if topic.id == TopicId::NIL || image.topic_by_id(topic.id).is_some() {
        return Err(Refusal::stale(format!("The topic id {} is taken.", topic.id)));
    }
    if topic.partitions.is_empty() {
        let message = "Number of partitions was set to an invalid non-positive value.";
        return Err(Refusal::new(ErrorCode::InvalidPartitions, message));
    }
    check_places(image, &topic.partitions)?;
    let NewTopic { id, name, partitions, configs } = topic;
    Ok(draft.put_topic(TopicImage { id, name, partitions, configs }))
}

/// Whether a topic of this name could be created now: TOPIC_ALREADY_EXISTS 36 if there is one,
/// INVALID_TOPIC_EXCEPTION 17 if another's name is the same in a metric's name.
pub fn check_name(image: &ClusterImage, name: &TopicName) -> Result<(), Refusal> {
    if image.topic(name.as_str()).is_some() {
        return Err(Refusal::new(ErrorCode::TopicAlreadyExists, format!("Topic '{name}' already exists.")));
    }
    if let Some(other) = image.colliding_topic(name) {
        let message = format!("Topic '{name}' collides with existing topic: {other}");
        return Err(Refusal::new(ErrorCode::InvalidTopicException, message));
    }
    Ok(())
}

/// The proposer chose places by an image that may have been older.
fn check_places(image: &ClusterImage, partitions: &[PartitionImage]) -> Result<(), Refusal> {
    if partitions.len() > MAX_PARTITIONS_PER_TOPIC {
        let message = format!("A topic has at most {MAX_PARTITIONS_PER_TOPIC} partitions.");
        return Err(Refusal::new(ErrorCode::InvalidPartitions, message));
    }
    match partitions.iter().find(|partition| image.shard_of(partition).is_none()) {
        Some(partition) => Err(Refusal::stale(format!("There is no {}.", partition.shard))),
        None => Ok(()),
    }
}

pub(super) fn delete(draft: &mut Draft, command: &DeleteTopics) -> Outcome {
    Outcome::TopicsDeleted(command.topics.iter().map(|id| delete_one(draft, *id)).collect())
}

fn delete_one(draft: &mut Draft, id: TopicId) -> Result<Arc<TopicImage>, Refusal> {
    let deleted = draft.remove_topic(id).ok_or_else(unknown_id)?;
    for (index, _) in deleted.numbered() {
        let partition = PartitionId { topic: id, index };
        if draft.image().move_of(partition).is_some() {
            draft.remove_move(partition);
        }
    }
    Ok(deleted)
}

pub(super) fn grow(draft: &mut Draft, command: CreatePartitions) -> Outcome {
    Outcome::PartitionsCreated(command.topics.into_iter().map(|topic| grow_one(draft, topic)).collect())
}

fn grow_one(draft: &mut Draft, growth: NewPartitions) -> Result<Arc<TopicImage>, Refusal> {
    let topic = draft.image().topic_by_id(growth.topic).ok_or_else(unknown_id)?;
    if topic.partitions.len() != growth.current as usize {
        return Err(Refusal::stale(format!("The topic {} has {} partitions now.", topic.name, topic.partitions.len())));
    }
    let mut topic = TopicImage::clone(topic);
    topic.partitions.extend(growth.shards.into_iter().map(PartitionImage::new));
    check_places(draft.image(), &topic.partitions)?;
    Ok(draft.put_topic(topic))
}

fn unknown_id() -> Refusal {
    Refusal::new(ErrorCode::UnknownTopicId, "This server does not host this topic ID.")
}
