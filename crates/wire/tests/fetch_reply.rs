//! The Fetch response that references its records is the one that Kafka writes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use bytes::{Buf, Bytes};
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, NodeEndpoint, PartitionData};
use wire::messages::*;
use wire::{SPLICE_FROM_BYTES, decode_response, encode_response};

mod golden_file;

fn reply_of(response: FetchResponse) -> FetchReply {
    FetchReply {
        throttle_time_ms: response.throttle_time_ms,
        error_code: response.error_code,
        session_id: response.session_id,
        topics: response.responses.into_iter().map(topic_of).collect(),
        node_endpoints: response.node_endpoints.into_iter().map(endpoint_of).collect(),
    }
}

fn topic_of(topic: FetchableTopicResponse) -> FetchReplyTopic {
    let partitions = topic.partitions.into_iter().map(partition_of).collect();
    FetchReplyTopic { name: topic.topic.0, topic_id: topic.topic_id, partitions }
}

fn partition_of(partition: PartitionData) -> FetchReplyPartition {
    let diverging = partition.diverging_epoch;
    let leader = partition.current_leader;
    FetchReplyPartition {
        partition_index: partition.partition_index,
        error_code: partition.error_code,
        high_watermark: partition.high_watermark,
        last_stable_offset: partition.last_stable_offset,
        log_start_offset: partition.log_start_offset,
        diverging_epoch: (diverging.epoch >= 0).then_some((diverging.epoch, diverging.end_offset)),
        current_leader: (leader.leader_id.0 >= 0).then_some((leader.leader_id.0, leader.leader_epoch)),
        aborted_transactions: partition.aborted_transactions,
        preferred_read_replica: partition.preferred_read_replica.0,
        records: partition.records.into_iter().collect(),
    }
}

fn endpoint_of(endpoint: NodeEndpoint) -> FetchReplyEndpoint {
    FetchReplyEndpoint { node_id: endpoint.node_id.0, host: endpoint.host, port: endpoint.port, rack: endpoint.rack }
}

/// A response with everything that `version` has but a snapshot id, which only replicas are sent.
fn response(version: i16, records: &Bytes) -> FetchResponse {
    let golden = golden_file::of("Fetch", "response").into_iter();
    let golden = golden.filter(|golden| golden.version == version).find(|golden| golden.filling == "full").unwrap();
    let header: &[u8] = if version >= 12 { &[0; 5] } else { &[0; 4] };
    let frame = Bytes::from([header, &golden.body].concat());
    let mut response = decode_response::<FetchRequest>(version, frame).unwrap();
    for partition in response.responses.iter_mut().flat_map(|topic| &mut topic.partitions) {
        partition.snapshot_id = Default::default();
        partition.records = Some(records.clone());
    }
    response
}

#[test]
fn it_is_byte_for_byte_the_plain_encoding() {
    for version in 4..=18 {
        for records in [0, 100, SPLICE_FROM_BYTES - 1, SPLICE_FROM_BYTES, 100_000] {
            let response = response(version, &Bytes::from(vec![7; records]));
            let spliced = encode_response(version, 7, reply_of(response.clone())).unwrap();
            let plain = encode_response(version, 7, response).unwrap();
            assert!(spliced.to_bytes() == plain.to_bytes(), "version {version} with {records} bytes of records");
        }
    }
}

#[test]
fn records_in_several_slices_read_as_one() {
    let slices: Vec<Bytes> = (0..5).map(|n| Bytes::from(vec![n; 1000 * usize::from(n) + 1])).collect();
    for version in 4..=18 {
        let whole = response(version, &Bytes::from(slices.concat()));
        let mut reply = reply_of(whole.clone());
        let partitions = reply.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
        partitions.for_each(|partition| partition.records = slices.clone());
        let spliced = encode_response(version, 7, reply).unwrap();
        assert!(spliced.to_bytes() == encode_response(version, 7, whole).unwrap().to_bytes(), "version {version}");
    }
}

#[test]
fn large_records_are_referenced_and_small_ones_copied() {
    let large = Bytes::from(vec![1; SPLICE_FROM_BYTES]);
    let small = Bytes::from(vec![1; SPLICE_FROM_BYTES - 1]);
    let pieces_at = |records: &Bytes| {
        let frame = encode_response(12, 7, reply_of(response(12, records))).unwrap();
        frame.pieces().filter(|piece| piece.as_ptr() == records.as_ptr()).count()
    };
    assert_eq!(pieces_at(&large), 4, "two topics of two partitions");
    assert_eq!(pieces_at(&small), 0);
}

#[test]
fn a_frame_is_sent_whole_however_the_socket_takes_it() {
    let records = Bytes::from((0..=255).cycle().take(10_000).collect::<Vec<u8>>());
    let frame = encode_response(12, 7, reply_of(response(12, &records))).unwrap();
    let whole = frame.to_bytes();
    for step in [61, 1000, 4096, whole.len()] {
        let (mut left, mut sent) = (frame.clone(), Vec::new());
        while left.has_remaining() {
            let mut slices = [std::io::IoSlice::new(&[]); 4];
            let filled = left.chunks_vectored(&mut slices);
            let offered: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect();
            let taken = step.min(offered.len());
            sent.extend_from_slice(&offered[..taken]);
            left.advance(taken);
        }
        assert!(sent == whole, "in steps of {step}");
    }
}
