use std::collections::{BTreeMap, BTreeSet};

use model::TopicName;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::command::*;
use crate::image::{Draft, Settings};
use crate::{Command, apply};

/// A cluster of brokers 1, 2, ... in these racks, the first with two shards of its own.
fn cluster(racks: &[Option<&str>]) -> Draft {
    let registration = |at: usize| {
        let named = Registration::new(BrokerId(at as i32 + 1), Uuid::from_u128(at as u128));
        Registration { rack: racks[at].map(str::to_owned), ..named }
    };
    let mut draft = Draft::default();
    let first =
        Bootstrap { cluster_id: "c".into(), broker: registration(0), shards: 2, features: [].into(), founders: vec![] };
    apply(&mut draft, Command::Bootstrap(first), 1).unwrap();
    for at in 1..racks.len() {
        apply(&mut draft, Command::RegisterBroker(registration(at)), at as u64 + 1).unwrap();
    }
    draft
}

fn with_shards(mut draft: Draft, layout: &Layout, per_broker: u32) -> Draft {
    let wishes = missing_shards(draft.image(), [layout], per_broker);
    apply(&mut draft, Command::CreateShards(CreateShards { wishes }), 100).unwrap();
    draft
}

fn fence(draft: &mut Draft, id: i32) {
    let epoch = draft.image().broker(BrokerId(id)).unwrap().epoch;
    apply(draft, Command::FenceBroker(FenceBroker { id: BrokerId(id), epoch, fenced: true, at_ms: None }), 200)
        .unwrap();
}

fn spread(partitions: usize, replication_factor: usize) -> Layout {
    Layout::Spread { partitions, replication_factor }
}

fn brokers(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}

fn spec(name: &str, layout: Layout) -> TopicSpec {
    TopicSpec { name: TopicName::parse(name).unwrap(), layout, configs: Settings::new() }
}

fn topic_id(number: u128) -> TopicId {
    TopicId(Uuid::from_u128(number))
}

fn create(draft: &mut Draft, name: &str, layout: Layout) {
    let id = topic_id(draft.image().topic_count() as u128 + 1);
    let topic = Planner::new(draft.image()).topic(&spec(name, layout), id).unwrap();
    apply(draft, Command::CreateTopics(CreateTopics { topics: vec![topic] }), 300).unwrap();
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>, expected: &str) {
    assert_eq!(result.unwrap_err().to_string(), expected);
}

#[test]
fn new_partitions_fill_the_emptiest_shard() {
    let mut draft = cluster(&[None]);
    create(&mut draft, "lopsided", spread(3, 1));
    let shards: Vec<u32> = assign(draft.image(), 5, 1).unwrap().iter().map(|it| it.shard.0).collect();
    assert_eq!(shards, [2, 1, 2, 1, 2]);
}

#[test]
fn a_topic_spreads_over_all_shards_however_full_they_are() {
    let mut draft = cluster(&[None]);
    create(&mut draft, "old", Layout::Assigned(vec![brokers(&[1]); 8]));
    draft = with_shards(draft, &spread(1, 1), 3);
    let shards: Vec<u32> = assign(draft.image(), 6, 1).unwrap().iter().map(|it| it.shard.0).collect();
    assert_eq!(shards, [3, 1, 2, 3, 1, 2]);
}

#[test]
fn a_topic_grows_into_the_shards_that_have_least_of_it() {
    let mut draft = cluster(&[None]);
    for (number, name, shards) in [(1, "full", [1, 1]), (2, "orders", [2, 2])] {
        let partitions = shards.map(|shard| PartitionImage::new(GroupId(shard))).to_vec();
        let name = TopicName::parse(name).unwrap();
        let topics = vec![NewTopic { id: topic_id(number), name, partitions, configs: Settings::new() }];
        apply(&mut draft, Command::CreateTopics(CreateTopics { topics }), 300).unwrap();
    }
    let growth = Growth { topic: TopicName::parse("orders").unwrap(), count: 4, assignments: None };
    let plan = Planner::new(draft.image()).growth(&growth).unwrap();
    assert_eq!(plan.shards, [GroupId(1), GroupId(1)]);
}

#[test]
fn topics_of_one_request_see_each_others_load() {
    let draft = cluster(&[None]);
    let mut planner = Planner::new(draft.image());
    let shards: Vec<u32> = ["a", "b", "c", "d"]
        .iter()
        .map(|name| planner.topic(&spec(name, spread(1, 1)), topic_id(1)).unwrap().partitions[0].shard.0)
        .collect();
    assert_eq!(shards, [1, 2, 1, 2]);
}

#[test]
fn more_replicas_than_brokers_are_refused_in_kafkas_words() {
    let mut draft = cluster(&[None]);
    let too_many = "INVALID_REPLICATION_FACTOR: Unable to replicate the partition 3 time(s): The target replication \
                    factor of 3 cannot be reached because only 1 broker(s) are registered.";
    refused(assign(draft.image(), 1, 3), too_many);
    fence(&mut draft, 1);
    let fenced = "INVALID_REPLICATION_FACTOR: Unable to replicate the partition 1 time(s): All brokers are currently \
                  fenced.";
    refused(assign(draft.image(), 1, 1), fenced);
}

#[test]
fn partitions_avoid_leaders_that_are_away_as_long_as_there_are_others() {
    let mut draft = with_shards(cluster(&[None, None]), &spread(1, 1), 2);
    fence(&mut draft, 1);
    let leads = |draft: &Draft| -> BTreeSet<_> {
        let places = assign(draft.image(), 4, 1).unwrap();
        places.iter().map(|it| draft.image().replicas(it)[0]).collect()
    };
    assert_eq!(leads(&draft), BTreeSet::from([BrokerId(2)]));
}

#[test]
fn a_replication_factor_without_shards_waits_for_them() {
    let draft = cluster(&[None, None]);
    assert!(assign(draft.image(), 1, 2).unwrap_err().is_stale());
    let draft = with_shards(draft, &spread(1, 2), 1);
    assert_eq!(assign(draft.image(), 2, 2).unwrap().len(), 2);
}

#[test]
fn one_request_creates_a_bounded_number_of_partitions() {
    let draft = cluster(&[None]);
    let mut planner = Planner::new(draft.image());
    planner.topic(&spec("a", spread(MAX_PARTITIONS_PER_REQUEST, 1)), topic_id(1)).unwrap();
    let excessive = "POLICY_VIOLATION: Excessively large number of partitions per request.";
    refused(planner.topic(&spec("b", spread(1, 1)), topic_id(2)), excessive);
    refused(Planner::new(draft.image()).topic(&spec("c", spread(i32::MAX as usize, 1)), topic_id(3)), excessive);
}

#[test]
fn minus_one_in_a_request_stands_for_the_default() {
    let defaults = Defaults { partitions: 3, replication_factor: 2 };
    let read = |partitions, factor| Layout::from_request(partitions, factor, vec![], defaults);
    assert_eq!(read(-1, -1), Ok(spread(3, 2)));
    assert_eq!(read(5, 1), Ok(spread(5, 1)));
    for factor in [0, -2, i16::MIN] {
        let expected = "INVALID_REPLICATION_FACTOR: Replication factor must be larger than 0, or -1 to use the default \
                        value.";
        refused(read(1, factor), expected);
    }
    for partitions in [0, -2, i32::MIN] {
        let expected = "INVALID_PARTITIONS: Number of partitions was set to an invalid non-positive value.";
        refused(read(partitions, 1), expected);
    }
}

#[test]
fn an_assignment_by_hand_is_read_in_the_order_of_its_partitions() {
    let defaults = Defaults { partitions: 1, replication_factor: 1 };
    let read = |partitions, factor, numbers: &[i32]| {
        let assignments = numbers.iter().map(|number| (*number, brokers(&[number + 10]))).collect();
        Layout::from_request(partitions, factor, assignments, defaults)
    };
    assert_eq!(read(-1, -1, &[1, 0]), Ok(Layout::Assigned(vec![brokers(&[10]), brokers(&[11])])));
    let unset = "INVALID_REQUEST: A manual partition assignment was specified, but";
    refused(read(-1, 1, &[0]), &format!("{unset} replication factor was not set to -1."));
    refused(read(1, -1, &[0]), &format!("{unset} numPartitions was not set to -1."));
    let multiple = "INVALID_REPLICA_ASSIGNMENT: Found multiple manual partition assignments for partition 0";
    refused(read(-1, -1, &[0, 0]), multiple);
    let gap = "INVALID_REPLICA_ASSIGNMENT: partitions should be a consecutive 0-based integer sequence";
    refused(read(-1, -1, &[0, 2]), gap);
    refused(read(-1, -1, &[1]), gap);
}

#[test]
fn replicas_assigned_by_hand_are_checked_in_kafkas_words() {
    let mut draft = cluster(&[None, None]);
    fence(&mut draft, 2);
    let place = |partitions: &[&[i32]]| {
        let layout = Layout::Assigned(partitions.iter().map(|ids| brokers(ids)).collect());
        Planner::new(draft.image()).topic(&spec("t", layout), topic_id(1)).map(|it| it.partitions.len())
    };
    let prefix = "INVALID_REPLICA_ASSIGNMENT: The manual partition assignment includes";
    refused(place(&[&[]]), &format!("{prefix} an empty replica list."));
    refused(place(&[&[1, 1]]), &format!("{prefix} the broker 1 more than once."));
    refused(place(&[&[5]]), &format!("{prefix} broker 5, but no such broker is registered."));
    let uneven = "a partition with 2 replica(s), but this is not consistent with previous partitions, which have 1 \
                  replica(s).";
    refused(place(&[&[1], &[1, 2]]), &format!("{prefix} {uneven}"));
    let fenced = "INVALID_REPLICA_ASSIGNMENT: All brokers specified in the manual partition assignment for partition 1 \
                  are fenced or in controlled shutdown.";
    refused(place(&[&[1], &[2]]), fenced);
    assert_eq!(place(&[&[1], &[1], &[1]]), Ok(3));
}

#[test]
fn replicas_assigned_by_hand_get_a_shard_of_exactly_them() {
    let layout = Layout::Assigned(vec![brokers(&[2, 1]), brokers(&[1, 2])]);
    let draft = cluster(&[None, None]);
    let missing = missing_shards(draft.image(), [&layout], 4);
    let wish = |ids: &[i32]| ShardWish { members: brokers(ids), at_least: 1, pinned: false };
    assert_eq!(missing, [wish(&[1, 2]), wish(&[2, 1])]);
    let draft = with_shards(draft, &layout, 4);
    let topic = Planner::new(draft.image()).topic(&spec("t", layout.clone()), topic_id(1)).unwrap();
    let replicas: Vec<_> = topic.partitions.iter().map(|it| draft.image().replicas(it).to_vec()).collect();
    assert_eq!(Layout::Assigned(replicas), layout);
    assert_eq!(missing_shards(draft.image(), [&layout], 4), []);
}

#[test]
fn a_topic_grows_only_as_kafka_lets_it() {
    let mut draft = cluster(&[None, None]);
    create(&mut draft, "orders", spread(3, 1));
    let grow = |name: &str, count, assignments: Option<Vec<Vec<BrokerId>>>| {
        let growth = Growth { topic: TopicName::parse(name).unwrap(), count, assignments };
        Planner::new(draft.image()).growth(&growth).map(|it| (it.current, it.shards.len()))
    };
    assert_eq!(grow("orders", 5, None), Ok((3, 2)));
    assert_eq!(grow("orders", 4, Some(vec![brokers(&[1])])), Ok((3, 1)));
    refused(grow("orders", 3, None), "INVALID_PARTITIONS: Topic already has 3 partition(s).");
    let fewer = "INVALID_PARTITIONS: The topic orders currently has 3 partition(s); -22 would not be an increase.";
    refused(grow("orders", -22, None), fewer);
    let missing = "UNKNOWN_TOPIC_OR_PARTITION: This server does not host this topic-partition.";
    refused(grow("nothing", 3, None), missing);
    let too_few = "INVALID_REPLICA_ASSIGNMENT: Attempted to add 3 additional partition(s), but only 1 assignment(s) \
                   were specified.";
    refused(grow("orders", 6, Some(vec![brokers(&[1])])), too_few);
    let uneven = "INVALID_REPLICA_ASSIGNMENT: The manual partition assignment includes a partition with 2 replica(s), \
                  but this is not consistent with previous partitions, which have 1 replica(s).";
    refused(grow("orders", 4, Some(vec![brokers(&[1, 2])])), uneven);
}

#[test]
fn every_live_broker_leads_its_shards_of_each_replication_factor() {
    let draft = with_shards(cluster(&[None; 4]), &spread(1, 3), 2);
    let mut leads = std::collections::BTreeMap::new();
    for shard in draft.image().shards().filter(|shard| shard.members.len() == 3) {
        *leads.entry(shard.members[0].0).or_insert(0) += 1;
    }
    assert_eq!(leads, [(1, 2), (2, 2), (3, 2), (4, 2)].into());
    assert_eq!(missing_shards(draft.image(), [&spread(1, 3)], 2), []);
    assert_eq!(draft.image().violations(), Vec::<String>::new());
}

#[test]
fn the_shards_of_a_single_broker_are_those_of_its_bootstrap() {
    let draft = cluster(&[None]);
    assert_eq!(missing_shards(draft.image(), [&spread(1, 1)], 2), []);
    assert_eq!(missing_shards(draft.image(), [&spread(1, 3)], 2), []);
}

#[test]
fn two_brokers_alone_share_several_shards_of_both() {
    let draft = with_shards(cluster(&[None, None]), &spread(1, 2), 3);
    let led_by = |id| draft.image().shards().filter(|it| it.members == brokers(&[id, 3 - id])).count();
    assert_eq!((led_by(1), led_by(2)), (3, 3));
}

#[test]
fn replicas_are_spread_over_racks_before_brokers() {
    let racks = [Some("a"), Some("a"), Some("b"), Some("b"), Some("c"), Some("c")];
    let draft = with_shards(cluster(&racks), &spread(1, 3), 2);
    for shard in draft.image().shards().filter(|shard| shard.members.len() == 3) {
        let racks: BTreeSet<_> = shard.members.iter().map(|id| &draft.image().broker(*id).unwrap().rack).collect();
        assert_eq!(racks.len(), 3, "{:?}", shard.members);
    }
}

#[test]
fn a_few_partitions_go_to_as_many_leaders() {
    let mut draft = with_shards(cluster(&[None; 3]), &spread(1, 3), 2);
    let full = draft.image().shards().filter(|it| it.members.len() == 3 && it.members[0] != BrokerId(1));
    let full = Layout::Assigned(full.map(|shard| shard.members.clone()).collect());
    create(&mut draft, "full", full);
    create(&mut draft, "orders", spread(3, 3));
    let topic = draft.image().topic("orders").unwrap();
    let leaders: BTreeSet<_> = topic.partitions.iter().map(|it| draft.image().replicas(it)[0]).collect();
    assert_eq!(leaders.len(), 3, "{topic:?}");
}

#[test]
fn a_replication_factor_that_needs_a_broker_that_is_away_has_it_as_a_follower() {
    let mut draft = cluster(&[None, None, None]);
    fence(&mut draft, 2);
    let draft = with_shards(draft, &spread(1, 3), 1);
    let members: Vec<_> = draft.image().shards().skip(2).map(|shard| shard.members.clone()).collect();
    assert_eq!(members, [brokers(&[1, 3, 2]), brokers(&[3, 2, 1])]);
    assert_eq!(assign(draft.image(), 4, 3).unwrap().len(), 4);
}

#[test]
fn a_drained_broker_gets_nothing_new() {
    let mut draft = with_shards(cluster(&[None; 4]), &spread(1, 2), 2);
    let drain = DrainBroker { id: BrokerId(2), drained: true };
    apply(&mut draft, Command::DrainBroker(drain), 200).unwrap();
    let places = assign(draft.image(), 24, 2).unwrap();
    assert!(places.iter().all(|place| draft.image().replicas(place)[0] != BrokerId(2)));
    let draft = with_shards(draft, &spread(1, 3), 2);
    let triples = || draft.image().shards().filter(|shard| shard.members.len() == 3);
    assert!(triples().count() > 0 && triples().all(|shard| !shard.members.contains(&BrokerId(2))));
}

proptest! {
    /// Leaders and replicas of many topics are even, to within what the last topic brings.
    #[test]
    fn topics_are_spread_evenly_over_brokers(
        brokers in prop::sample::select(vec![3_usize, 5]),
        topics in prop::collection::vec((1..40_usize, 1..4_usize), 1..30),
        per_broker in 1..5_u32,
    ) {
        let mut draft = cluster(&vec![None; brokers]);
        for (number, (partitions, factor)) in topics.iter().enumerate() {
            draft = with_shards(draft, &spread(1, *factor), per_broker);
            create(&mut draft, &format!("topic-{number}"), spread(*partitions, *factor));
        }
        for factor in 1..4 {
            let shards = || draft.image().shards().filter(|shard| shard.members.len() == factor);
            let count = |of: &dyn Fn(&[BrokerId]) -> Vec<BrokerId>| {
                let mut counts: BTreeMap<BrokerId, u32> =
                    draft.image().brokers().map(|broker| (broker.id, 0)).collect();
                for shard in shards() {
                    of(&shard.members).iter().for_each(|id| *counts.get_mut(id).unwrap() += shard.partitions);
                }
                counts.values().max().unwrap() - counts.values().min().unwrap()
            };
            // The bootstrap's two shards stand beside the others where each broker leads one.
            let skew = if factor == 1 && per_broker == 1 { u32::MAX } else { 0 };
            let led = count(&|members| members[..1].to_vec());
            let carried = count(&|members| members.to_vec());
            prop_assert!(led <= skew.max(per_broker + 1), "factor {factor}: led {led}");
            prop_assert!(carried <= skew.max(factor as u32 * (per_broker + 1)), "factor {factor}: carried {carried}");
        }
    }
}

#[test]
fn a_broker_leads_as_many_shards_as_it_has_cores_up_to_four() {
    assert_eq!([0, 1, 2, 4, 64].map(default_shards_per_broker), [1, 1, 2, 4, 4]);
}
