//! The Produce response.

use model::ErrorCode;
use wire::StrBytes;
use wire::messages::produce_request::TopicProduceData;
use wire::messages::produce_response::{BatchIndexAndErrorMessage, PartitionProduceResponse, TopicProduceResponse};
use wire::messages::{ProduceRequest, ProduceResponse};

use crate::admission::{Produced, Refused};

/// Puts the results, which stand in the order of the request, into a response.
pub(crate) fn respond(
    request: ProduceRequest,
    results: Vec<Vec<Option<Result<Produced, Refused>>>>,
) -> ProduceResponse {
    let topics = request.topic_data.into_iter().zip(results).map(|(topic, results)| topic_response(topic, results));
    ProduceResponse::default().with_responses(topics.collect())
}

fn topic_response(topic: TopicProduceData, results: Vec<Option<Result<Produced, Refused>>>) -> TopicProduceResponse {
    let partitions = topic.partition_data.iter().zip(results).map(|(data, result)| {
        let result = result.unwrap_or_else(|| Err(ErrorCode::UnknownServerError.into()));
        partition_response(data.index, result)
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
