//! DescribeTopicPartitions (key 75), version 0 (KIP-966): Metadata for topics with many partitions, page
//! by page. Topics come in the order of their names, and a cursor says where the next page begins.

use std::collections::BTreeSet;

use controller::{ClusterImage, TopicImage};
use model::{ErrorCode, TopicName};
use wire::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use wire::messages::{BrokerId, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse};

use crate::broker::Leading;
use crate::dispatch::Context;
use crate::endpoints::wire_ids;
use crate::operations::Operations;
use crate::text::{string, text};

/// A page that is being filled.
struct Page {
    /// Partitions that still fit.
    room: usize,
    topics: Vec<DescribeTopicPartitionsResponseTopic>,
    next: Option<(String, usize)>,
}

/// Describes the topics asked for, or all, from the cursor on.
pub(crate) async fn handle(
    context: Context,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let image = context.broker.image();
    let asked: BTreeSet<String> = request.topics.iter().map(|topic| string(&topic.name)).collect();
    let cursor = request.cursor.as_ref().map(|at| (string(&at.topic_name), usize::try_from(at.partition_index)));
    let (first, skipped) = match cursor {
        None => (String::new(), 0),
        Some((topic, Ok(index))) if asked.is_empty() || asked.contains(&topic) => (topic, index),
        Some(_) => return refused(&request),
    };
    let limit = request.response_partition_limit.min(context.broker.config().max_request_partition_size_limit());
    let mut page = Page { room: usize::try_from(limit).unwrap_or(0).max(1), topics: Vec::new(), next: None };
    let skip = |name: &str| if name == first { skipped } else { 0 };
    if asked.is_empty() {
        let names = image.topics().map(|topic| topic.name.as_str()).filter(|name| *name >= &*first);
        fill(&context, &image, &mut page, names, skip);
    } else {
        fill(&context, &image, &mut page, asked.range(first.clone()..).map(String::as_str), skip);
    }
    let cursor = |(topic, index): (String, usize)| {
        Cursor::default()
            .with_topic_name(wire::messages::TopicName(text(topic)))
            .with_partition_index(i32::try_from(index).unwrap_or(i32::MAX))
    };
    DescribeTopicPartitionsResponse::default().with_topics(page.topics).with_next_cursor(page.next.map(cursor))
}

/// Kafka's answer to a cursor that points to nothing asked for.
fn refused(request: &DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
    let topics = request.topics.iter().map(|topic| {
        DescribeTopicPartitionsResponseTopic::default()
            .with_name(Some(topic.name.clone()))
            .with_error_code(ErrorCode::InvalidRequest.code())
    });
    DescribeTopicPartitionsResponse::default().with_topics(topics.collect())
}

fn fill<'a>(
    context: &Context,
    image: &ClusterImage,
    page: &mut Page,
    names: impl Iterator<Item = &'a str>,
    skip: impl Fn(&str) -> usize,
) {
    for name in names {
        let from = skip(name);
        if page.room == 0 {
            page.next = Some((name.to_owned(), from));
            return;
        }
        let Some(topic) = image.topic(name) else {
            page.topics.push(unknown(name));
            continue;
        };
        let end = topic.partitions.len().min(from.saturating_add(page.room));
        page.topics.push(described(context, image, topic, from..end));
        page.room -= end.saturating_sub(from);
        if end < topic.partitions.len() {
            page.next = Some((name.to_owned(), end));
            return;
        }
    }
}

fn unknown(name: &str) -> DescribeTopicPartitionsResponseTopic {
    let error = match TopicName::parse(name) {
        Ok(_) => ErrorCode::UnknownTopicOrPartition,
        Err(_) => ErrorCode::InvalidTopicException,
    };
    DescribeTopicPartitionsResponseTopic::default()
        .with_name(Some(wire::messages::TopicName(text(name))))
        .with_error_code(error.code())
        .with_topic_authorized_operations(Operations::TOPIC.if_asked(true))
}

fn described(
    context: &Context,
    image: &ClusterImage,
    topic: &TopicImage,
    range: std::ops::Range<usize>,
) -> DescribeTopicPartitionsResponseTopic {
    let partitions = topic.numbered().skip(range.start).take(range.len()).map(|(index, place)| {
        let partition = DescribeTopicPartitionsResponsePartition::default()
            .with_partition_index(index)
            .with_replica_nodes(wire_ids(image.replicas(place)))
            .with_eligible_leader_replicas(Some(Vec::new()))
            .with_last_known_elr(Some(Vec::new()));
        match context.broker.leading(image, topic, index) {
            Some(Leading { leader, epoch, in_sync }) => {
                partition.with_leader_id(BrokerId(leader.0)).with_leader_epoch(epoch).with_isr_nodes(wire_ids(&in_sync))
            }
            None => partition.with_error_code(ErrorCode::LeaderNotAvailable.code()).with_leader_id(BrokerId(-1)),
        }
    });
    DescribeTopicPartitionsResponseTopic::default()
        .with_name(Some(wire::messages::TopicName(text(topic.name.as_str()))))
        .with_topic_id(topic.id.0)
        .with_is_internal(topic.is_internal())
        .with_partitions(partitions.collect())
        .with_topic_authorized_operations(Operations::TOPIC.if_asked(true))
}
