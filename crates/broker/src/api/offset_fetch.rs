//! OffsetFetch (key 9), versions 1 to 10; several groups from 8 on (KIP-709), topics by id from 10
//! on (KIP-848). Reads the replicated view: whatever was committed is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use controller::ClusterImage;
use coordinator::{CommittedOffset, GroupStore};
use model::{ErrorCode, TopicId, TopicName};
use shard::Partition;
use wire::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use wire::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};
use wire::messages::{OffsetFetchRequest, OffsetFetchResponse};

use crate::dispatch::Context;
use crate::text::text;

/// From here on a request names several groups.
const GROUPS_SINCE: i16 = 8;
/// From here on topics go by id.
const BY_ID_SINCE: i16 = 10;
/// From here on null topics ask for all; before, an error goes to each partition.
const TOP_LEVEL_ERROR_SINCE: i16 = 2;

/// Answers with what groups have committed; -1 where they have not.
pub(crate) async fn handle(context: Context, request: OffsetFetchRequest) -> OffsetFetchResponse {
    if context.version >= GROUPS_SINCE {
        let groups = request.groups.into_iter().map(|group| fetch(&context, group));
        return OffsetFetchResponse::default().with_groups(groups.collect());
    }
    let topics = request.topics.map(|topics| {
        let topics = topics.into_iter().map(|topic| {
            OffsetFetchRequestTopics::default().with_name(topic.name).with_partition_indexes(topic.partition_indexes)
        });
        topics.collect()
    });
    let group = OffsetFetchRequestGroup::default().with_group_id(request.group_id).with_topics(topics);
    let found = fetch(&context, group);
    let response = OffsetFetchResponse::default().with_topics(found.topics.into_iter().map(as_single_group).collect());
    match context.version {
        ..TOP_LEVEL_ERROR_SINCE => response,
        TOP_LEVEL_ERROR_SINCE.. => response.with_error_code(found.error_code),
    }
}

fn fetch(context: &Context, asked: OffsetFetchRequestGroup) -> OffsetFetchResponseGroup {
    let image = context.broker.image();
    let response = OffsetFetchResponseGroup::default().with_group_id(asked.group_id.clone());
    let partition = match offsets_partition(context, &image, &asked.group_id) {
        Ok(partition) => partition,
        Err(error) => {
            let topics = asked.topics.unwrap_or_default().into_iter().map(|topic| failed(topic, error));
            return response.with_error_code(error.code()).with_topics(topics.collect());
        }
    };
    let Some(store) = partition.groups() else {
        return response.with_error_code(ErrorCode::NotCoordinator.code());
    };
    let by_id = context.version >= BY_ID_SINCE;
    let topics = match asked.topics {
        None => all(&image, &store, &asked.group_id, by_id),
        Some(topics) => topics.into_iter().map(|topic| some(&image, &store, &asked.group_id, topic, by_id)).collect(),
    };
    response.with_topics(topics)
}

fn offsets_partition(context: &Context, image: &ClusterImage, group: &str) -> Result<Arc<Partition>, ErrorCode> {
    let broker = &context.broker;
    let topic = image.topic(TopicName::CONSUMER_OFFSETS).ok_or(ErrorCode::CoordinatorNotAvailable)?;
    let index = broker.group_partition(group).ok_or(ErrorCode::CoordinatorNotAvailable)?;
    let led = broker.led(image, topic, index).map_err(|_| ErrorCode::NotCoordinator)?;
    Ok(led.partition)
}

/// All that the group has committed.
fn all(image: &ClusterImage, store: &GroupStore, group: &str, by_id: bool) -> Vec<OffsetFetchResponseTopics> {
    let mut topics: BTreeMap<&str, Vec<OffsetFetchResponsePartitions>> = BTreeMap::new();
    for (topic, index, committed) in store.offsets_of(group) {
        topics.entry(topic).or_default().push(found(index, Some(committed)));
    }
    let topics = topics.into_iter().filter_map(|(name, partitions)| {
        let id = image.topic(name).map(|topic| topic.id);
        // By id there is no way to speak of a topic that is gone.
        if by_id && id.is_none() {
            return None;
        }
        let topic = OffsetFetchResponseTopics::default().with_partitions(partitions);
        Some(topic.with_name(wire::messages::TopicName(text(name))).with_topic_id(id.unwrap_or(TopicId::NIL).0))
    });
    topics.collect()
}

/// What the group has committed of the partitions asked for.
fn some(
    image: &ClusterImage,
    store: &GroupStore,
    group: &str,
    asked: OffsetFetchRequestTopics,
    by_id: bool,
) -> OffsetFetchResponseTopics {
    let name = match by_id {
        false => asked.name.to_string(),
        true => match image.topic_by_id(TopicId(asked.topic_id)) {
            Some(topic) => topic.name.to_string(),
            None => return failed(asked, ErrorCode::UnknownTopicId),
        },
    };
    let partitions = asked.partition_indexes.iter().map(|&index| found(index, store.offset(group, &name, index)));
    let partitions = partitions.collect();
    OffsetFetchResponseTopics::default().with_name(asked.name).with_topic_id(asked.topic_id).with_partitions(partitions)
}

fn found(index: i32, committed: Option<&CommittedOffset>) -> OffsetFetchResponsePartitions {
    let partition = OffsetFetchResponsePartitions::default().with_partition_index(index);
    match committed {
        Some(committed) => partition
            .with_committed_offset(committed.offset)
            .with_committed_leader_epoch(committed.leader_epoch)
            .with_metadata(Some(text(&*committed.metadata))),
        None => partition.with_committed_offset(-1).with_committed_leader_epoch(-1).with_metadata(Some(text(""))),
    }
}

fn failed(asked: OffsetFetchRequestTopics, error: ErrorCode) -> OffsetFetchResponseTopics {
    let partitions = asked.partition_indexes.iter().map(|&index| found(index, None).with_error_code(error.code()));
    let partitions = partitions.collect();
    OffsetFetchResponseTopics::default().with_name(asked.name).with_topic_id(asked.topic_id).with_partitions(partitions)
}

fn as_single_group(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    let partitions = topic.partitions.into_iter().map(|partition| {
        OffsetFetchResponsePartition::default()
            .with_partition_index(partition.partition_index)
            .with_committed_offset(partition.committed_offset)
            .with_committed_leader_epoch(partition.committed_leader_epoch)
            .with_metadata(partition.metadata)
            .with_error_code(partition.error_code)
    });
    OffsetFetchResponseTopic::default().with_name(topic.name).with_partitions(partitions.collect())
}
