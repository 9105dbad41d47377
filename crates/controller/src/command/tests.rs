use model::{BrokerId, GroupId, PartitionId, TopicId, TopicName};
use uuid::Uuid;

use super::*;
use crate::image::{Endpoint, PartitionImage, Resource};

/// One command of each kind, and what version 1 writes for it. Never change a line: logs hold it.
fn golden() -> Vec<(Command, &'static [u8])> {
    let id = BrokerId(1);
    let topic = TopicId(Uuid::from_u128(1));
    let listeners = [("PLAINTEXT".to_owned(), Endpoint { host: "localhost".into(), port: 9092 })].into();
    let directory = Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);
    let broker = Registration { rack: Some("r1".into()), listeners, ..Registration::new(id, directory) };
    let cluster = Some(Endpoint { host: "node-1".into(), port: 9093 });
    let of_a_cluster = Registration { cluster, shards: Some(4), ..Registration::new(id, directory) };
    let levels = [("metadata.version".to_owned(), 33)].into();
    let partitions = vec![PartitionImage::new(GroupId(1)), PartitionImage { shard: GroupId(2), base_epoch: 4 }];
    let configs = [("retention.ms".to_owned(), "1000".to_owned())].into();
    let new_topic = NewTopic { id: topic, name: TopicName::parse("orders").unwrap(), partitions, configs };
    let expected = Some(Precondition { value: None });
    let changes = vec![
        SettingChange { name: "cleanup.policy".into(), value: Some("compact".into()), expected },
        SettingChange { name: "retention.ms".into(), value: None, expected: None },
    ];
    let change = SettingsChange { resource: Resource::Group("shop".into()), replace: true, changes };
    let growth = NewPartitions { topic, current: 2, shards: vec![GroupId(1), GroupId(300)] };
    let wish = ShardWish { members: vec![BrokerId(2), id], at_least: 4, pinned: false };
    let by_hand = ShardWish { at_least: 1, pinned: true, ..wish.clone() };
    let bootstrap = Bootstrap {
        cluster_id: "kraken".into(),
        broker: broker.clone(),
        shards: 2,
        features: levels,
        founders: vec![],
    };
    let founders = vec![Registration::new(BrokerId(2), directory)];
    let bootstrap_of_a_cluster = Bootstrap { founders, broker: Registration::new(id, directory), ..bootstrap.clone() };
    let members = MembersChange { shard: GroupId(3), from: vec![id], to: vec![BrokerId(2), id] };
    let levels = bootstrap.features.clone();
    let partition = PartitionId { topic, index: 2 };
    let on_its_way = PartitionMove { partition, from: GroupId(1), to: Some(GroupId(2)) };
    let arrival = Arrival { partition, id: 7, base_epoch: 4 };
    vec![
        (Command::Bootstrap(bootstrap), BOOTSTRAP),
        (Command::Bootstrap(bootstrap_of_a_cluster), BOOTSTRAP_OF_A_CLUSTER),
        (Command::RegisterBroker(broker), REGISTER_BROKER),
        (Command::RegisterBroker(of_a_cluster), REGISTER_BROKER_OF_A_CLUSTER),
        (Command::FenceBroker(FenceBroker { id, epoch: 7, fenced: true, at_ms: None }), FENCE_BROKER),
        (Command::FenceBroker(FenceBroker { id, epoch: 7, fenced: true, at_ms: Some(1000) }), FENCE_BROKER_THEN),
        (Command::CreateShards(CreateShards { wishes: vec![wish] }), CREATE_SHARDS),
        (Command::CreateShards(CreateShards { wishes: vec![by_hand] }), CREATE_PINNED_SHARDS),
        (Command::CreateTopics(CreateTopics { topics: vec![new_topic] }), CREATE_TOPICS),
        (Command::DeleteTopics(DeleteTopics { topics: vec![topic] }), DELETE_TOPICS),
        (Command::CreatePartitions(CreatePartitions { topics: vec![growth] }), CREATE_PARTITIONS),
        (Command::SetSettings(SetSettings { resources: vec![change] }), SET_SETTINGS),
        (Command::AllocateProducerIds(AllocateProducerIds { broker: id, count: 1000 }), ALLOCATE_PRODUCER_IDS),
        (Command::SetFeatures(SetFeatures { levels }), SET_FEATURES),
        (Command::UnregisterBroker(UnregisterBroker { id }), UNREGISTER_BROKER),
        (Command::DrainBroker(DrainBroker { id, drained: true }), DRAIN_BROKER),
        (Command::ChangeShardMembers(ChangeShardMembers { shards: vec![members] }), CHANGE_SHARD_MEMBERS),
        (Command::SetControllers(SetControllers { from: vec![id], to: vec![id, BrokerId(2)] }), SET_CONTROLLERS),
        (Command::MovePartitions(MovePartitions { moves: vec![on_its_way] }), MOVE_PARTITIONS),
        (Command::FinishMoves(FinishMoves { arrivals: vec![arrival] }), FINISH_MOVES),
        (Command::AllocateBrokerId(AllocateBrokerId {}), ALLOCATE_BROKER_ID),
    ]
}

const CREATE_PINNED_SHARDS: &[u8] =
    b"\x01\x04\x81\xa6wishes\x91\x83\xa7members\x92\x02\x01\xa8at_least\x01\xa6pinned\xc3";
const MOVE_PARTITIONS: &[u8] = b"\x01\x0f\x81\xa5moves\x91\x83\xa9partition\x82\xa5topic\xc4\x10\0\0\0\0\0\0\0\0\0\0\0\
    \0\0\0\0\x01\xa5index\x02\xa4from\x01\xa2to\x02";
const FINISH_MOVES: &[u8] = b"\x01\x10\x81\xa8arrivals\x91\x83\xa9partition\x82\xa5topic\xc4\x10\0\0\0\0\0\0\0\0\0\0\0\
    \0\0\0\0\x01\xa5index\x02\xa2id\x07\xaabase_epoch\x04";
const BOOTSTRAP: &[u8] =
    b"\x01\x01\x84\xaacluster_id\xa6kraken\xa6broker\x84\xa2id\x01\xa9directory\xc4\x10\x01\x02\x03\x04\x05\x06\
    \x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\xa4rack\xa2r1\xa9listeners\x81\xa9PLAINTEXT\x82\xa4host\xa9localhost\xa4p\
    ort\xcd#\x84\xa6shards\x02\xa8features\x81\xb0metadata.version!";
const BOOTSTRAP_OF_A_CLUSTER: &[u8] =
    b"\x01\x01\x85\xaacluster_id\xa6kraken\xa6broker\x83\xa2id\x01\xa9directory\xc4\x10\x01\x02\x03\x04\x05\x06\
    \x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\xa9listeners\x80\xa6shards\x02\xa8features\x81\xb0metadata.version!\xa8fo\
    unders\x91\x83\xa2id\x02\xa9directory\xc4\x10\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\xa9l\
    isteners\x80";
const REGISTER_BROKER: &[u8] =
    b"\x01\x02\x84\xa2id\x01\xa9directory\xc4\x10\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\xa4rac\
    k\xa2r1\xa9listeners\x81\xa9PLAINTEXT\x82\xa4host\xa9localhost\xa4port\xcd#\x84";
const REGISTER_BROKER_OF_A_CLUSTER: &[u8] =
    b"\x01\x02\x85\xa2id\x01\xa9directory\xc4\x10\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\xa9lis\
    teners\x80\xa7cluster\x82\xa4host\xa6node-1\xa4port\xcd#\x85\xa6shards\x04";
const FENCE_BROKER: &[u8] = b"\x01\x03\x83\xa2id\x01\xa5epoch\x07\xa6fenced\xc3";
const FENCE_BROKER_THEN: &[u8] = b"\x01\x03\x84\xa2id\x01\xa5epoch\x07\xa6fenced\xc3\xa5at_ms\xcd\x03\xe8";
const CREATE_SHARDS: &[u8] = b"\x01\x04\x81\xa6wishes\x91\x82\xa7members\x92\x02\x01\xa8at_least\x04";
const CREATE_TOPICS: &[u8] =
    b"\x01\x05\x81\xa6topics\x91\x84\xa2id\xc4\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\
    \xa4name\xa6orders\xaapartitions\x92\x81\xa5shard\x01\x82\xa5shard\x02\xaabase_epoch\x04\xa7configs\x81\xacr\
    etention.ms\xa41000";
const DELETE_TOPICS: &[u8] =
    b"\x01\x06\x81\xa6topics\x91\xc4\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01";
const CREATE_PARTITIONS: &[u8] =
    b"\x01\x07\x81\xa6topics\x91\x83\xa5topic\xc4\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \x01\xa7current\x02\xa6shards\x92\x01\xcd\x01,";
const SET_SETTINGS: &[u8] =
    b"\x01\x08\x81\xa9resources\x91\x83\xa8resource\x92 \xa4shop\xa7replace\xc3\xa7changes\x92\x83\xa4name\xaeclea\
    nup.policy\xa5value\xa7compact\xa8expected\x81\xa5value\xc0\x82\xa4name\xacretention.ms\xa5value\xc0";
const ALLOCATE_PRODUCER_IDS: &[u8] = b"\x01\t\x82\xa6broker\x01\xa5count\xcd\x03\xe8";
const SET_FEATURES: &[u8] = b"\x01\n\x81\xa6levels\x81\xb0metadata.version!";
const UNREGISTER_BROKER: &[u8] = b"\x01\x0b\x81\xa2id\x01";
const DRAIN_BROKER: &[u8] = b"\x01\x0c\x82\xa2id\x01\xa7drained\xc3";
const CHANGE_SHARD_MEMBERS: &[u8] = b"\x01\r\x81\xa6shards\x91\x83\xa5shard\x03\xa4from\x91\x01\xa2to\x92\x02\x01";
const SET_CONTROLLERS: &[u8] = b"\x01\x0e\x82\xa4from\x91\x01\xa2to\x92\x01\x02";
const ALLOCATE_BROKER_ID: &[u8] = b"\x01\x11\x80";

#[test]
fn entries_hold_these_bytes() {
    for (command, bytes) in golden() {
        let entry = command.encode();
        assert_eq!(entry.escape_ascii().to_string(), bytes.escape_ascii().to_string(), "{command:?}");
        assert_eq!(Command::decode(bytes), Ok(command));
    }
}

#[test]
fn every_kind_has_golden_bytes() {
    let mut kinds: Vec<u8> = golden().iter().map(|(command, _)| command.kind()).collect();
    kinds.dedup();
    assert_eq!(kinds, (1..=17).collect::<Vec<u8>>());
    assert_eq!(Command::decode(&[COMMAND_VERSION, 18, 0x80]), Err(FormatError::UnknownKind { kind: 18 }));
}

#[test]
fn what_a_newer_build_wrote_is_refused() {
    let refused = |entry: &[u8]| Command::decode(entry).unwrap_err().to_string();
    assert_eq!(refused(&[2, 1, 0x80]), "a command has format version 2, this build reads up to 1: start a newer build");
    assert_eq!(refused(&[1, 200, 0x80]), "a command is of the unknown kind 200: start a newer build");
}

#[test]
fn an_entry_cut_short_anywhere_is_an_error() {
    for (_, bytes) in golden() {
        for end in 0..bytes.len() {
            Command::decode(&bytes[..end]).unwrap_err();
        }
    }
    Command::decode(&[0, 1, 0x80]).unwrap_err();
}

#[test]
fn a_field_of_a_newer_build_is_passed_over() {
    #[derive(Serialize)]
    struct Newer {
        topics: Vec<TopicId>,
        reason: &'static str,
    }
    let entry = entry(6, &Newer { topics: vec![TopicId::NIL], reason: "an optional field of tomorrow" });
    let read = Command::DeleteTopics(DeleteTopics { topics: vec![TopicId::NIL] });
    assert_eq!(Command::decode(&entry), Ok(read));
}

#[test]
fn a_field_that_older_builds_did_not_write_has_its_default() {
    #[derive(Serialize)]
    struct Older {
        id: TopicId,
        name: &'static str,
        partitions: Vec<PartitionImage>,
    }
    #[derive(Serialize)]
    struct Body {
        topics: Vec<Older>,
    }
    let entry = entry(5, &Body { topics: vec![Older { id: TopicId::NIL, name: "orders", partitions: vec![] }] });
    let Ok(Command::CreateTopics(CreateTopics { topics })) = Command::decode(&entry) else { panic!("unreadable") };
    assert!(topics[0].configs.is_empty());
}

#[test]
fn a_name_that_is_no_topics_name_is_refused() {
    #[derive(Serialize)]
    struct Change {
        resource: (i8, &'static str),
        changes: [(); 0],
    }
    #[derive(Serialize)]
    struct Body {
        resources: [Change; 1],
    }
    let entry = |kind, name| entry(8, &Body { resources: [Change { resource: (kind, name), changes: [] }] });
    for (kind, name) in [(2, "../etc"), (4, "one"), (32, ""), (8, "1"), (99, "x")] {
        Command::decode(&entry(kind, name)).unwrap_err();
    }
    Command::decode(&entry(4, "")).unwrap();
}
