//! The Fetch response as the broker writes it: records stay where they are, and may be in several
//! slices (a read that crosses segments).
//!
//! The crate's type copies the records (19-29 us a MiB) and takes one slice a partition. Its
//! fields could be spliced only by a buffer of our own, which `bytes` lets no one write without
//! `unsafe`; the message is short, so it has an encoder here, held byte for byte against the
//! crate's and against Kafka's by tests.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::fetch_response::AbortedTransaction;
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::Response;
use crate::encode::Pieces;
use crate::primitive::{put_compact_string, put_count, put_string, put_varint};
use crate::{ApiKey, Unencodable};

/// A Fetch response. What the asked-for version has no place for is left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FetchReply {
    /// How long the client was throttled (KIP-219), in milliseconds.
    pub throttle_time_ms: i32,
    /// The top-level error; from version 7.
    pub error_code: i16,
    /// The fetch session (KIP-227), 0 for none; from version 7.
    pub session_id: i32,
    /// The topics, in the order of the request.
    pub topics: Vec<FetchReplyTopic>,
    /// Addresses of the leaders that partitions name (KIP-951); from version 16.
    pub node_endpoints: Vec<FetchReplyEndpoint>,
}

/// A topic's part of a [`FetchReply`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FetchReplyTopic {
    /// Its name; up to version 12.
    pub name: StrBytes,
    /// Its id; from version 13.
    pub topic_id: Uuid,
    /// The partitions, in the order of the request.
    pub partitions: Vec<FetchReplyPartition>,
}

/// A partition's part of a [`FetchReply`].
#[derive(Debug, Clone, PartialEq)]
pub struct FetchReplyPartition {
    /// Its number.
    pub partition_index: i32,
    /// Its error, 0 for none.
    pub error_code: i16,
    /// The high watermark, -1 if unknown.
    pub high_watermark: i64,
    /// The last stable offset, -1 if unknown.
    pub last_stable_offset: i64,
    /// The log start offset, -1 if unknown; from version 5.
    pub log_start_offset: i64,
    /// Largest epoch and its end offset, if the fetch offset lies beyond it (KIP-595); from version 12.
    pub diverging_epoch: Option<(i32, i64)>,
    /// Leader id and epoch, if the client asked the wrong broker (KIP-951); from version 12.
    pub current_leader: Option<(i32, i32)>,
    /// Aborted transactions among the records; `None` for readers of uncommitted records.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// The replica to read from next time (KIP-392), -1 for this one; from version 11.
    pub preferred_read_replica: i32,
    /// The batches, in slices that follow each other.
    pub records: Vec<Bytes>,
}

impl Default for FetchReplyPartition {
    fn default() -> Self {
        FetchReplyPartition {
            partition_index: 0,
            error_code: 0,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: None,
            current_leader: None,
            aborted_transactions: None,
            preferred_read_replica: -1,
            records: Vec::new(),
        }
    }
}

/// The address of a leader in a [`FetchReply`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FetchReplyEndpoint {
    /// The broker.
    pub node_id: i32,
    /// Its advertised host.
    pub host: StrBytes,
    /// Its advertised port.
    pub port: i32,
    /// Its rack.
    pub rack: Option<StrBytes>,
}

impl Response for FetchReply {
    const API: ApiKey = ApiKey::Fetch;

    /// Nothing to do: `write` leaves out what the version lacks.
    fn fit(&mut self, _version: i16) {}

    fn write(&self, out: &mut Pieces, version: i16) -> Result<(), Unencodable> {
        let flexible = Self::API.is_flexible(version);
        let small = out.small();
        small.put_i32(self.throttle_time_ms);
        if version >= 7 {
            small.put_i16(self.error_code);
            small.put_i32(self.session_id);
        }
        put_count(small, flexible, Some(self.topics.len()));
        for topic in &self.topics {
            put_topic(out, version, topic);
        }
        if flexible {
            put_endpoints(out, version, &self.node_endpoints);
        }
        Ok(())
    }
}

fn put_topic(out: &mut Pieces, version: i16, topic: &FetchReplyTopic) {
    let flexible = FetchReply::API.is_flexible(version);
    let small = out.small();
    if version >= 13 {
        small.put_slice(topic.topic_id.as_bytes());
    } else {
        put_string(small, flexible, &topic.name);
    }
    put_count(small, flexible, Some(topic.partitions.len()));
    for partition in &topic.partitions {
        put_partition(out, version, partition);
    }
    if flexible {
        out.small().put_u8(0); // no tagged fields
    }
}

fn put_partition(out: &mut Pieces, version: i16, partition: &FetchReplyPartition) {
    let flexible = FetchReply::API.is_flexible(version);
    let small = out.small();
    small.put_i32(partition.partition_index);
    small.put_i16(partition.error_code);
    small.put_i64(partition.high_watermark);
    small.put_i64(partition.last_stable_offset);
    if version >= 5 {
        small.put_i64(partition.log_start_offset);
    }
    put_count(small, flexible, partition.aborted_transactions.as_ref().map(Vec::len));
    for aborted in partition.aborted_transactions.iter().flatten() {
        small.put_i64(aborted.producer_id.0);
        small.put_i64(aborted.first_offset);
        if flexible {
            small.put_u8(0); // no tagged fields
        }
    }
    if version >= 11 {
        small.put_i32(partition.preferred_read_replica);
    }
    put_count(small, flexible, Some(partition.records.iter().map(Bytes::len).sum()));
    for slice in &partition.records {
        out.put(slice);
    }
    if flexible {
        put_partition_tags(out, partition);
    }
}

/// Tagged: DivergingEpoch (0) and CurrentLeader (1), each with an empty tagged section of its own.
fn put_partition_tags(out: &mut Pieces, partition: &FetchReplyPartition) {
    let small = out.small();
    let count = usize::from(partition.diverging_epoch.is_some()) + usize::from(partition.current_leader.is_some());
    put_varint(small, count as u32);
    if let Some((epoch, end_offset)) = partition.diverging_epoch {
        small.put_slice(&[0, 4 + 8 + 1]);
        small.put_i32(epoch);
        small.put_i64(end_offset);
        small.put_u8(0);
    }
    if let Some((leader_id, leader_epoch)) = partition.current_leader {
        small.put_slice(&[1, 4 + 4 + 1]);
        small.put_i32(leader_id);
        small.put_i32(leader_epoch);
        small.put_u8(0);
    }
}

/// The tagged section at the end: NodeEndpoints (0), whose size comes before it.
fn put_endpoints(out: &mut Pieces, version: i16, endpoints: &[FetchReplyEndpoint]) {
    let small = out.small();
    if version < 16 || endpoints.is_empty() {
        small.put_u8(0);
        return;
    }
    let mut field = BytesMut::new();
    put_count(&mut field, true, Some(endpoints.len()));
    for endpoint in endpoints {
        field.put_i32(endpoint.node_id);
        put_string(&mut field, true, &endpoint.host);
        field.put_i32(endpoint.port);
        put_compact_string(&mut field, endpoint.rack.as_deref());
        field.put_u8(0);
    }
    small.put_slice(&[1, 0]);
    put_varint(small, field.len() as u32);
    small.put_slice(&field);
}
