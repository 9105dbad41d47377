//! OffsetDelete (key 47), version 0 (KIP-496).

use std::collections::BTreeMap;

use coordinator::{DeleteOffsetsReply, DeleteOffsetsRequest, Reply, Request};
use model::ErrorCode;
use wire::messages::offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic};
use wire::messages::{OffsetDeleteRequest, OffsetDeleteResponse, TopicName};

use crate::dispatch::Context;
use crate::distinct::grouped;
use crate::text::{string, text};

/// Partitions of one topic, each with what became of it.
type Outcomes = Vec<(i32, ErrorCode)>;

/// Deletes committed offsets of topics that no member of the group reads.
pub(crate) async fn handle(context: Context, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
    let image = context.broker.image();
    let (mut unknown, mut topics) = (BTreeMap::<String, Outcomes>::new(), Vec::new());
    let asked = request.topics.iter().map(|topic| (string(&topic.name), &topic.partitions));
    for (name, partitions) in grouped(asked) {
        let exists = |partition: &i32| image.topic(&name).is_some_and(|topic| topic.partition(*partition).is_some());
        let partitions = partitions.into_iter().flatten().map(|partition| partition.partition_index);
        let (known, strange): (Vec<i32>, Vec<i32>) = partitions.partition(exists);
        let strange = strange.into_iter().map(|partition| (partition, ErrorCode::UnknownTopicOrPartition));
        unknown.insert(name.clone(), strange.collect());
        topics.push((name, known));
    }
    let names: Vec<String> = topics.iter().map(|(name, _)| name.clone()).collect();
    match delete(&context, DeleteOffsetsRequest { group: string(&request.group_id), topics }).await {
        Ok(deleted) => {
            let mut deleted: BTreeMap<String, Outcomes> = deleted.into_iter().collect();
            let outcomes = names.into_iter().map(|name| {
                let mut outcomes = unknown.remove(&name).unwrap_or_default();
                outcomes.extend(deleted.remove(&name).unwrap_or_default());
                (name, outcomes)
            });
            let answered = outcomes.filter(|(_, outcomes)| !outcomes.is_empty());
            OffsetDeleteResponse::default()
                .with_topics(answered.map(|(name, outcomes)| answer(&name, outcomes)).collect())
        }
        Err(error) => OffsetDeleteResponse::default().with_error_code(error.code()),
    }
}

async fn delete(context: &Context, request: DeleteOffsetsRequest) -> Result<Vec<(String, Outcomes)>, ErrorCode> {
    if request.group.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    match context.broker.ask_group_to_write(Request::DeleteOffsets(request)).await? {
        Reply::DeleteOffsets(DeleteOffsetsReply { error: ErrorCode::None, topics }) => Ok(topics),
        Reply::DeleteOffsets(DeleteOffsetsReply { error, .. }) => Err(error),
        other => {
            tracing::error!(?other, "a coordinator answered out of turn");
            Err(ErrorCode::UnknownServerError)
        }
    }
}

fn answer(name: &str, outcomes: Outcomes) -> OffsetDeleteResponseTopic {
    let partitions = outcomes.into_iter().map(|(partition, error)| {
        OffsetDeleteResponsePartition::default().with_partition_index(partition).with_error_code(error.code())
    });
    OffsetDeleteResponseTopic::default().with_name(TopicName(text(name))).with_partitions(partitions.collect())
}
