//! The Produce response.

use model::{ErrorCode, TopicId};
use wire::StrBytes;
use wire::messages::produce_request::TopicProduceData;
use wire::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, TopicProduceResponse,
};
use wire::messages::{BrokerId, ProduceRequest, ProduceResponse};

use crate::admission::{Produced, Refused};
use crate::dispatch::Context;
use crate::hints::Hints;

/// The version that tells who leads instead.
const LEADERS_FROM: i16 = 10;

/// Puts the results, which stand in the order of the request, into a response.
pub(crate) fn respond(
    context: &Context,
    request: ProduceRequest,
    results: Vec<Vec<Option<Result<Produced, Refused>>>>,
) -> ProduceResponse {
    let mut hints = Hints::new(context, LEADERS_FROM);
    let topics =
        request.topic_data.into_iter().zip(results).map(|(topic, results)| topic_response(&mut hints, topic, results));
    let topics = topics.collect();
    let endpoints = hints.endpoints().map(|leader| {
        NodeEndpoint::default()
            .with_node_id(BrokerId(leader.id.0))
            .with_host(StrBytes::from_string(leader.host))
            .with_port(i32::from(leader.port))
            .with_rack(leader.rack.map(StrBytes::from_string))
    });
    ProduceResponse::default().with_responses(topics).with_node_endpoints(endpoints.collect())
}

fn topic_response(
    hints: &mut Hints<'_>,
    topic: TopicProduceData,
    results: Vec<Option<Result<Produced, Refused>>>,
) -> TopicProduceResponse {
    let partitions = topic.partition_data.iter().zip(results).map(|(data, result)| {
        let result = result.unwrap_or_else(|| Err(ErrorCode::UnknownServerError.into()));
        let leader = match &result {
            Err(refused) => hints.leader(refused.code, &topic.name, TopicId(topic.topic_id), data.index),
            Ok(_) => None,
        };
        let response = partition_response(data.index, result);
        match leader {
            Some((id, epoch)) => response.with_current_leader(
                LeaderIdAndEpoch::default().with_leader_id(BrokerId(id.0)).with_leader_epoch(epoch),
            ),
            None => response,
        }
    });
    let partitions = partitions.collect();
    TopicProduceResponse::default()
        .with_name(topic.name)
        .with_topic_id(topic.topic_id)
        .with_partition_responses(partitions)
}

fn partition_response(index: i32, result: Result<Produced, Refused>) -> PartitionProduceResponse {
    let response = PartitionProduceResponse::default().with_index(index);
    match result {
        Ok(produced) => response
            .with_base_offset(produced.base_offset)
            .with_log_append_time_ms(produced.log_append_time_ms)
            .with_log_start_offset(produced.log_start),
        Err(refused) => response
            .with_error_code(refused.code.code())
            .with_base_offset(-1)
            .with_log_start_offset(refused.log_start)
            .with_record_errors(refused.records.into_iter().map(record_error).collect())
            .with_error_message(refused.message.map(StrBytes::from_string)),
    }
}

fn record_error((record, why): (i32, String)) -> BatchIndexAndErrorMessage {
    BatchIndexAndErrorMessage::default()
        .with_batch_index(record)
        .with_batch_index_error_message(Some(StrBytes::from_string(why)))
}
