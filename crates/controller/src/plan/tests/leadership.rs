//! Who leads after a loss, a return, an addition.

use proptest::prelude::*;

use super::*;

/// Hands over until nobody wants to any more; how often it took.
fn hand_over_all(world: &mut World) -> usize {
    let mut count = 0;
    loop {
        let next = hand_overs(world.image(), &world.known, &world.policy);
        if next.is_empty() {
            return count;
        }
        for HandOver { shard, from, to } in next {
            let seen = world.known.groups.get_mut(&shard).unwrap();
            assert_eq!(seen.leader, from);
            seen.leader = to;
            count += 1;
        }
        assert!(count < 1000, "leadership goes round and round");
    }
}

fn led(world: &World) -> BTreeMap<i32, u32> {
    let mut led: BTreeMap<i32, u32> = world.image().brokers().map(|broker| (broker.id.0, 0)).collect();
    for shard in world.image().shards() {
        *led.get_mut(&world.known.groups[&shard.id].leader.0).unwrap() += 1;
    }
    led
}

/// Three brokers that lead two shards each, besides the two of the first alone.
fn triples(policy: Policy) -> World {
    let mut world = World::new(3);
    world.policy = policy;
    world.create_topic("orders", 12, 3);
    world.settle();
    world
}

#[test]
fn preferred_leaders_lead_once_they_are_in_sync_and_steady() {
    let mut world = triples(Policy { shards_per_broker: 2, ..Policy::default() });
    assert_eq!(hand_over_all(&mut world), 0);
    for seen in world.known.groups.values_mut().filter(|seen| seen.voters.len() == 3) {
        seen.leader = BrokerId(1);
        seen.in_sync.remove(&BrokerId(2));
    }
    world.seen(3).steady = Duration::from_secs(4);
    assert_eq!(hand_over_all(&mut world), 0, "2 lacks records, 3 has just come back");
    world.seen(3).steady = Duration::from_secs(5);
    assert_eq!(hand_over_all(&mut world), 4, "its own, and for now those of 2 as well");
    assert_eq!(led(&world), [(1, 4), (2, 0), (3, 4)].into());
    for seen in world.known.groups.values_mut() {
        seen.in_sync
            .extend(brokers(&[1, 2, 3]).into_iter().filter(|id| seen.voters.iter().any(|it| it.broker() == *id)));
    }
    assert_eq!(hand_over_all(&mut world), 2);
    assert_eq!(led(&world), [(1, 4), (2, 2), (3, 2)].into());
}

#[test]
fn those_who_are_left_share_what_a_dead_leader_led() {
    let mut world = triples(Policy { shards_per_broker: 3, ..Policy::default() });
    world.lose(3);
    // All that it led was taken over by one.
    let shards: Vec<GroupId> =
        world.image().shards().filter(|it| it.preferred_leader() == Some(BrokerId(3))).map(|it| it.id).collect();
    for shard in shards {
        world.known.groups.get_mut(&shard).unwrap().leader = BrokerId(1);
    }
    hand_over_all(&mut world);
    let led = led(&world);
    assert_eq!(led, [(1, 6), (2, 5), (3, 0)].into(), "an odd one stays where it is");
}

#[test]
fn a_drained_broker_gives_its_leadership_away_before_its_replicas() {
    let mut world = triples(Policy { shards_per_broker: 2, ..Policy::default() });
    world.drain(3, true);
    let before = led(&world)[&3];
    assert_eq!(hand_over_all(&mut world), before as usize);
    assert_eq!(led(&world)[&3], 0);
}

#[test]
fn nobody_is_given_leadership_who_is_not_there_as_it_registered() {
    let mut world = triples(Policy { shards_per_broker: 2, ..Policy::default() });
    for seen in world.known.groups.values_mut().filter(|seen| seen.voters.len() == 3) {
        seen.leader = BrokerId(1);
    }
    world.seen(2).gone = true;
    world.seen(3).directory = directory(99);
    assert_eq!(hand_over_all(&mut world), 0);
    world.known.brokers.clear();
    assert_eq!(hand_over_all(&mut world), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    /// Whoever leads and whoever is there: it ends, and only who is there and in sync is given leadership.
    #[test]
    fn handing_over_ends_with_leaders_that_were_there_and_in_sync(
        leaders in prop::collection::vec(0..3_usize, 14),
        lagging in prop::collection::vec((1..15_u32, 1..4_i32), 0..6),
        away in prop::option::of(1..4_i32),
        drained in prop::option::of(1..4_i32),
        per_broker in 1..5_u32,
    ) {
        let mut world = triples(Policy { shards_per_broker: per_broker, ..Policy::default() });
        if let Some(id) = away {
            world.seen(id).steady = Duration::ZERO;
        }
        if let Some(id) = drained {
            world.drain(id, true);
        }
        let members: Vec<(GroupId, Vec<BrokerId>)> =
            world.image().shards().map(|shard| (shard.id, shard.members.clone())).collect();
        for ((group, members), leader) in members.iter().zip(leaders) {
            let seen = world.known.groups.get_mut(group).unwrap();
            seen.leader = members[leader % members.len()];
            seen.in_sync.retain(|id| *id == seen.leader || !lagging.contains(&(group.0, id.0)));
        }
        let before = world.known.groups.clone();
        hand_over_all(&mut world);
        for (group, _) in &members {
            let leader = world.known.groups[group].leader;
            if leader != before[group].leader {
                prop_assert!(before[group].in_sync.contains(&leader));
                prop_assert!(Some(leader.0) != away && Some(leader.0) != drained);
            }
        }
    }
}
