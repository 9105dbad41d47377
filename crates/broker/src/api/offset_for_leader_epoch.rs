//! OffsetForLeaderEpoch (key 23), versions 2 to 4 (KIP-101, KIP-320).

use model::ErrorCode;
use wire::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use wire::messages::offset_for_leader_epoch_response::{EpochEndOffset, OffsetForLeaderTopicResult};
use wire::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

use crate::dispatch::Context;
use crate::fetch::check_epoch;

/// Says where each epoch ends in the leader's log.
pub(crate) async fn handle(context: Context, request: OffsetForLeaderEpochRequest) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let ends = topic.partitions.iter().map(|asked| {
            let end = EpochEndOffset::default().with_partition(asked.partition);
            match end_of(&context, &topic.topic, asked) {
                Ok((epoch, offset)) => end.with_leader_epoch(epoch).with_end_offset(offset),
                Err(error) => end.with_error_code(error.code()).with_leader_epoch(-1).with_end_offset(-1),
            }
        });
        let ends = ends.collect();
        OffsetForLeaderTopicResult::default().with_topic(topic.topic).with_partitions(ends)
    });
    OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
}

/// The greatest epoch up to the one asked for, and where it ends; (-1, -1) if the log knows none.
fn end_of(context: &Context, topic: &str, asked: &OffsetForLeaderPartition) -> Result<(i32, i64), ErrorCode> {
    let broker = &context.broker;
    let image = broker.image();
    let topic = image.topic(topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let led = broker.led(&image, topic, asked.partition)?;
    check_epoch(asked.current_leader_epoch, led.leader_epoch)?;
    Ok(led.end_of_epoch(asked.leader_epoch).unwrap_or((-1, -1)))
}
