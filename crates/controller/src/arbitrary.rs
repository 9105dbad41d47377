//! Random commands over a world so small that they meet each other.

use model::{BrokerId, GroupId, PartitionId, TopicId, TopicName};
use proptest::prelude::*;
use uuid::Uuid;

use crate::command::*;
use crate::image::{Endpoint, PartitionImage, Resource, Settings};

/// A bootstrap, then any commands.
pub(crate) fn history() -> impl Strategy<Value = Vec<Command>> {
    (bootstrap(), prop::collection::vec(command(), 0..60)).prop_map(|(first, mut rest)| {
        rest.insert(0, Command::Bootstrap(first));
        rest
    })
}

pub(crate) fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        1 => bootstrap().prop_map(Command::Bootstrap),
        3 => registration().prop_map(Command::RegisterBroker),
        3 => (broker(), 0..20_u64, any::<bool>(), prop::option::of(0..9_i64))
            .prop_map(|(id, epoch, fenced, at_ms)| Command::FenceBroker(FenceBroker { id, epoch, fenced, at_ms })),
        1 => broker().prop_map(|id| Command::UnregisterBroker(UnregisterBroker { id })),
        1 => (broker(), any::<bool>()).prop_map(|(id, drained)| Command::DrainBroker(DrainBroker { id, drained })),
        3 => several(members_change()).prop_map(|shards| Command::ChangeShardMembers(ChangeShardMembers { shards })),
        2 => (some_brokers(), some_brokers())
            .prop_map(|(from, to)| Command::SetControllers(SetControllers { from, to })),
        3 => several(partition_move()).prop_map(|moves| Command::MovePartitions(MovePartitions { moves })),
        2 => several(arrival()).prop_map(|arrivals| Command::FinishMoves(FinishMoves { arrivals })),
        3 => several(wish()).prop_map(|wishes| Command::CreateShards(CreateShards { wishes })),
        6 => several(new_topic()).prop_map(|topics| Command::CreateTopics(CreateTopics { topics })),
        3 => several(topic_id()).prop_map(|topics| Command::DeleteTopics(DeleteTopics { topics })),
        3 => several(new_partitions()).prop_map(|topics| Command::CreatePartitions(CreatePartitions { topics })),
        3 => several(settings_change()).prop_map(|resources| Command::SetSettings(SetSettings { resources })),
        1 => (broker(), prop_oneof![0..3_u32, Just(u32::MAX)])
            .prop_map(|(broker, count)| Command::AllocateProducerIds(AllocateProducerIds { broker, count })),
        1 => Just(Command::AllocateBrokerId(AllocateBrokerId {})),
        1 => levels().prop_map(|levels| Command::SetFeatures(SetFeatures { levels })),
    ]
}

fn several<T: std::fmt::Debug>(item: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(item, 0..4)
}

fn bootstrap() -> impl Strategy<Value = Bootstrap> {
    let levels = levels().prop_filter("no level to refuse", |levels| levels.values().all(|it| *it > 0));
    (registration(), 1..4_u32, levels, several(registration())).prop_map(|(broker, shards, features, founders)| {
        let id = broker.id;
        let mut others: std::collections::BTreeMap<_, _> = founders.into_iter().map(|it| (it.id, it)).collect();
        others.remove(&id);
        Bootstrap { cluster_id: "c".into(), broker, shards, features, founders: others.into_values().collect() }
    })
}

fn registration() -> impl Strategy<Value = Registration> {
    let listeners = prop::collection::btree_map("[A-Z]{1,3}", ("[a-z]{1,5}", any::<u16>()), 0..3);
    (broker(), 0..3_u128, prop::option::of("[a-c]"), listeners).prop_map(|(id, directory, rack, listeners)| {
        let endpoint = |(name, (host, port))| (name, Endpoint { host, port });
        let listeners: std::collections::BTreeMap<_, _> = listeners.into_iter().map(endpoint).collect();
        let cluster = listeners.values().next().cloned();
        let shards = cluster.as_ref().map(|_| 2);
        Registration { id, directory: Uuid::from_u128(directory), rack, listeners, cluster, shards }
    })
}

fn members_change() -> impl Strategy<Value = MembersChange> {
    (shard(), some_brokers(), some_brokers()).prop_map(|(shard, from, to)| MembersChange { shard, from, to })
}

fn partition_move() -> impl Strategy<Value = PartitionMove> {
    (partition(), shard(), prop::option::weighted(0.8, shard())).prop_map(|(partition, from, to)| PartitionMove {
        partition,
        from,
        to,
    })
}

fn arrival() -> impl Strategy<Value = Arrival> {
    (partition(), 0..40_u64, -2..3_i32).prop_map(|(partition, id, base_epoch)| Arrival { partition, id, base_epoch })
}

fn partition() -> impl Strategy<Value = PartitionId> {
    (topic_id(), -1..5_i32).prop_map(|(topic, index)| PartitionId { topic, index })
}

/// Mostly few of them, so that a precondition may hold by chance.
fn some_brokers() -> impl Strategy<Value = Vec<BrokerId>> {
    prop_oneof![3 => broker().prop_map(|id| vec![id]), 1 => prop::collection::vec(broker(), 0..4)]
}

fn wish() -> impl Strategy<Value = ShardWish> {
    let pinned = prop::bool::weighted(0.2);
    (prop::collection::vec(broker(), 0..4), 0..3_u32, pinned).prop_map(|(members, at_least, pinned)| ShardWish {
        members,
        at_least,
        pinned,
    })
}

fn new_topic() -> impl Strategy<Value = NewTopic> {
    let partition = (shard(), 0..3_i32).prop_map(|(shard, base_epoch)| PartitionImage { shard, base_epoch });
    (topic_id(), topic_name(), prop::collection::vec(partition, 0..5), settings())
        .prop_map(|(id, name, partitions, configs)| NewTopic { id, name, partitions, configs })
}

fn new_partitions() -> impl Strategy<Value = NewPartitions> {
    (topic_id(), 0..6_u32, prop::collection::vec(shard(), 0..3)).prop_map(|(topic, current, shards)| NewPartitions {
        topic,
        current,
        shards,
    })
}

fn settings_change() -> impl Strategy<Value = SettingsChange> {
    let resource = prop_oneof![
        topic_name().prop_map(Resource::Topic),
        Just(Resource::ClusterDefault),
        broker().prop_map(Resource::Broker),
        "[a-b:]{1,2}".prop_map(Resource::Group),
        "[a-b:]{1,2}".prop_map(Resource::ClientMetrics),
    ];
    let value = || prop::option::of("[0-1]");
    let expected = prop::option::weighted(0.2, value().prop_map(|value| Precondition { value }));
    let change =
        ("[x-z]", value(), expected).prop_map(|(name, value, expected)| SettingChange { name, value, expected });
    (resource, any::<bool>(), prop::collection::vec(change, 0..3))
        .prop_map(|(resource, replace, changes)| SettingsChange { resource, replace, changes })
}

fn settings() -> impl Strategy<Value = Settings> {
    prop::collection::btree_map("[x-z]", "[0-1]", 0..3)
}

fn levels() -> impl Strategy<Value = std::collections::BTreeMap<String, i16>> {
    let name = prop_oneof![Just("metadata.version".to_owned()), Just("group.version".to_owned())];
    prop::collection::btree_map(name, -1..3_i16, 0..2)
}

fn broker() -> impl Strategy<Value = BrokerId> {
    (1..5_i32).prop_map(BrokerId)
}

fn shard() -> impl Strategy<Value = GroupId> {
    prop_oneof![10 => Just(GroupId(1)), 5 => (1..5_u32).prop_map(GroupId)]
}

fn topic_id() -> impl Strategy<Value = TopicId> {
    (0..8_u128).prop_map(|number| TopicId(Uuid::from_u128(number)))
}

fn topic_name() -> impl Strategy<Value = TopicName> {
    prop::sample::select(vec!["a", "b", "a.b", "a_b", "a.b_c", "a_b.c", "__consumer_offsets"])
        .prop_map(|name| TopicName::parse(name).unwrap())
}
