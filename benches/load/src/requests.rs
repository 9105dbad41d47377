//! Requests and answers as bytes.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use record::{BatchBuilder, BatchView};
use wire::StrBytes;
use wire::messages::fetch_request::{FetchPartition, FetchTopic};
use wire::messages::produce_request::{PartitionProduceData, TopicProduceData};
use wire::messages::{FetchRequest, MetadataRequest, ProduceRequest, Request, TopicName};

use crate::Failure;

/// The newest versions that name topics by their names.
const PRODUCE: i16 = 12;
const FETCH: i16 = 12;
const METADATA: i16 = 12;

/// Of one record.
pub(crate) const VALUE_BYTES: usize = 1024;

/// What consumers ask for, by default, at once and of one partition.
const FETCH_BYTES: i32 = 50 << 20;
const PARTITION_BYTES: i32 = 1 << 20;

/// Answers are awaited for as long, in milliseconds.
const TIMEOUT_MS: i32 = 30_000;

/// A request as a frame.
pub(crate) fn encode<R: Request>(version: i16, request: &R) -> Result<Bytes, Failure> {
    Ok(wire::encode_request(version, 0, Some("load"), request)?.to_bytes())
}

/// A frame that asks for the brokers and all topics, as clients do first.
pub(crate) fn metadata() -> Result<Bytes, Failure> {
    encode(METADATA, &MetadataRequest::default().with_topics(None))
}

/// A frame that appends a batch of `records` records of [`VALUE_BYTES`], with `acks=all`.
pub(crate) fn produce(topic: &str, partition: i32, records: usize) -> Result<Bytes, Failure> {
    let now_ms = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let mut batch = BatchBuilder::new();
    for record in 0..records {
        batch.push(now_ms, None, Some(&value(record)), &[]);
    }
    let data = PartitionProduceData::default().with_index(partition).with_records(Some(batch.build()?));
    let topic = TopicProduceData::default().with_name(name(topic)).with_partition_data(vec![data]);
    let request = ProduceRequest::default().with_acks(-1).with_timeout_ms(TIMEOUT_MS).with_topic_data(vec![topic]);
    encode(PRODUCE, &request)
}

/// Bytes without a pattern, the same in each run.
fn value(seed: usize) -> Vec<u8> {
    let mut state = seed as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (state >> 33) as u8
    };
    (0..VALUE_BYTES).map(|_| next()).collect()
}

/// Whether all batches of a request were appended, by its answer.
pub(crate) fn check_produced(answer: Bytes) -> Result<(), Failure> {
    let response = wire::decode_response::<ProduceRequest>(PRODUCE, answer)?;
    let partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    match partitions.map(|partition| partition.error_code).find(|error| *error != 0) {
        None => Ok(()),
        Some(error) => Err(format!("produce was refused with error code {error}").into()),
    }
}

/// A frame that fetches from these partitions and offsets on.
pub(crate) fn fetch(topic: &str, from: &[(i32, i64)]) -> Result<Bytes, Failure> {
    let partition = |(partition, offset): &(i32, i64)| {
        FetchPartition::default()
            .with_partition(*partition)
            .with_fetch_offset(*offset)
            .with_partition_max_bytes(PARTITION_BYTES)
    };
    let topic = FetchTopic::default().with_topic(name(topic)).with_partitions(from.iter().map(partition).collect());
    let request = FetchRequest::default()
        .with_max_wait_ms(500)
        .with_min_bytes(1)
        .with_max_bytes(FETCH_BYTES)
        .with_session_epoch(-1)
        .with_topics(vec![topic]);
    encode(FETCH, &request)
}

/// What was fetched of one partition.
pub(crate) struct Fetched {
    pub(crate) partition: i32,
    /// Where to go on, if that is not the end.
    pub(crate) next: Option<i64>,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

/// Walks over the batches that came, by their heads.
pub(crate) fn fetched(answer: Bytes) -> Result<Vec<Fetched>, Failure> {
    let response = wire::decode_response::<FetchRequest>(FETCH, answer)?;
    let mut all = Vec::new();
    for data in response.responses.iter().flat_map(|topic| &topic.partitions) {
        if data.error_code != 0 {
            return Err(format!("fetch was refused with error code {}", data.error_code).into());
        }
        let mut fetched = Fetched { partition: data.partition_index, next: None, records: 0, bytes: 0 };
        let mut rest: &[u8] = data.records.as_deref().unwrap_or_default();
        // The last one may be cut: a consumer takes it whole with the next fetch.
        while let Ok((batch, behind)) = BatchView::split_first(rest) {
            fetched.next = Some(batch.head().last_offset() + 1).filter(|next| *next < data.high_watermark);
            fetched.records += u64::try_from(batch.count())?;
            fetched.bytes += (rest.len() - behind.len()) as u64;
            rest = behind;
        }
        all.push(fetched);
    }
    Ok(all)
}

fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}
