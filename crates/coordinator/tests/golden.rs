//! The record formats against bytes made by Kafka's own classes; `golden/Golden.java` tells how.

use std::collections::BTreeMap;

use bytes::Bytes;
use coordinator::schema::{Key, decode_group, decode_offset, encode_group, encode_offset, subscribed_topics};
use coordinator::{CommittedOffset, StoredGroup, StoredMember};
use model::TopicId;

fn golden() -> BTreeMap<&'static str, Vec<u8>> {
    let record = |line: &'static str| {
        let (name, hex) = line.split_once(' ').expect("a name and its bytes");
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("two hex digits");
        (name, (0..hex.len()).step_by(2).map(byte).collect())
    };
    include_str!("golden/records.txt").lines().map(record).collect()
}

fn offset() -> CommittedOffset {
    CommittedOffset {
        offset: 4_000_000_000,
        leader_epoch: 12,
        metadata: "so far ✓".into(),
        commit_timestamp: 1_700_000_000_123,
        expire_timestamp: None,
        topic_id: TopicId::NIL,
        record_offset: -1,
    }
}

fn member(id: &str, instance: Option<&str>, subscription: &[u8], assignment: &[u8]) -> StoredMember {
    StoredMember {
        member_id: id.into(),
        instance_id: instance.map(Into::into),
        client_id: "app".into(),
        client_host: "/127.0.0.1".into(),
        rebalance_timeout_ms: 300_000,
        session_timeout_ms: 45_000,
        subscription: Bytes::copy_from_slice(subscription),
        assignment: Bytes::copy_from_slice(assignment),
    }
}

fn group() -> StoredGroup {
    StoredGroup {
        protocol_type: Some("consumer".into()),
        generation: 5,
        protocol: Some("range".into()),
        leader: Some("a-1".into()),
        state_timestamp: Some(1_700_000_000_456),
        members: vec![member("a-1", None, &[1, 2], &[3]), member("b-2", Some("instance"), &[], &[0; 300])],
    }
}

fn empty_group() -> StoredGroup {
    StoredGroup { state_timestamp: Some(1_700_000_000_456), ..StoredGroup::default() }
}

#[test]
fn keys_are_kafkas() {
    let golden = golden();
    let offset = Key::Offset { group: "orders", topic: "in.voices", partition: 7 };
    assert_eq!(Key::decode(&golden["key-0-offset"]), Ok(offset));
    assert_eq!(Key::decode(&golden["key-1-offset"]), Ok(offset));
    assert_eq!(Key::decode(&golden["key-2-group"]), Ok(Key::Group("größe")));
    assert_eq!(Key::decode(&golden["key-3-consumer-group"]), Ok(Key::Other(3)));
    assert_eq!(offset.encode(), golden["key-1-offset"]);
    assert_eq!(Key::Group("größe").encode(), golden["key-2-group"]);
}

#[test]
fn offsets_of_all_versions_are_read() {
    let golden = golden();
    let before_3 = CommittedOffset { leader_epoch: -1, ..offset() };
    let expire_timestamp = Some(1_700_000_600_000);
    assert_eq!(decode_offset(&golden["offset-0"]), Ok(before_3.clone()));
    assert_eq!(decode_offset(&golden["offset-1"]), Ok(CommittedOffset { expire_timestamp, ..before_3.clone() }));
    assert_eq!(decode_offset(&golden["offset-2"]), Ok(before_3));
    assert_eq!(decode_offset(&golden["offset-3"]), Ok(offset()));
    assert_eq!(decode_offset(&golden["offset-4"]), Ok(offset()));
    let topic_id = TopicId(uuid::Uuid::from_u64_pair(0x0102_0304_0506_0708, 0x090a_0b0c_0d0e_0f10));
    assert_eq!(decode_offset(&golden["offset-4-topic-id"]), Ok(CommittedOffset { topic_id, ..offset() }));
}

#[test]
fn offsets_are_written_as_kafka_4_4_writes_them() {
    let golden = golden();
    let topic_id = TopicId(uuid::Uuid::from_u64_pair(0x0102_0304_0506_0708, 0x090a_0b0c_0d0e_0f10));
    assert_eq!(encode_offset(&offset()), golden["offset-4"]);
    assert_eq!(encode_offset(&CommittedOffset { topic_id, ..offset() }), golden["offset-4-topic-id"]);
    let expiring = CommittedOffset { expire_timestamp: Some(1_700_000_600_000), ..offset() };
    assert_eq!(encode_offset(&expiring), golden["offset-1"]);
}

#[test]
fn groups_of_all_versions_are_read() {
    let golden = golden();
    let mut expected = group();
    assert_eq!(decode_group(&golden["group-4"]), Ok(expected.clone()));
    assert_eq!(decode_group(&golden["group-3"]), Ok(expected.clone()));
    expected.members[1].instance_id = None;
    assert_eq!(decode_group(&golden["group-2"]), Ok(expected.clone()));
    expected.state_timestamp = None;
    assert_eq!(decode_group(&golden["group-1"]), Ok(expected.clone()));
    for member in &mut expected.members {
        member.rebalance_timeout_ms = member.session_timeout_ms;
    }
    assert_eq!(decode_group(&golden["group-0"]), Ok(expected));
}

#[test]
fn empty_groups_of_all_versions_are_read() {
    let golden = golden();
    for version in ["empty-group-2", "empty-group-3", "empty-group-4"] {
        assert_eq!(decode_group(&golden[version]), Ok(empty_group()), "{version}");
    }
    for version in ["empty-group-0", "empty-group-1"] {
        assert_eq!(decode_group(&golden[version]), Ok(StoredGroup::default()), "{version}");
    }
}

#[test]
fn groups_are_written_as_kafka_4_4_writes_them() {
    let golden = golden();
    assert_eq!(encode_group(&group()), golden["group-3"]);
    assert_eq!(encode_group(&empty_group()), golden["empty-group-3"]);
}

#[test]
fn fields_that_a_later_kafka_adds_are_passed_over() {
    let golden = golden();
    let topic_id = TopicId(uuid::Uuid::from_u64_pair(1, 2));
    assert_eq!(decode_offset(&golden["offset-4-later-field"]), Ok(CommittedOffset { topic_id, ..offset() }));
    assert_eq!(decode_group(&golden["group-4-later-field"]), Ok(group()));
}

#[test]
fn subscriptions_of_all_versions_tell_their_topics() {
    let golden = golden();
    for version in ["subscription-0", "subscription-1", "subscription-2", "subscription-3"] {
        let mut topics = Vec::new();
        subscribed_topics(&golden[version], |topic| topics.push(topic.to_owned())).unwrap();
        assert_eq!(topics, ["in.voices", "out"], "{version}");
    }
}

#[test]
fn a_record_cut_anywhere_is_refused() {
    for (name, bytes) in golden() {
        for end in 0..bytes.len() {
            let cut = &bytes[..end];
            let refused = match name.split('-').next().unwrap() {
                "offset" => decode_offset(cut).is_err(),
                "group" | "empty" => decode_group(cut).is_err(),
                "key" => Key::decode(cut).is_err() || name == "key-3-consumer-group",
                // What comes behind the topics is not looked at.
                _ => subscribed_topics(cut, |_| ()).is_err() || end >= 22,
            };
            assert!(refused, "{name} cut to {end} bytes");
        }
    }
}
