//! DescribeProducers (key 61), version 0 (KIP-664). There are no transactions yet, so none is open.

use controller::{ClusterImage, Refusal};
use model::{ErrorCode, PartitionId, TopicName};
use shard::ActiveProducer;
use wire::messages::describe_producers_response::{PartitionResponse, ProducerState, TopicResponse};
use wire::messages::{DescribeProducersRequest, DescribeProducersResponse, ProducerId};

use crate::dispatch::Context;
use crate::text::text;

/// Lists the live idempotent producers of each partition named.
pub(crate) async fn handle(context: Context, request: DescribeProducersRequest) -> DescribeProducersResponse {
    let image = context.broker.image();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
        for index in topic.partition_indexes {
            let response = PartitionResponse::default().with_partition_index(index);
            partitions.push(match producers(&context, &image, &topic.name, index).await {
                Ok(producers) => {
                    let states = producers.into_iter().map(state);
                    response.with_error_message(None).with_active_producers(states.collect())
                }
                Err(why) => {
                    let message = Some(why.message).filter(|message| !message.is_empty());
                    response.with_error_code(why.code.code()).with_error_message(message.map(text))
                }
            });
        }
        topics.push(TopicResponse::default().with_name(topic.name).with_partitions(partitions));
    }
    DescribeProducersResponse::default().with_topics(topics)
}

async fn producers(
    context: &Context,
    image: &ClusterImage,
    name: &str,
    index: i32,
) -> Result<Vec<ActiveProducer>, Refusal> {
    TopicName::parse(name).map_err(|why| Refusal::new(ErrorCode::InvalidTopicException, why.to_string()))?;
    let unknown =
        || Refusal::new(ErrorCode::UnknownTopicOrPartition, "This server does not host this topic-partition.");
    let topic = image.topic(name).ok_or_else(unknown)?;
    let silent = |error| Refusal::new(error, "");
    let shard = context.broker.led(image, topic, index).map_err(silent)?.shard;
    let now_ms = context.broker.env.clock.now_ms();
    match shard.producers(PartitionId { topic: topic.id, index }, now_ms).await {
        Ok(Some(producers)) => Ok(producers),
        Ok(None) => Err(silent(ErrorCode::NotLeaderOrFollower)),
        Err(why) => Err(silent(why.code())),
    }
}

fn state(producer: ActiveProducer) -> ProducerState {
    ProducerState::default()
        .with_producer_id(ProducerId(producer.id))
        .with_producer_epoch(i32::from(producer.epoch))
        .with_last_sequence(producer.last_sequence)
        .with_last_timestamp(producer.last_append_ms)
        .with_coordinator_epoch(-1)
        .with_current_txn_start_offset(-1)
}
