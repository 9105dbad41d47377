mod brokers;
mod moves;
mod shards;

use std::collections::BTreeMap;

use model::{BrokerId, ErrorCode, TopicId, TopicName};
use uuid::Uuid;

use super::*;
use crate::command::*;
use crate::image::{ClusterImage, PartitionImage, Resource, Settings};

/// A cluster being tried: applies commands one after another and checks the invariants after each.
struct Trial {
    draft: Draft,
    index: u64,
}

impl Trial {
    /// Brokers 1 to `brokers`, the first with two shards of its own (1 and 2).
    fn with_brokers(brokers: i32) -> Trial {
        let mut trial = Trial { draft: Draft::default(), index: 0 };
        assert_eq!(trial.apply(Command::Bootstrap(bootstrap())), Ok(Outcome::Bootstrapped));
        for id in 2..=brokers {
            trial.apply(Command::RegisterBroker(registration(id, id))).unwrap();
        }
        trial
    }

    fn apply(&mut self, command: Command) -> Result<Outcome, Refusal> {
        self.index += 1;
        let outcome = apply(&mut self.draft, command, self.index);
        assert_eq!(self.image().violations(), Vec::<String>::new());
        assert_eq!(self.image().version(), self.index);
        outcome
    }

    fn image(&self) -> &ClusterImage {
        self.draft.image()
    }

    fn create(&mut self, topics: Vec<NewTopic>) -> Vec<Result<TopicName, ErrorCode>> {
        match self.apply(Command::CreateTopics(CreateTopics { topics })) {
            Ok(Outcome::TopicsCreated(created)) => {
                created.into_iter().map(|it| it.map(|topic| topic.name.clone()).map_err(|no| no.code)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    fn grow(&mut self, topics: Vec<NewPartitions>) -> Vec<Result<usize, ErrorCode>> {
        match self.apply(Command::CreatePartitions(CreatePartitions { topics })) {
            Ok(Outcome::PartitionsCreated(grown)) => {
                grown.into_iter().map(|it| it.map(|topic| topic.partitions.len()).map_err(|no| no.code)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    fn delete(&mut self, topics: &[TopicId]) -> Vec<Result<TopicName, ErrorCode>> {
        match self.apply(Command::DeleteTopics(DeleteTopics { topics: topics.to_vec() })) {
            Ok(Outcome::TopicsDeleted(deleted)) => {
                deleted.into_iter().map(|it| it.map(|topic| topic.name.clone()).map_err(|no| no.code)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    fn set(&mut self, resources: Vec<SettingsChange>) -> Vec<Result<(), ErrorCode>> {
        match self.apply(Command::SetSettings(SetSettings { resources })) {
            Ok(Outcome::Settings(results)) => results.into_iter().map(|it| it.map_err(|no| no.code)).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// Applies a command that must be refused with `code` and must change nothing but the version.
    fn refused(&mut self, command: Command, code: ErrorCode) {
        let mut before = Draft::new(self.image().clone());
        let refusal = self.apply(command.clone()).expect_err("a refusal");
        assert_eq!(refusal.code, code, "{command:?} was refused with {refusal}");
        before.set_version(self.index);
        assert_eq!(before.image(), self.image());
    }
}

fn bootstrap() -> Bootstrap {
    let features = [("metadata.version".to_owned(), 33)].into();
    Bootstrap { cluster_id: "kraken".into(), broker: registration(1, 1), shards: 2, features, founders: vec![] }
}

fn registration(id: i32, directory: i32) -> Registration {
    Registration::new(BrokerId(id), Uuid::from_u128(directory as u128))
}

fn name(text: &str) -> TopicName {
    TopicName::parse(text).unwrap()
}

fn id(number: u128) -> TopicId {
    TopicId(Uuid::from_u128(number))
}

fn topic(text: &str, number: u128, shards: &[u32]) -> NewTopic {
    let partitions = shards.iter().map(|shard| PartitionImage::new(GroupId(*shard))).collect();
    NewTopic { id: id(number), name: name(text), partitions, configs: Settings::new() }
}

fn set(resource: Resource, key: &str, value: Option<&str>) -> SettingsChange {
    let change = SettingChange { name: key.into(), value: value.map(str::to_owned), expected: None };
    SettingsChange { resource, replace: false, changes: vec![change] }
}

fn members(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}

fn wish(ids: &[i32], at_least: u32) -> Command {
    Command::CreateShards(CreateShards { wishes: vec![ShardWish { members: members(ids), at_least, pinned: false }] })
}

#[test]
fn bootstrap_makes_the_whole_cluster_in_one_command() {
    let trial = Trial::with_brokers(1);
    let image = trial.image();
    assert_eq!((image.cluster_id(), image.version(), image.features().epoch), ("kraken", 1, 1));
    assert_eq!(image.broker(BrokerId(1)).map(|it| (it.epoch, it.fenced)), Some((1, false)));
    let shards: Vec<_> = image.shards().map(|it| (it.id, it.preferred_leader())).collect();
    assert_eq!(shards, [(GroupId(1), Some(BrokerId(1))), (GroupId(2), Some(BrokerId(1)))]);
}

#[test]
fn a_cluster_is_bootstrapped_once() {
    let mut trial = Trial::with_brokers(1);
    trial.refused(Command::Bootstrap(bootstrap()), ErrorCode::InconsistentClusterId);
    let mut empty = Trial { draft: Draft::default(), index: 0 };
    empty.refused(Command::Bootstrap(Bootstrap { shards: 0, ..bootstrap() }), ErrorCode::InvalidRequest);
    empty.refused(Command::Bootstrap(Bootstrap { cluster_id: "".into(), ..bootstrap() }), ErrorCode::InvalidRequest);
    let nonsense = [("metadata.version".to_owned(), -1)].into();
    empty.refused(Command::Bootstrap(Bootstrap { features: nonsense, ..bootstrap() }), ErrorCode::InvalidRequest);
}

#[test]
fn each_topic_of_a_command_stands_or_falls_by_itself() {
    let mut trial = Trial::with_brokers(1);
    let results = trial.create(vec![
        topic("orders", 1, &[1, 2, 1]),
        topic("orders", 2, &[1]),
        topic("no-partitions", 3, &[]),
        topic("no-shard", 4, &[1, 7]),
        topic("taken-id", 1, &[1]),
        NewTopic { id: TopicId::NIL, ..topic("nil-id", 0, &[1]) },
        topic("payments", 5, &[2]),
    ]);
    let expected = [
        Ok(name("orders")),
        Err(ErrorCode::TopicAlreadyExists),
        Err(ErrorCode::InvalidPartitions),
        Err(Refusal::stale("").code),
        Err(Refusal::stale("").code),
        Err(Refusal::stale("").code),
        Ok(name("payments")),
    ];
    assert_eq!(results, expected);
    let image = trial.image();
    assert_eq!((image.topic_count(), image.partition_count()), (2, 4));
    assert_eq!(image.shards().map(|it| it.partitions).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(image.replicas(image.topic("orders").unwrap().partition(1).unwrap()), [BrokerId(1)]);
    assert_eq!(image.topic("orders").unwrap().partition(3), None);
    assert_eq!(image.topic("orders").unwrap().partition(-1), None);
}

#[test]
fn names_that_share_a_metric_collide_until_the_first_is_deleted() {
    let mut trial = Trial::with_brokers(1);
    assert_eq!(trial.create(vec![topic("a.b", 1, &[1])]), [Ok(name("a.b"))]);
    let refusal = check_name(trial.image(), &name("a_b")).unwrap_err();
    assert_eq!(refusal.to_string(), "INVALID_TOPIC_EXCEPTION: Topic 'a_b' collides with existing topic: a.b");
    assert_eq!(trial.create(vec![topic("a_b", 2, &[1])]), [Err(ErrorCode::InvalidTopicException)]);
    assert_eq!(trial.create(vec![topic("a-b", 3, &[1])]), [Ok(name("a-b"))]);
    assert_eq!(trial.delete(&[id(1)]), [Ok(name("a.b"))]);
    assert_eq!(trial.create(vec![topic("a_b", 2, &[1])]), [Ok(name("a_b"))]);
}

#[test]
fn a_late_delete_does_not_hit_the_topic_created_anew() {
    let mut trial = Trial::with_brokers(1);
    trial.create(vec![topic("orders", 1, &[1, 1])]);
    assert_eq!(trial.delete(&[id(1), id(1)]), [Ok(name("orders")), Err(ErrorCode::UnknownTopicId)]);
    assert_eq!(trial.image().partition_count(), 0);
    trial.create(vec![topic("orders", 2, &[2])]);
    assert_eq!(trial.delete(&[id(1)]), [Err(ErrorCode::UnknownTopicId)]);
    assert_eq!(trial.image().topic("orders").map(|it| it.id), Some(id(2)));
}

#[test]
fn a_topic_grows_from_the_count_that_the_proposer_saw() {
    let mut trial = Trial::with_brokers(1);
    trial.create(vec![topic("orders", 1, &[1])]);
    let growth = |topic, current, shard: u32| NewPartitions { topic, current, shards: vec![GroupId(shard); 2] };
    assert_eq!(trial.grow(vec![growth(id(1), 1, 2), growth(id(1), 1, 2)]), [Ok(3), Err(Refusal::stale("").code)]);
    assert_eq!(trial.grow(vec![growth(id(9), 1, 2)]), [Err(ErrorCode::UnknownTopicId)]);
    assert_eq!(trial.grow(vec![growth(id(1), 3, 7)]), [Err(Refusal::stale("").code)]);
    assert_eq!(trial.image().shards().map(|it| it.partitions).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn settings_are_kept_or_reset_as_the_change_says() {
    let mut trial = Trial::with_brokers(1);
    let group = || Resource::Group("shop".into());
    let all = |trial: &Trial| trial.image().settings(&group()).cloned().unwrap_or_default();
    trial.set(vec![set(group(), "a", Some("1")), set(group(), "b", Some("2"))]);
    assert_eq!(all(&trial), BTreeMap::from([("a".into(), "1".into()), ("b".into(), "2".into())]));
    trial.set(vec![SettingsChange { replace: true, ..set(group(), "c", Some("3")) }]);
    assert_eq!(all(&trial), BTreeMap::from([("c".into(), "3".into())]));
    assert_eq!(trial.set(vec![set(group(), "c", None), set(group(), "never-set", None)]), [Ok(()), Ok(())]);
    assert_eq!(trial.image().settings(&group()), None);
    assert_eq!(trial.image().all_settings().count(), 0);
}

#[test]
fn a_change_computed_from_an_old_value_needs_that_value() {
    let mut trial = Trial::with_brokers(1);
    let change = |expected: Option<&str>, value: &str| {
        let mut change = set(Resource::ClusterDefault, "cleanup.policy", Some(value));
        change.changes[0].expected = Some(Precondition { value: expected.map(str::to_owned) });
        change.changes.push(SettingChange { name: "other".into(), value: Some(value.into()), expected: None });
        change
    };
    assert_eq!(trial.set(vec![change(None, "delete")]), [Ok(())]);
    assert_eq!(trial.set(vec![change(None, "compact")]), [Err(Refusal::stale("").code)]);
    let unchanged = BTreeMap::from([("cleanup.policy", "delete"), ("other", "delete")]);
    let settings = trial.image().settings(&Resource::ClusterDefault).unwrap();
    assert!(settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).eq(unchanged));
    assert_eq!(trial.set(vec![change(Some("delete"), "delete,compact")]), [Ok(())]);
}

#[test]
fn a_topics_settings_live_and_die_with_it() {
    let mut trial = Trial::with_brokers(1);
    let resource = || Resource::Topic(name("orders"));
    let change = || vec![set(resource(), "retention.ms", Some("1"))];
    assert_eq!(trial.set(change()), [Err(ErrorCode::UnknownTopicOrPartition)]);
    trial.create(vec![topic("orders", 1, &[1, 2])]);
    assert_eq!(trial.set(change()), [Ok(())]);
    assert_eq!(trial.image().topic_by_id(id(1)).unwrap().configs.len(), 1);
    trial.delete(&[id(1)]);
    trial.create(vec![topic("orders", 2, &[1])]);
    assert_eq!(trial.image().settings(&resource()), None);
}

#[test]
fn producer_ids_are_handed_out_once() {
    let mut trial = Trial::with_brokers(1);
    let allocate =
        |broker, count| Command::AllocateProducerIds(AllocateProducerIds { broker: BrokerId(broker), count });
    assert_eq!(trial.apply(allocate(1, 1000)), Ok(Outcome::ProducerIds(0..1000)));
    assert_eq!(trial.apply(allocate(1, 5)), Ok(Outcome::ProducerIds(1000..1005)));
    trial.refused(allocate(1, 0), ErrorCode::InvalidRequest);
    trial.refused(allocate(3, 1000), ErrorCode::BrokerIdNotRegistered);
    trial.draft.set_next_producer_id(i64::MAX - 10);
    trial.refused(allocate(1, 1000), ErrorCode::InvalidRequest);
}

#[test]
fn feature_levels_change_together_or_not_at_all() {
    let mut trial = Trial::with_brokers(1);
    let levels = |levels: &[(&str, i16)]| {
        let levels = levels.iter().map(|(name, level)| ((*name).to_owned(), *level)).collect();
        Command::SetFeatures(SetFeatures { levels })
    };
    assert_eq!(trial.apply(levels(&[("group.version", 1)])), Ok(Outcome::FeaturesSet { epoch: 2 }));
    assert_eq!(trial.apply(levels(&[("group.version", 1)])), Ok(Outcome::FeaturesSet { epoch: 2 }));
    trial.refused(levels(&[("group.version", 0), ("share.version", -1)]), ErrorCode::InvalidRequest);
    trial.refused(levels(&[("metadata.version", 0)]), ErrorCode::InvalidRequest);
    assert_eq!(trial.image().features().level("group.version"), 1);
    assert_eq!(trial.apply(levels(&[("group.version", 0)])), Ok(Outcome::FeaturesSet { epoch: 6 }));
    assert_eq!(trial.image().features().levels.len(), 1);
}
