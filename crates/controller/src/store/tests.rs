use model::{TopicId, TopicName};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::arbitrary::history;
use crate::command::*;
use crate::image::{Endpoint, PartitionImage};
use crate::{Command, apply};

/// The keys of all parts in which two images differ, found without the notes of a draft.
pub(crate) fn differences(before: &ClusterImage, after: &ClusterImage) -> Vec<Key> {
    let all = &keys(before) | &keys(after);
    all.into_iter().filter(|key| value(before, key) != value(after, key)).collect()
}

fn applied(index: u64) -> Applied {
    Applied { id: EntryId { term: 3, node: 1, index }, membership: Bytes::from_static(b"\x01members") }
}

fn write_into(content: &mut BTreeMap<Bytes, Bytes>, edits: Edits) {
    for (key, value) in edits {
        match value {
            Some(value) => drop(content.insert(key, value)),
            None => drop(content.remove(&key)),
        }
    }
}

proptest! {
    #[test]
    fn any_sequence_of_checkpoints_reads_back_as_the_image(history in history(), often in 1..9_u64) {
        let mut draft = Draft::default();
        let mut content = BTreeMap::new();
        for (command, index) in history.into_iter().zip(1..) {
            apply(&mut draft, command, index).ok();
            if index % often == 0 {
                let changed = draft.take_changed();
                write_into(&mut content, edits(draft.image(), &changed, &applied(index)));
                let (read, found) = load(&content).unwrap();
                prop_assert_eq!(read.image(), draft.image());
                prop_assert_eq!(found, Some(applied(index)));
            }
        }
    }
}

/// An image with something of each kind in it.
fn sample() -> Draft {
    let listeners = [("PLAINTEXT".to_owned(), Endpoint { host: "localhost".into(), port: 9092 })].into();
    let directory = Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);
    let broker = Registration { rack: Some("r1".into()), listeners, ..Registration::new(BrokerId(1), directory) };
    let features = [("metadata.version".to_owned(), 33)].into();
    let partitions = vec![PartitionImage::new(GroupId(1)), PartitionImage { shard: GroupId(1), base_epoch: 4 }];
    let configs = [("retention.ms".to_owned(), "1000".to_owned())].into();
    let topic =
        NewTopic { id: TopicId(Uuid::from_u128(1)), name: TopicName::parse("orders").unwrap(), partitions, configs };
    let changes =
        vec![SettingChange { name: "share.auto.offset.reset".into(), value: Some("earliest".into()), expected: None }];
    let group = SettingsChange { resource: Resource::Group("shop".into()), replace: false, changes };
    let mut draft = Draft::default();
    let history = [
        Command::Bootstrap(Bootstrap { cluster_id: "kraken".into(), broker, shards: 1, features, founders: vec![] }),
        Command::CreateTopics(CreateTopics { topics: vec![topic] }),
        Command::SetSettings(SetSettings { resources: vec![group] }),
        Command::AllocateProducerIds(AllocateProducerIds { broker: BrokerId(1), count: 1000 }),
    ];
    for (command, index) in history.into_iter().zip(1..) {
        apply(&mut draft, command, index).unwrap();
    }
    draft
}

/// What version 1 writes. Never change a line: files hold it.
const GOLDEN: &[(&str, &[u8])] = &[
    ("applied", b"\x01\x84\xa4term\x03\xa4node\x01\xa5index\x04\xaamembership\xc4\x08\x01members"),
    (
        "broker:1",
        b"\x01\x86\xa2id\x01\xa9directory\xc4\x10\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\xa4r\
          ack\xa2r1\xa9listeners\x81\xa9PLAINTEXT\x82\xa4host\xa9localhost\xa4port\xcd#\x84\xa6fenced\xc2\xa5epo\
          ch\x01",
    ),
    (
        "cluster",
        b"\x01\x85\xa2id\xa6kraken\xa7version\x04\xaanext_shard\x02\xb0next_producer_id\xcd\x03\xe8\xabcontroller\
          s\x91\x01",
    ),
    ("features", b"\x01\x82\xa6levels\x81\xb0metadata.version!\xa5epoch\x01"),
    ("settings:32:shop", b"\x01\x82\xa8resource\x92 \xa4shop\xa8settings\x81\xb7share.auto.offset.reset\xa8earliest"),
    (
        "shard:1",
        b"\x01\x83\xa2id\x01\xa7members\x91\x01\xa8founders\x81\x01\xc4\x10\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\
          \x0c\r\x0e\x0f\x10",
    ),
    (
        "topic:AAAAAAAAAAAAAAAAAAAAAQ",
        b"\x01\x84\xa2id\xc4\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\xa4name\xa6orde\
          rs\xaapartitions\x92\x81\xa5shard\x01\x82\xa5shard\x01\xaabase_epoch\x04\xa7configs\x81\xacretention.m\
          s\xa41000",
    ),
];

#[test]
fn the_manifest_holds_these_bytes() {
    let mut draft = sample();
    let changed = draft.take_changed();
    let written: BTreeMap<Bytes, Bytes> =
        edits(draft.image(), &changed, &applied(4)).into_iter().map(|(key, value)| (key, value.unwrap())).collect();
    let golden: BTreeMap<Bytes, Bytes> =
        GOLDEN.iter().map(|(key, value)| (Bytes::from(*key), Bytes::from_static(value))).collect();
    assert_eq!(written, golden);
    let (read, found) = load(&golden).unwrap();
    assert_eq!((read.image(), found), (draft.image(), Some(applied(4))));
}

/// What was written before there were clusters: one broker, which does everything.
#[test]
fn what_a_build_of_single_brokers_wrote_is_read() {
    let mut older: BTreeMap<Bytes, Bytes> =
        GOLDEN.iter().map(|(key, value)| (Bytes::from(*key), Bytes::from_static(value))).collect();
    let cluster = b"\x01\x84\xa2id\xa6kraken\xa7version\x04\xaanext_shard\x02\xb0next_producer_id\xcd\x03\xe8";
    older.insert("cluster".into(), Bytes::from_static(cluster));
    older.insert("shard:1".into(), Bytes::from_static(b"\x01\x82\xa2id\x01\xa7members\x91\x01"));
    let (read, _) = load(&older).unwrap();
    let image = read.image();
    let only = BTreeSet::from([image.broker(BrokerId(1)).unwrap().voter()]);
    assert_eq!((image.controllers(), image.voters(GroupId::CONTROLLER)), (&[BrokerId(1)][..], only.clone()));
    assert_eq!(image.founders(image.shard(GroupId(1)).unwrap()), only);
    assert_eq!(image.violations(), Vec::<String>::new());
}

#[test]
fn an_image_is_packed_as_these_bytes() {
    let mut draft = Draft::default();
    draft.set_cluster_id("kraken");
    let bytes = b"\x01\x81\xa5parts\x82\xc4\x07cluster\xc4@\x01\x85\xa2id\xa6kraken\xa7version\x00\xaanext_shard\x00\xb0next_produ\
        cer_id\x00\xabcontrollers\x90\xc4\x08features\xc4\x11\x01\x82\xa6levels\x80\xa5epoch\x00";
    let packed = pack(draft.image());
    assert_eq!(packed.escape_ascii().to_string(), bytes.escape_ascii().to_string());
    assert_eq!(unpack(bytes).unwrap().image(), draft.image());
    assert_eq!(unpack(&pack(sample().image())).unwrap().image(), sample().image());
    for end in 0..packed.len() {
        unpack(&packed[..end]).map(drop).unwrap_err();
    }
}

#[test]
fn an_empty_manifest_is_an_empty_image() {
    let (draft, found) = load(&BTreeMap::new()).unwrap();
    assert_eq!((draft.image(), found), (&ClusterImage::default(), None));
}

#[test]
fn what_a_newer_build_wrote_is_refused() {
    let load_one = |key: &'static str, value: &'static [u8]| {
        load(&[(Bytes::from(key), Bytes::from_static(value))].into()).unwrap_err().to_string()
    };
    let newer = "a topic has format version 2, this build reads up to 1: start a newer build";
    assert_eq!(load_one("topic:AAAAAAAAAAAAAAAAAAAAAA", b"\x02\x80"), newer);
    assert_eq!(load_one("acl:1", b"\x01\x80"), "the manifest holds the unknown key 'acl:1': start a newer build");
    assert_eq!(load_one("shard:1", b""), "a shard is empty or cut short");
    assert!(load_one("shard:1", b"\x01\x80").starts_with("a shard can't be read: missing field"));
}

#[test]
fn only_what_changed_is_written() {
    let mut draft = sample();
    draft.take_changed();
    let deletion = Command::DeleteTopics(DeleteTopics { topics: vec![TopicId(Uuid::from_u128(1))] });
    apply(&mut draft, deletion, 5).unwrap();
    let changed = draft.take_changed();
    let edits = edits(draft.image(), &changed, &applied(5));
    let keys: Vec<_> = edits.iter().map(|(key, value)| (key.as_ref(), value.is_some())).collect();
    let expected: [(&[u8], bool); 3] =
        [(b"cluster", true), (b"topic:AAAAAAAAAAAAAAAAAAAAAQ", false), (b"applied", true)];
    assert_eq!(keys, expected);
}

#[test]
fn a_move_stands_under_a_key_of_its_own_until_it_is_over() {
    let mut draft = sample();
    let partition = PartitionId { topic: TopicId(Uuid::from_u128(1)), index: 0 };
    let wishes = vec![ShardWish { members: vec![BrokerId(1)], at_least: 2, pinned: false }];
    let moves = |to| vec![PartitionMove { partition, from: GroupId(1), to }];
    apply(&mut draft, Command::CreateShards(CreateShards { wishes }), 5).unwrap();
    draft.take_changed();
    let change = |draft: &mut Draft, to, index| {
        apply(draft, Command::MovePartitions(MovePartitions { moves: moves(to) }), index).unwrap();
        let changed = draft.take_changed();
        let edits = edits(draft.image(), &changed, &applied(index));
        edits.into_iter().find(|(key, _)| key.starts_with(b"move:")).expect("the move's key").1
    };
    let written =
        b"\x01\x83\xa9partition\x82\xa5topic\xc4\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\xa5index\0\xa2to\x02\xa2id\x06";
    assert_eq!(change(&mut draft, Some(GroupId(2)), 6).as_deref(), Some(&written[..]));
    assert_eq!(change(&mut draft, None, 7), None);
}
