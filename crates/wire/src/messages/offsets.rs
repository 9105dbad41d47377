//! OffsetCommit 10 and OffsetFetch 10, whose requests the crate can't read or write, though its
//! types have the topic id: as version 9, but each topic goes by id instead of by name (KIP-848).

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::protocol::{Decodable, Encodable};
use uuid::Uuid;

use super::by_crate::{read, write_lowered};
use super::{OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse, Request};
use crate::encode::unencodable;
use crate::primitive::{put_compact_string, put_count, put_tags, take_compact_array, take_compact_string, take_tags};
use crate::{ApiKey, Fault, Malformed, Unencodable};

/// The highest version whose requests the crate knows.
const BY_NAME: i16 = 9;

impl Request for OffsetCommitRequest {
    const API: ApiKey = ApiKey::OffsetCommit;
    type Response = OffsetCommitResponse;

    fn read(body: &mut Bytes, version: i16) -> Result<Self, Malformed> {
        if version <= BY_NAME {
            return read(Self::API, body, version);
        }
        take_commit(body).map_err(|reason| Malformed::Value { api: Self::API, version, reason })
    }

    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), Unencodable> {
        if version <= BY_NAME {
            return write_lowered(Self::API, self, out, version);
        }
        put_commit(out, self).map_err(|reason| unencodable(Self::API, version, reason))
    }

    fn read_response(body: &mut Bytes, version: i16) -> Result<OffsetCommitResponse, Malformed> {
        read(Self::API, body, version)
    }
}

impl Request for OffsetFetchRequest {
    const API: ApiKey = ApiKey::OffsetFetch;
    type Response = OffsetFetchResponse;

    fn read(body: &mut Bytes, version: i16) -> Result<Self, Malformed> {
        if version <= BY_NAME {
            return read(Self::API, body, version);
        }
        take_fetch(body).map_err(|reason| Malformed::Value { api: Self::API, version, reason })
    }

    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), Unencodable> {
        if version <= BY_NAME {
            return write_lowered(Self::API, self, out, version);
        }
        put_fetch(out, self);
        Ok(())
    }

    fn read_response(body: &mut Bytes, version: i16) -> Result<OffsetFetchResponse, Malformed> {
        read(Self::API, body, version)
    }
}

fn take_commit(body: &mut Bytes) -> Result<OffsetCommitRequest, String> {
    let mut request = OffsetCommitRequest::default();
    request.group_id = take_compact_string(body)?.ok_or(Fault::Null)?.into();
    request.generation_id_or_member_epoch = body.try_get_i32().map_err(|_| Fault::Truncated)?;
    request.member_id = take_compact_string(body)?.ok_or(Fault::Null)?;
    request.group_instance_id = take_compact_string(body)?;
    request.topics = take_compact_array(body, take_commit_topic)?.ok_or(Fault::Null)?;
    request.unknown_tagged_fields = take_tags(body)?;
    Ok(request)
}

fn take_commit_topic(body: &mut Bytes) -> Result<OffsetCommitRequestTopic, String> {
    let mut topic = OffsetCommitRequestTopic::default();
    topic.topic_id = take_uuid(body)?;
    let partition =
        |body: &mut Bytes| OffsetCommitRequestPartition::decode(body, BY_NAME).map_err(|error| error.to_string());
    topic.partitions = take_compact_array(body, partition)?.ok_or(Fault::Null)?;
    topic.unknown_tagged_fields = take_tags(body)?;
    Ok(topic)
}

fn put_commit(out: &mut BytesMut, request: &OffsetCommitRequest) -> Result<(), String> {
    put_compact_string(out, Some(&request.group_id));
    out.put_i32(request.generation_id_or_member_epoch);
    put_compact_string(out, Some(&request.member_id));
    put_compact_string(out, request.group_instance_id.as_deref());
    put_count(out, true, Some(request.topics.len()));
    for topic in &request.topics {
        out.put_slice(topic.topic_id.as_bytes());
        put_count(out, true, Some(topic.partitions.len()));
        for partition in &topic.partitions {
            partition.encode(out, BY_NAME).map_err(|error| error.to_string())?;
        }
        put_tags(out, &topic.unknown_tagged_fields);
    }
    put_tags(out, &request.unknown_tagged_fields);
    Ok(())
}

fn take_fetch(body: &mut Bytes) -> Result<OffsetFetchRequest, String> {
    let mut request = OffsetFetchRequest::default();
    request.groups = take_compact_array(body, take_fetch_group)?.ok_or(Fault::Null)?;
    request.require_stable = body.try_get_u8().map_err(|_| Fault::Truncated)? != 0;
    request.unknown_tagged_fields = take_tags(body)?;
    Ok(request)
}

fn take_fetch_group(body: &mut Bytes) -> Result<OffsetFetchRequestGroup, String> {
    let mut group = OffsetFetchRequestGroup::default();
    group.group_id = take_compact_string(body)?.ok_or(Fault::Null)?.into();
    group.member_id = take_compact_string(body)?;
    group.member_epoch = body.try_get_i32().map_err(|_| Fault::Truncated)?;
    group.topics = take_compact_array(body, take_fetch_topic)?;
    group.unknown_tagged_fields = take_tags(body)?;
    Ok(group)
}

fn take_fetch_topic(body: &mut Bytes) -> Result<OffsetFetchRequestTopics, String> {
    let mut topic = OffsetFetchRequestTopics::default();
    topic.topic_id = take_uuid(body)?;
    let index = |body: &mut Bytes| body.try_get_i32().map_err(|_| Fault::Truncated.into());
    topic.partition_indexes = take_compact_array(body, index)?.ok_or(Fault::Null)?;
    topic.unknown_tagged_fields = take_tags(body)?;
    Ok(topic)
}

fn put_fetch(out: &mut BytesMut, request: &OffsetFetchRequest) {
    put_count(out, true, Some(request.groups.len()));
    for group in &request.groups {
        put_compact_string(out, Some(&group.group_id));
        put_compact_string(out, group.member_id.as_deref());
        out.put_i32(group.member_epoch);
        put_count(out, true, group.topics.as_ref().map(Vec::len));
        for topic in group.topics.iter().flatten() {
            out.put_slice(topic.topic_id.as_bytes());
            put_count(out, true, Some(topic.partition_indexes.len()));
            topic.partition_indexes.iter().for_each(|index| out.put_i32(*index));
            put_tags(out, &topic.unknown_tagged_fields);
        }
        put_tags(out, &group.unknown_tagged_fields);
    }
    out.put_u8(u8::from(request.require_stable));
    put_tags(out, &request.unknown_tagged_fields);
}

fn take_uuid(body: &mut Bytes) -> Result<Uuid, Fault> {
    let mut id = [0; 16];
    body.try_copy_to_slice(&mut id).map_err(|_| Fault::Truncated)?;
    Ok(Uuid::from_bytes(id))
}
