//! Brokers that join.

use model::{TopicId, TopicName};
use proptest::prelude::*;

use super::*;
use crate::image::PartitionImage;

fn join(world: &mut World, id: i32) {
    world.join(Registration::new(BrokerId(id), directory(id)));
    world.run();
}

#[test]
fn a_single_broker_that_becomes_three_shares_its_partitions_and_its_vote() {
    let mut world = World::new(1);
    world.create_topic("orders", 40, 1);
    assert_eq!(world.run(), []);
    join(&mut world, 2);
    assert_eq!(world.image().controllers(), brokers(&[1]));
    assert_eq!(world.carried(), [(1, 20), (2, 20)].into());
    join(&mut world, 3);
    assert_eq!(world.image().controllers(), brokers(&[1, 2, 3]));
    assert_eq!(world.image().shards().filter(|shard| shard.members == brokers(&[3])).count(), 2);
}

#[test]
fn internal_topics_of_a_single_broker_get_three_replicas_as_soon_as_there_are_three() {
    let mut world = World::new(1);
    world.create_topic("__consumer_offsets", 3, 1);
    world.run();
    let replicas = |world: &World| -> Vec<usize> {
        let image = world.image();
        let topic = image.topic("__consumer_offsets").unwrap();
        topic.partitions.iter().map(|partition| image.replicas(partition).len()).collect()
    };
    join(&mut world, 2);
    assert_eq!(replicas(&world), [1, 1, 1], "two replicas bear no more losses than one");
    join(&mut world, 3);
    assert_eq!(replicas(&world), [3, 3, 3]);
    assert_eq!(world.run(), []);
}

#[test]
fn a_group_whose_members_change_counts_as_moving_though_its_voters_are_right() {
    let mut world = World::new(3);
    world.create_topic("__consumer_offsets", 3, 1);
    world.settle();
    world.known.groups.values_mut().for_each(|seen| seen.is_changing = true);
    assert_eq!(internal_growth(world.image(), &world.known, &world.policy), None);
    assert_eq!(rebalance(world.image(), &world.known, &world.policy, world.now_ms), None);
}

#[test]
fn a_fourth_broker_gets_its_part_of_what_three_carried_and_led() {
    let mut world = World::new(3);
    world.create_topic("orders", 120, 3);
    world.run();
    join(&mut world, 4);
    assert_eq!(world.image().controllers().len(), 3);
    let carried = world.carried();
    assert!(carried.values().all(|count| (60..=120).contains(count)), "{carried:?}");
    assert!(world.led()[&4] > 0, "{:?}", world.led());
}

#[test]
fn a_broker_gets_as_many_shards_as_it_says_of_each_replication_factor_in_use() {
    let mut world = World::new(3);
    world.create_topic("alone", 6, 1);
    world.create_topic("triples", 6, 3);
    world.run();
    world.join(Registration { shards: Some(4), ..Registration::new(BrokerId(4), directory(4)) });
    let wishes = new_shards(world.image(), &world.policy).unwrap().wishes;
    let of = |factor: usize| -> u32 {
        let led = wishes.iter().filter(|wish| wish.members.len() == factor && wish.members[0] == BrokerId(4));
        led.map(|wish| wish.at_least).sum()
    };
    assert_eq!((of(1), of(2), of(3)), (4, 0, 4));
}

#[test]
fn things_are_not_evened_at_the_cost_of_racks() {
    let mut world = World::in_racks(&[Some("a"), Some("b"), Some("c")]);
    world.create_topic("orders", 60, 3);
    world.run();
    world.join(Registration { rack: Some("a".into()), ..Registration::new(BrokerId(4), directory(4)) });
    world.run();
    assert!(world.carried()[&4] > 20, "{:?}", world.carried());
    for shard in world.image().shards().filter(|shard| shard.members.len() == 3) {
        let racks: BTreeSet<_> = shard.members.iter().map(|id| &world.image().broker(*id).unwrap().rack).collect();
        assert_eq!(racks.len(), 3, "{:?}", shard.members);
    }
}

#[test]
fn nothing_moves_while_a_broker_is_away_for_a_moment() {
    let mut world = World::new(3);
    world.create_topic("orders", 40, 1);
    world.run();
    world.lose(3);
    assert_eq!(world.run(), []);
    world.join(Registration::new(BrokerId(4), directory(4)));
    world.run();
    assert_eq!(world.carried()[&4], 0);
}

#[test]
fn the_controllers_of_a_large_cluster_are_in_several_racks() {
    let mut world = World::in_racks(&[Some("a")]);
    for (id, rack) in [(2, "a"), (3, "b"), (4, "c")] {
        let broker = Registration { rack: Some(rack.into()), ..Registration::new(BrokerId(id), directory(id)) };
        world.join(broker);
    }
    world.run();
    assert_eq!(world.image().controllers(), brokers(&[1, 3, 4]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever happens, planning comes to an end, and nobody who is there is left without a part.
    #[test]
    fn planning_ends_and_leaves_things_even(
        first in 1..4_i32,
        topics in prop::collection::vec((1..60_usize, 1..4_usize), 1..6),
        joining in 0..4_i32,
        drained in prop::option::of(1..4_i32),
        racks in 1..4_i32,
    ) {
        let rack = |id: i32| Some(format!("rack-{}", id % racks));
        let mut world = World::new(1);
        let brokers = first + joining;
        for id in 1..=first {
            world.join(Registration { rack: rack(id), ..Registration::new(BrokerId(id), directory(id)) });
        }
        for (number, (partitions, factor)) in topics.iter().enumerate() {
            world.create_topic(&format!("topic-{number}"), *partitions, (*factor).min(first as usize));
        }
        for id in first + 1..=brokers {
            world.join(Registration { rack: rack(id), ..Registration::new(BrokerId(id), directory(id)) });
        }
        world.run();
        if let Some(id) = drained.filter(|id| *id <= brokers && brokers > 3) {
            world.drain(id, true);
            world.run();
            prop_assert_eq!(world.carried()[&id], 0);
        }
        let available: Vec<i32> = world.image().brokers().filter(|it| it.is_available()).map(|it| it.id.0).collect();
        let largest = world.image().shards().map(|shard| shard.partitions).max().unwrap_or(0);
        // Racks of unequal size can't be filled evenly.
        if racks == 1 {
            let counts: BTreeMap<i32, u32> =
                world.carried().into_iter().filter(|(id, _)| available.contains(id)).collect();
            let mean = counts.values().sum::<u32>() / counts.len() as u32;
            prop_assert!(spread(&counts) <= 2 * largest + mean / 5 + 4, "{:?}, largest {}", counts, largest);
        }
    }
}

#[test]
fn what_was_assigned_by_hand_stays_where_it_is_and_is_joined_by_nothing_else() {
    let mut world = World::new(2);
    let wish = ShardWish { members: brokers(&[1]), at_least: 1, pinned: true };
    world.apply(Command::CreateShards(CreateShards { wishes: vec![wish] }));
    let by_hand = world.image().shards().find(|shard| shard.pinned).unwrap().id;
    let partitions = vec![PartitionImage::new(by_hand); 100];
    let (id, name) = (TopicId(Uuid::from_u128(7)), TopicName::parse("heavy").unwrap());
    let topics = vec![NewTopic { id, name, partitions, configs: Settings::new() }];
    world.apply(Command::CreateTopics(CreateTopics { topics }));
    world.create_topic("light", 10, 1);
    world.run();
    let shard = world.image().shard(by_hand).unwrap();
    assert_eq!((&shard.members, shard.partitions), (&brokers(&[1]), 100));

    world.drain(1, true);
    world.run();
    assert_eq!(world.image().shard(by_hand).unwrap().members, brokers(&[2]), "a drained broker carries nothing");
}
