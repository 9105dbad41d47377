//! Hostile bytes and round trips; the formats themselves are held by `tests/golden.rs`.

use ::bytes::Bytes;
use model::TopicId;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::store::{CommittedOffset, StoredGroup, StoredMember};

fn member() -> impl Strategy<Value = StoredMember> {
    let timeouts = (0..i32::MAX, 0..i32::MAX);
    let bytes = || prop::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from);
    (".{0,9}", prop::option::of(".{0,9}"), ".{0,9}", ".{0,9}", timeouts, bytes(), bytes()).prop_map(
        |(member_id, instance_id, client_id, client_host, timeouts, subscription, assignment)| StoredMember {
            member_id,
            instance_id,
            client_id,
            client_host,
            rebalance_timeout_ms: timeouts.0,
            session_timeout_ms: timeouts.1,
            subscription,
            assignment,
        },
    )
}

proptest! {
    #[test]
    fn bytes_from_anywhere_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(offset) = decode_offset(&bytes) {
            encode_offset(&offset);
        }
        if let Ok(group) = decode_group(&bytes) {
            encode_group(&group);
        }
        if let Ok(key @ (Key::Offset { .. } | Key::Group(_))) = Key::decode(&bytes) {
            key.encode();
        }
        subscribed_topics(&bytes, |_| ()).ok();
    }

    #[test]
    fn bytes_behind_a_valid_version_are_read_or_refused(version in 0..5i16, mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        bytes.splice(0..0, version.to_be_bytes());
        decode_offset(&bytes).ok();
        decode_group(&bytes).ok();
        Key::decode(&bytes).ok();
        subscribed_topics(&bytes, |_| ()).ok();
    }

    #[test]
    fn an_offset_is_read_as_it_was_written(offset: i64, leader_epoch: i32, metadata in ".{0,40}", commit_timestamp: i64, id: [u8; 16]) {
        let topic_id = TopicId(Uuid::from_bytes(id));
        let metadata = metadata.into();
        let offset = CommittedOffset {
            offset, leader_epoch, metadata, commit_timestamp, expire_timestamp: None, topic_id, record_offset: -1,
        };
        prop_assert_eq!(decode_offset(&encode_offset(&offset)), Ok(offset));
    }

    #[test]
    fn a_group_is_read_as_it_was_written(
        generation: i32,
        protocol_type in prop::option::of(".{1,9}"),
        protocol in prop::option::of(".{0,9}"),
        leader in prop::option::of(".{0,9}"),
        state_timestamp in prop::option::of(0..i64::MAX),
        members in prop::collection::vec(member(), 0..4),
    ) {
        let group = StoredGroup { protocol_type, generation, protocol, leader, state_timestamp, members };
        prop_assert_eq!(decode_group(&encode_group(&group)), Ok(group));
    }
}

#[test]
fn an_announced_count_reserves_nothing() {
    // Two thousand million members, topics, tagged fields; and then nothing.
    let mut group = vec![0, 3, 0, 1, b'x', 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff];
    group.extend([0; 8]);
    group.extend(i32::MAX.to_be_bytes());
    assert_eq!(decode_group(&group), Err(RecordError::Truncated("the value of a group's metadata")));
    assert!(subscribed_topics(&[0, 0, 0x7f, 0xff, 0xff, 0xff], |_| ()).is_err());
    let mut offset = encode_offset(&decode_offset(&[&[0, 0][..], &[0; 18]].concat()).unwrap()).to_vec();
    offset.pop();
    offset.extend([0xff, 0xff, 0xff, 0xff, 0x0f]);
    assert_eq!(decode_offset(&offset), Err(RecordError::Truncated("the value of a committed offset")));
}

#[test]
fn text_that_could_not_be_written_again_is_refused() {
    // Varint lengths allow for more than the older formats can carry; Kafka refuses it as well.
    let metadata = |len: usize| {
        let length = [(len + 1) as u8 | 0x80, ((len + 1) >> 7) as u8 | 0x80, ((len + 1) >> 14) as u8];
        [&[0, 4][..], &[0; 12], &length, &vec![b'x'; len], &[0; 9]].concat()
    };
    assert_eq!(decode_offset(&metadata(MAX_STRING_BYTES)).unwrap().metadata.len(), MAX_STRING_BYTES);
    assert!(matches!(decode_offset(&metadata(MAX_STRING_BYTES + 1)), Err(RecordError::Malformed { .. })));
}

#[test]
fn a_version_of_the_future_is_named() {
    let error = decode_group(&[0, 5]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the value of a group's metadata has version 5, which this version of the broker does not know; upgrade it"
    );
}
