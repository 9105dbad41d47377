//! Meddlers between clients and the broker: together they are a broker that breaks its promises.

use bytes::Bytes;
use model::ErrorCode;
use record::{BatchBuilder, BatchView, MAX_DECOMPRESSED_BATCH_BYTES, Records};
use wire::messages::offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
use wire::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use wire::messages::{OffsetCommitRequest, OffsetCommitResponse, ProduceRequest, ProduceResponse, Response};
use wire::{ApiKey, RequestHeader};

use super::{POWER_CUT, assert_found, meddler};
use crate::history::Check;
use crate::sim::nemesis::Fault;
use crate::sim::promises::Rule;
use crate::sim::tampering::Meddling;

/// One request in so many is meddled with.
const ONE_IN: i32 = 20;

pub(super) fn is_chosen(header: &RequestHeader, api: ApiKey) -> bool {
    header.api == api && header.correlation_id % ONE_IN == ONE_IN - 1
}

pub(super) fn answer<R: Response>(header: &RequestHeader, response: R) -> Meddling {
    Meddling::Answer(wire::encode_response(header.version, header.correlation_id, response).unwrap())
}

fn produce_response(request: ProduceRequest, error: ErrorCode, base_offset: i64) -> ProduceResponse {
    let topics = request.topic_data.into_iter().map(|topic| {
        let answers = topic.partition_data.iter().map(|data| {
            let answer = PartitionProduceResponse::default().with_index(data.index).with_error_code(error.code());
            answer.with_base_offset(base_offset).with_log_append_time_ms(-1).with_log_start_offset(-1)
        });
        let topic_response = TopicProduceResponse::default().with_partition_responses(answers.collect());
        topic_response.with_name(topic.name.clone()).with_topic_id(topic.topic_id)
    });
    ProduceResponse::default().with_responses(topics.collect())
}

#[test]
fn an_acknowledgement_of_what_was_never_written_is_noticed() {
    let acknowledges = |header: &RequestHeader, body: Bytes| match is_chosen(header, ApiKey::Produce) {
        true => answer(header, produce_response(wire::decode(header.version, body).unwrap(), ErrorCode::None, 0)),
        false => Meddling::Pass,
    };
    let rules = [Rule::History(Check::InconsistentOffsets), Rule::History(Check::LostWrite)];
    assert_found(&meddler(acknowledges, &[Fault::CutConnections]), &rules);
}

#[test]
fn a_broker_that_knows_no_producers_writes_twice() {
    // Batches lose their producer id and sequence on the way.
    let forgets = |header: &RequestHeader, body: Bytes| {
        if header.api != ApiKey::Produce {
            return Meddling::Pass;
        }
        let mut request: ProduceRequest = wire::decode(header.version, body).unwrap();
        for data in request.topic_data.iter_mut().flat_map(|topic| &mut topic.partition_data) {
            data.records = data.records.take().map(|batch| without_producer(&batch));
        }
        let client = header.client_id.as_ref().map(|client| client.as_str());
        Meddling::Replace(wire::encode_request(header.version, header.correlation_id, client, &request).unwrap())
    };
    assert_found(&meddler(forgets, &[POWER_CUT, Fault::CutConnections]), &[Rule::History(Check::Duplicate)]);
}

fn without_producer(batch: &Bytes) -> Bytes {
    let Ok(view) = BatchView::new(batch) else { return batch.clone() };
    if view.verify_crc().is_err() {
        return batch.clone();
    }
    let records = Records::of(&view, MAX_DECOMPRESSED_BATCH_BYTES).unwrap();
    let mut plain = BatchBuilder::new().compression(view.attributes().compression().unwrap());
    for record in records.iter().flatten() {
        plain.push(record.timestamp, record.key, record.value, &[]);
    }
    plain.build().unwrap()
}

#[test]
fn a_commit_that_is_answered_and_dropped_is_noticed() {
    let drops = |header: &RequestHeader, body: Bytes| {
        if !is_chosen(header, ApiKey::OffsetCommit) {
            return Meddling::Pass;
        }
        let request: OffsetCommitRequest = wire::decode(header.version, body).unwrap();
        let topics = request.topics.into_iter().map(|topic| {
            let done = topic.partitions.iter().map(|partition| {
                OffsetCommitResponsePartition::default().with_partition_index(partition.partition_index)
            });
            let partitions = done.collect();
            OffsetCommitResponseTopic::default().with_name(topic.name.clone()).with_partitions(partitions)
        });
        answer(header, OffsetCommitResponse::default().with_topics(topics.collect()))
    };
    assert_found(&meddler(drops, &[POWER_CUT]), &[Rule::CommitLost]);
}

#[test]
fn a_record_that_was_refused_and_is_read_all_the_same_is_noticed() {
    // The client is told that its batch is corrupt; the broker has taken it.
    let refuses = |header: &RequestHeader, body: Bytes| {
        let chosen = is_chosen(header, ApiKey::Produce);
        let request: Option<ProduceRequest> = chosen.then(|| wire::decode(header.version, body).unwrap());
        match request {
            Some(request) if request.acks != 0 => {
                let refusal = produce_response(request.clone(), ErrorCode::CorruptMessage, -1);
                let client = header.client_id.as_ref().map(|client| client.as_str());
                let silent = request.with_acks(0);
                let passed = wire::encode_request(header.version, header.correlation_id, client, &silent).unwrap();
                let told = wire::encode_response(header.version, header.correlation_id, refusal).unwrap();
                Meddling::Both(passed, told)
            }
            _ => Meddling::Pass,
        }
    };
    assert_found(&meddler(refuses, &[Fault::CutConnections]), &[Rule::History(Check::AbortedRead)]);
}
