//! OffsetCommitValue: how far a group has read one partition.

use ::bytes::Bytes;
use model::TopicId;

use super::RecordError;
use super::bytes::{Reader, Writer};
use crate::store::CommittedOffset;

const WHAT: &str = "the value of a committed offset";

const NEWEST: i16 = 4;
/// The only one with an expiry time: still written for clients that ask for a retention (OffsetCommit 2-4).
const WITH_EXPIRY: i16 = 1;
const FIRST_WITH_LEADER_EPOCH: i16 = 3;
const FIRST_FLEXIBLE: i16 = 4;
/// The topic's id: a tagged field, so that brokers that do not know it pass it over.
const TAG_TOPIC_ID: u32 = 0;

/// The value as Kafka 4.4 writes it. Version 1, for offsets with an expiry time, has neither leader epoch nor topic id.
///
/// # Panics
/// If the metadata is longer than [`MAX_STRING_BYTES`](super::MAX_STRING_BYTES).
pub fn encode_offset(offset: &CommittedOffset) -> Bytes {
    if let Some(expire_timestamp) = offset.expire_timestamp {
        let mut writer = Writer::new(WITH_EXPIRY, false);
        writer.i64(offset.offset);
        writer.string(&offset.metadata);
        writer.i64(offset.commit_timestamp);
        writer.i64(expire_timestamp);
        return writer.finish();
    }
    let mut writer = Writer::new(NEWEST, true);
    writer.i64(offset.offset);
    writer.i32(offset.leader_epoch);
    writer.string(&offset.metadata);
    writer.i64(offset.commit_timestamp);
    if offset.topic_id == TopicId::NIL {
        writer.uvarint(0);
    } else {
        writer.uvarint(1);
        writer.uvarint(TAG_TOPIC_ID);
        writer.uvarint(16);
        writer.raw(offset.topic_id.0.as_bytes());
    }
    writer.finish()
}

/// Reads a value of any version. The record's own offset is the caller's to fill in.
pub fn decode_offset(value: &[u8]) -> Result<CommittedOffset, RecordError> {
    let mut reader = Reader::new(WHAT, value);
    let version = reader.i16()?;
    if !(0..=NEWEST).contains(&version) {
        return Err(RecordError::UnknownVersion { what: WHAT, version });
    }
    let mut reader = reader.flexible(version >= FIRST_FLEXIBLE);
    let offset = reader.i64()?;
    let leader_epoch = if version >= FIRST_WITH_LEADER_EPOCH { reader.i32()? } else { -1 };
    let metadata = reader.string("metadata")?.into();
    let commit_timestamp = reader.i64()?;
    let expire_timestamp = match version {
        WITH_EXPIRY => Some(reader.i64()?).filter(|&time| time != -1),
        _ => None,
    };
    let mut topic_id = TopicId::NIL;
    let malformed = reader.malformed("topic id");
    reader.tagged(|tag, bytes| {
        if tag == TAG_TOPIC_ID {
            let bytes = bytes.try_into().map_err(|_| malformed.clone())?;
            topic_id = TopicId(uuid::Uuid::from_bytes(bytes));
        }
        Ok(())
    })?;
    Ok(CommittedOffset {
        offset,
        leader_epoch,
        metadata,
        commit_timestamp,
        expire_timestamp,
        topic_id,
        record_offset: -1,
    })
}
