//! DeleteRecords (key 21), versions 0 to 2 (KIP-107): moves log starts up. The move is an entry, so
//! it is durable when it is answered.

use std::time::Duration;

use model::ErrorCode;
use shard::Outcome;
use shard::entry::{self, AdvanceStart, LogStart};
use tokio::time::timeout;
use wire::messages::delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult};
use wire::messages::{DeleteRecordsRequest, DeleteRecordsResponse};

use crate::dispatch::Context;
use crate::distinct::{grouped, last_of_each};

/// "Everything that is there", as offset.
const HIGH_WATERMARK: i64 = -1;

/// Moves the log start of each partition.
pub(crate) async fn handle(context: Context, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let patience = Duration::from_millis(request.timeout_ms.max(0) as u64);
    let asked = request.topics.into_iter().flat_map(|topic| {
        let name = topic.name;
        topic.partitions.into_iter().map(move |partition| ((name.clone(), partition.partition_index), partition.offset))
    });
    let mut results = Vec::new();
    for ((topic, index), offset) in last_of_each(asked) {
        let deleted = timeout(patience, delete(&context, &topic, index, offset)).await;
        let result = DeleteRecordsPartitionResult::default().with_partition_index(index);
        let result = match deleted.unwrap_or(Err(ErrorCode::RequestTimedOut)) {
            Ok(low_watermark) => result.with_low_watermark(low_watermark),
            Err(error) => result.with_low_watermark(-1).with_error_code(error.code()),
        };
        results.push((topic, result));
    }
    let topics = grouped(results)
        .into_iter()
        .map(|(name, partitions)| DeleteRecordsTopicResult::default().with_name(name).with_partitions(partitions));
    DeleteRecordsResponse::default().with_topics(topics.collect())
}

async fn delete(context: &Context, topic: &str, index: i32, offset: i64) -> Result<i64, ErrorCode> {
    let broker = &context.broker;
    let image = broker.image();
    let topic = image.topic(topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if topic.is_internal() {
        return Err(ErrorCode::InvalidTopicException);
    }
    if !broker.topics.settings(topic).config.cleanup_policy.delete {
        return Err(ErrorCode::PolicyViolation);
    }
    let led = broker.led(&image, topic, index)?;
    let log = &led.partition.log;
    let offset = if offset == HIGH_WATERMARK { log.log_end() } else { offset };
    if offset < 0 || offset > log.log_end() {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    if offset > log.log_start() {
        let moves = AdvanceStart { partitions: vec![LogStart { id: led.partition.id, offset }] };
        let entry = entry::advance_start(broker.env.clock.now_ms(), &moves);
        match led.shard.submit(entry).await.map_err(|why| why.code())? {
            Outcome::Refused(error) => return Err(error),
            Outcome::Appended(_) | Outcome::Done => {}
        }
    }
    Ok(log.log_start())
}
