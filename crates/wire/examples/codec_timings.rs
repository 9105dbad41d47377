//! How long the hot messages take: `cargo run --release -p wire --example codec_timings`.
//!
//! "plain" is the crate's codec alone; "ours" has the walk before decoding, or splices records.

use std::hint::black_box;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::protocol::{Decodable, Encodable};
use wire::messages::*;
use wire::{StrBytes, decode, encode_response};

const ROUNDS: usize = 20;

/// The best of a few rounds of `times`, in nanoseconds for one.
fn best_ns(times: u32, mut work: impl FnMut()) -> f64 {
    let mut round = || {
        let start = Instant::now();
        (0..times).for_each(|_| work());
        start.elapsed().as_nanos() as f64 / f64::from(times)
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}

fn report(what: &str, plain_ns: f64, ours_ns: f64) {
    println!("{what:<42} plain {plain_ns:>10.0} ns   ours {ours_ns:>10.0} ns   {:.3} of plain", ours_ns / plain_ns);
}

fn main() {
    let topic = || TopicName(StrBytes::from_static_str("some-topic"));
    fetch_of_a_mebibyte(&topic());
    decoding("Produce 9 with a batch of 16 KiB", 9, &produce(&topic()));
    let asked = |topic| MetadataRequestTopic::default().with_name(Some(topic));
    decoding("Metadata 12 for one topic", 12, &MetadataRequest::default().with_topics(Some(vec![asked(topic())])));
    let many = (0..1000).map(|_| asked(topic())).collect();
    decoding("Metadata 12 for 1,000 topics", 12, &MetadataRequest::default().with_topics(Some(many)));
}

fn produce(topic: &TopicName) -> ProduceRequest {
    let partition = PartitionProduceData::default().with_records(Some(Bytes::from(vec![7; 16 * 1024])));
    let topic = TopicProduceData::default().with_name(topic.clone()).with_partition_data(vec![partition]);
    ProduceRequest::default().with_acks(-1).with_topic_data(vec![topic])
}

fn fetch_of_a_mebibyte(topic: &TopicName) {
    let records = Bytes::from(vec![7; 1024 * 1024]);
    let partition = PartitionData::default().with_records(Some(records.clone()));
    let topics = vec![FetchableTopicResponse::default().with_topic(topic.clone()).with_partitions(vec![partition])];
    let response = FetchResponse::default().with_responses(topics);
    let plain = best_ns(200, || drop(black_box(encode_response(12, 7, response.clone()))));
    let reply = FetchReply {
        topics: vec![FetchReplyTopic {
            name: topic.0.clone(),
            partitions: vec![FetchReplyPartition { records: vec![records], ..Default::default() }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let spliced = best_ns(10_000, || drop(black_box(encode_response(12, 7, reply.clone()))));
    report("Fetch 12 of 1 MiB, encoded", plain, spliced);
}

fn decoding<M: Request + Encodable + Decodable>(what: &str, version: i16, request: &M) {
    let mut body = BytesMut::new();
    Encodable::encode(request, &mut body, version).expect("the request is one of this version");
    let body = body.freeze();
    let plain = best_ns(2_000, || drop(black_box(<M as Decodable>::decode(&mut body.clone(), version))));
    let ours = best_ns(2_000, || drop(black_box(decode::<M>(version, body.clone()))));
    report(&format!("{what}, decoded"), plain, ours);
}
