//! GroupMetadataValue: generation and members of a classic group.

use ::bytes::Bytes;

use super::RecordError;
use super::bytes::{Reader, Writer};
use crate::store::{StoredGroup, StoredMember};

const WHAT: &str = "the value of a group's metadata";

/// What Kafka 4.4 writes; 4 is known to it but not yet written.
const WRITTEN: i16 = 3;
const NEWEST: i16 = 4;
const FIRST_WITH_REBALANCE_TIMEOUT: i16 = 1;
const FIRST_WITH_STATE_TIMESTAMP: i16 = 2;
const FIRST_WITH_INSTANCE_ID: i16 = 3;
const FIRST_FLEXIBLE: i16 = 4;

/// The value as Kafka 4.4 writes it.
///
/// # Panics
/// If a string is longer than [`MAX_STRING_BYTES`](super::MAX_STRING_BYTES).
pub fn encode_group(group: &StoredGroup) -> Bytes {
    let mut writer = Writer::new(WRITTEN, false);
    writer.string(group.protocol_type.as_deref().unwrap_or_default());
    writer.i32(group.generation);
    writer.nullable_string(group.protocol.as_deref());
    writer.nullable_string(group.leader.as_deref());
    writer.i64(group.state_timestamp.unwrap_or(-1));
    writer.count(group.members.len());
    for member in &group.members {
        writer.string(&member.member_id);
        writer.nullable_string(member.instance_id.as_deref());
        writer.string(&member.client_id);
        writer.string(&member.client_host);
        writer.i32(member.rebalance_timeout_ms);
        writer.i32(member.session_timeout_ms);
        writer.bytes(&member.subscription);
        writer.bytes(&member.assignment);
    }
    writer.finish()
}

/// Reads a value of any version.
pub fn decode_group(value: &[u8]) -> Result<StoredGroup, RecordError> {
    let mut reader = Reader::new(WHAT, value);
    let version = reader.i16()?;
    if !(0..=NEWEST).contains(&version) {
        return Err(RecordError::UnknownVersion { what: WHAT, version });
    }
    let mut reader = reader.flexible(version >= FIRST_FLEXIBLE);
    let protocol_type = Some(reader.string("protocol type")?.to_owned()).filter(|text| !text.is_empty());
    let generation = reader.i32()?;
    let protocol = reader.nullable_string("protocol")?.map(str::to_owned);
    let leader = reader.nullable_string("leader")?.map(str::to_owned);
    let timestamp = if version >= FIRST_WITH_STATE_TIMESTAMP { reader.i64()? } else { -1 };
    let mut members = Vec::new();
    for _ in 0..reader.count("members")? {
        members.push(decode_member(&mut reader, version)?);
    }
    reader.tagged(|_, _| Ok(()))?;
    let state_timestamp = Some(timestamp).filter(|&timestamp| timestamp != -1);
    Ok(StoredGroup { protocol_type, generation, protocol, leader, state_timestamp, members })
}

fn decode_member(reader: &mut Reader<'_>, version: i16) -> Result<StoredMember, RecordError> {
    let member_id = reader.string("member id")?.to_owned();
    let instance_id = match version >= FIRST_WITH_INSTANCE_ID {
        true => reader.nullable_string("group instance id")?.map(str::to_owned),
        false => None,
    };
    let client_id = reader.string("client id")?.to_owned();
    let client_host = reader.string("client host")?.to_owned();
    let rebalance_timeout = if version >= FIRST_WITH_REBALANCE_TIMEOUT { reader.i32()? } else { -1 };
    let session_timeout_ms = reader.i32()?;
    let subscription = Bytes::copy_from_slice(reader.bytes("subscription")?);
    let assignment = Bytes::copy_from_slice(reader.bytes("assignment")?);
    reader.tagged(|_, _| Ok(()))?;
    Ok(StoredMember {
        member_id,
        instance_id,
        client_id,
        client_host,
        // Members of the oldest clients had one timeout for both.
        rebalance_timeout_ms: if rebalance_timeout == -1 { session_timeout_ms } else { rebalance_timeout },
        session_timeout_ms,
        subscription,
        assignment,
    })
}
