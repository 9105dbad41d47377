//! Brokers that fall silent, stay away, or are drained.

use super::*;

fn fences(world: &World) -> Vec<(i32, bool, Option<i64>)> {
    let all = liveness(world.image(), &world.known, &world.policy, world.now_ms);
    all.into_iter().map(|fence| (fence.id.0, fence.fenced, fence.at_ms)).collect()
}

#[test]
fn a_broker_is_fenced_after_a_session_of_silence_and_taken_back_when_it_speaks() {
    let mut world = World::new(3);
    world.seen(2).silent = Duration::from_millis(8999);
    assert_eq!(fences(&world), []);
    world.seen(2).silent = Duration::from_millis(9000);
    assert_eq!(fences(&world), [(2, true, Some(1_000_000))]);
    world.run();
    assert_eq!(world.image().live_brokers().count(), 2);
    world.wait(HOUR);
    assert_eq!(fences(&world), [], "it is away since it was found to be");
    world.seen(2).silent = Duration::ZERO;
    world.run();
    assert_eq!(world.image().live_brokers().count(), 3);
}

#[test]
fn a_broker_whose_process_is_dead_is_fenced_at_once() {
    let mut world = World::new(3);
    world.seen(3).gone = true;
    assert_eq!(fences(&world), [(3, true, Some(1_000_000))]);
}

#[test]
fn nothing_is_decided_about_brokers_of_which_nothing_is_known() {
    let mut world = World::new(3);
    world.known.brokers.clear();
    assert_eq!(fences(&world), []);
}

#[test]
fn a_wiped_broker_stays_out_until_it_has_registered_anew() {
    let mut world = World::new(3);
    *world.seen(2) = Seen { silent: Duration::ZERO, steady: Duration::ZERO, gone: false, directory: directory(99) };
    assert_eq!(fences(&world), [], "it may be another machine with the same id");
    world.seen(2).steady = Duration::from_secs(9);
    assert_eq!(fences(&world), [(2, true, Some(1_000_000))]);
    world.run();
    assert_eq!(fences(&world), []);
    world.join(Registration::new(BrokerId(2), directory(99)));
    assert_eq!(fences(&world), []);
    assert_eq!(world.image().live_brokers().count(), 3);
}

#[test]
fn a_founder_that_never_came_is_away_and_one_that_is_there_registers_by_itself() {
    let mut world = World::new(1);
    let founders = vec![Registration::new(BrokerId(2), directory(2))];
    let broker = Registration::new(BrokerId(1), directory(1));
    let first = Bootstrap { cluster_id: "c".into(), broker, shards: 1, features: [].into(), founders };
    world.draft = Draft::default();
    world.apply(Command::Bootstrap(first));
    let seen = *world.seen(1);
    world.known.brokers.insert(BrokerId(2), Seen { directory: directory(2), ..seen });
    assert_eq!(fences(&world), []);
    world.seen(2).silent = Duration::from_secs(9);
    assert_eq!(fences(&world), [(2, true, Some(1_000_000))]);
}

#[test]
fn a_broker_that_stays_away_is_replaced_after_a_while_and_no_sooner() {
    let mut world = World::new(4);
    world.create_topic("orders", 24, 3);
    world.run();
    world.lose(4);
    world.wait(Duration::from_secs(30 * 60 - 1));
    assert_eq!(world.run(), []);
    world.wait(Duration::from_secs(1));
    world.run();
    assert_eq!(world.carried(), [(1, 24), (2, 24), (3, 24), (4, 0)].into());
    assert_eq!(world.led()[&4], 0);
}

#[test]
fn a_controller_that_is_lost_or_drained_has_a_successor() {
    let mut world = World::new(5);
    world.lose(1);
    assert_eq!(world.image().controllers(), brokers(&[1, 2, 3]));
    world.wait(HOUR);
    world.run();
    assert_eq!(world.image().controllers(), brokers(&[2, 3, 4]));
    world.drain(3, true);
    world.run();
    assert_eq!(world.image().controllers(), brokers(&[2, 4, 5]));
    world.drain(5, true);
    world.run();
    assert_eq!(world.image().controllers(), brokers(&[2, 4]), "who is drained goes, though nobody comes");
}

#[test]
fn the_controllers_change_one_step_after_the_other() {
    let mut world = World::new(5);
    world.drain(1, true);
    let command = controllers(world.image(), &world.known, &world.policy, world.now_ms);
    assert_eq!(command, None, "who votes now is not known");
    world.settle();
    let command = controllers(world.image(), &world.known, &world.policy, world.now_ms).unwrap();
    world.apply(Command::SetControllers(command));
    world.drain(2, true);
    assert_eq!(controllers(world.image(), &world.known, &world.policy, world.now_ms), None);
}

/// A cluster of which a broker is drained, and what is to be done first.
fn draining() -> (World, ChangeShardMembers) {
    let mut world = World::new(5);
    world.create_topic("orders", 50, 3);
    world.run();
    world.drain(5, true);
    world.settle();
    match &world.commands()[..] {
        [Command::ChangeShardMembers(first)] => (world, first.clone()),
        others => panic!("{others:?}"),
    }
}

#[test]
fn a_few_shards_move_at_a_time() {
    let (mut world, first) = draining();
    assert_eq!(first.shards.len(), 2);
    // These two are on their way: their voters are still the old ones.
    world.apply(Command::ChangeShardMembers(first));
    assert_eq!(world.commands(), []);
    world.settle();
    assert_eq!(world.commands().len(), 1);
}

#[test]
fn a_move_turns_when_its_target_is_lost_too() {
    let (mut world, first) = draining();
    let moved = first.shards[0].clone();
    world.apply(Command::ChangeShardMembers(first));
    let target = moved.to.iter().copied().find(|id| !moved.from.contains(id)).unwrap();
    world.drain(target.0, true);
    let next = replacements(world.image(), &world.known, &world.policy, world.now_ms).unwrap();
    let turned = next.shards.iter().find(|change| change.shard == moved.shard).unwrap();
    assert!(!turned.to.contains(&target) && turned.from == moved.to, "{turned:?}");
}

#[test]
fn without_a_majority_or_a_successor_members_stay() {
    let mut world = World::new(3);
    world.create_topic("alone", 6, 1);
    world.create_topic("pairs", 6, 2);
    world.create_topic("all", 6, 3);
    world.run();
    let before: Vec<_> = world.image().shards().map(|shard| shard.members.clone()).collect();
    world.lose(3);
    world.wait(HOUR);
    world.run();
    let after: Vec<_> = world.image().shards().map(|shard| shard.members.clone()).collect();
    assert_eq!(after, before);
    assert_eq!(world.image().controllers(), brokers(&[1, 2, 3]));
}

#[test]
fn a_drained_broker_ends_with_nothing_and_may_go() {
    let mut world = World::new(4);
    for (name, factor) in [("alone", 1), ("pairs", 2), ("triples", 3)] {
        world.create_topic(name, 12, factor);
    }
    world.run();
    world.drain(2, true);
    world.run();
    let of_two = world.image().shards().filter(|shard| shard.members.contains(&BrokerId(2))).count();
    assert_eq!((of_two, world.image().controllers()), (0, &brokers(&[1, 3, 4])[..]));
    assert_eq!(world.carried()[&2], 0);
    world.apply(Command::UnregisterBroker(UnregisterBroker { id: BrokerId(2) }));
}

#[test]
fn who_is_taken_back_gets_a_part_again() {
    let mut world = World::new(4);
    world.create_topic("orders", 60, 2);
    world.run();
    world.drain(2, true);
    world.run();
    assert_eq!(world.carried()[&2], 0);
    world.drain(2, false);
    world.run();
    assert!(world.carried()[&2] >= 20, "{:?}", world.carried());
}

#[test]
fn a_successor_is_in_another_rack_than_those_who_stay() {
    let racks = [Some("a"), Some("b"), Some("c"), Some("a"), Some("b"), Some("c")];
    let mut world = World::in_racks(&racks);
    world.create_topic("orders", 36, 3);
    world.run();
    world.lose(3);
    world.wait(HOUR);
    world.run();
    for shard in world.image().shards().filter(|shard| shard.members.len() == 3) {
        let racks: BTreeSet<_> = shard.members.iter().map(|id| &world.image().broker(*id).unwrap().rack).collect();
        assert_eq!(racks.len(), 3, "{:?}", shard.members);
    }
}
