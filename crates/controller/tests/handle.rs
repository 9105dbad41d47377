//! The controller's handle over a real group, a real journal, and simulated files.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use controller::{
    Bootstrap, Command, Config, Controller, Environment, Growth, Layout, Outcome, Refusal, Registration, Resource,
    SetFeatures, SettingChange, SettingsChange, SubmitError, TopicSpec, initial_levels,
};
use disk::{Disk, SimDisk};
use journal::{Journal, Options};
use model::{BrokerId, ErrorCode, Inline, Random, TopicId, TopicName};
use uuid::Uuid;

const BROKER: BrokerId = BrokerId(1);
const DIRECTORY: Uuid = Uuid::from_u128(7);

/// 1, 2, 3, ...
#[derive(Default)]
struct Counting(AtomicU64);

impl Random for Counting {
    fn bytes(&self) -> [u8; 16] {
        let next = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        u128::from(next).to_be_bytes()
    }
}

/// One broker's controller, and what outlives a stop of it.
struct Node {
    controller: Controller,
    environment: Environment,
}

impl Node {
    async fn empty() -> Node {
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(1));
        let executor = Arc::new(Inline);
        let (path, identity) = (Path::new("data/journal"), *DIRECTORY.as_bytes());
        let (journal, _) = Journal::open(disk.clone(), path, identity, Options::default(), executor.clone()).unwrap();
        let random = Arc::new(Counting::default());
        let node = Node::start(Environment { disk, journal, executor, random }).await;
        node.controller.bootstrap(bootstrap()).await.unwrap();
        node
    }

    async fn start(environment: Environment) -> Node {
        let config = Config::single(BROKER, DIRECTORY, 2);
        let controller = Controller::start(config, Path::new("data/groups/0"), environment.clone()).await.unwrap();
        controller.ready().await.unwrap();
        Node { controller, environment }
    }

    /// Stops without a checkpoint and starts again.
    async fn restart(self) -> Node {
        self.controller.shutdown().await;
        Node::start(self.environment).await
    }
}

fn registration() -> Registration {
    Registration::new(BROKER, DIRECTORY)
}

fn bootstrap() -> Bootstrap {
    Bootstrap {
        cluster_id: "kraken".into(),
        broker: registration(),
        shards: 2,
        features: initial_levels(),
        founders: vec![],
    }
}

fn name(text: &str) -> TopicName {
    TopicName::parse(text).unwrap()
}

fn spec(text: &str, partitions: usize, replication_factor: usize) -> TopicSpec {
    TopicSpec { name: name(text), layout: Layout::Spread { partitions, replication_factor }, configs: [].into() }
}

fn codes<T>(results: &[Result<T, Refusal>]) -> Vec<ErrorCode> {
    results.iter().map(|result| result.as_ref().err().map_or(ErrorCode::None, |refusal| refusal.code)).collect()
}

#[tokio::test]
async fn what_was_answered_is_in_the_image() {
    let node = Node::empty().await;
    let mut watch = node.controller.watch();
    let results = node.controller.create_topics(vec![spec("orders", 3, 1), spec("no", 1, 2), spec("orders", 1, 1)]);
    let results = results.await.unwrap();
    let expected = [ErrorCode::None, ErrorCode::InvalidReplicationFactor, ErrorCode::TopicAlreadyExists];
    assert_eq!(codes(&results), expected);
    let image = node.controller.image();
    assert_eq!(image.topic("orders"), results[0].as_ref().ok());
    assert!(Arc::ptr_eq(&image, &watch.borrow_and_update()));
    assert_eq!(node.controller.leader(), Some(BROKER));
}

#[tokio::test]
async fn a_second_bootstrap_and_an_unchanged_registration_write_nothing() {
    let node = Node::empty().await;
    let version = node.controller.image().version();
    node.controller.bootstrap(bootstrap()).await.unwrap();
    node.controller.register(registration()).await.unwrap();
    assert_eq!(node.controller.image().version(), version);
    node.controller.register(Registration { rack: Some("r".into()), ..registration() }).await.unwrap();
    assert!(node.controller.image().version() > version);
}

#[tokio::test]
async fn topics_grow_change_and_go() {
    let node = Node::empty().await;
    let controller = &node.controller;
    let created = controller.create_topics(vec![spec("orders", 1, 1)]).await.unwrap();
    let id = created[0].as_ref().unwrap().id;
    let growth = |count| Growth { topic: name("orders"), count, assignments: None };
    let grown = controller.create_partitions(vec![growth(4), growth(1)]).await.unwrap();
    assert_eq!(codes(&grown), [ErrorCode::None, ErrorCode::InvalidPartitions]);
    let changes = vec![SettingChange { name: "retention.ms".into(), value: Some("1".into()), expected: None }];
    let resource = Resource::Topic(name("orders"));
    let change = SettingsChange { resource, replace: false, changes };
    assert_eq!(codes(&controller.set_settings(vec![change]).await.unwrap()), [ErrorCode::None]);
    let topic = controller.image().topic("orders").unwrap().clone();
    assert_eq!((topic.partitions.len(), topic.configs.len()), (4, 1));
    let deleted = controller.delete_topics(vec![id, TopicId::NIL]).await.unwrap();
    assert_eq!(codes(&deleted), [ErrorCode::None, ErrorCode::UnknownTopicId]);
    assert_eq!(controller.image().topic_count(), 0);
}

#[tokio::test]
async fn two_growths_of_one_topic_in_one_request_are_planned_one_after_the_other() {
    let node = Node::empty().await;
    node.controller.create_topics(vec![spec("orders", 1, 1)]).await.unwrap();
    let growth = |count| Growth { topic: name("orders"), count, assignments: None };
    let grown = node.controller.create_partitions(vec![growth(3), growth(5)]).await.unwrap();
    assert_eq!(codes(&grown), [ErrorCode::None, ErrorCode::None]);
    assert_eq!(node.controller.image().topic("orders").unwrap().partitions.len(), 5);
}

#[tokio::test]
async fn many_creators_at_once_each_get_a_topic_or_a_no() {
    let node = Node::empty().await;
    let creators: Vec<_> = (0..20)
        .map(|number| {
            let controller = node.controller.clone();
            let topic = format!("topic-{}", number / 2);
            tokio::spawn(async move { codes(&controller.create_topics(vec![spec(&topic, 2, 1)]).await.unwrap()) })
        })
        .collect();
    let mut answers = Vec::new();
    for creator in creators {
        answers.extend(creator.await.unwrap());
    }
    assert_eq!(answers.iter().filter(|code| **code == ErrorCode::None).count(), 10);
    assert_eq!(answers.iter().filter(|code| **code == ErrorCode::TopicAlreadyExists).count(), 10);
    assert_eq!(node.controller.image().violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_restart_finds_the_image_in_the_manifest_and_the_log() {
    let node = Node::empty().await;
    node.controller.create_topics(vec![spec("before", 2, 1), spec("deleted", 1, 1)]).await.unwrap();
    node.controller.checkpoint().await.unwrap();
    let deleted = node.controller.image().topic("deleted").unwrap().id;
    node.controller.delete_topics(vec![deleted]).await.unwrap();
    node.controller.create_topics(vec![spec("after", 2, 1)]).await.unwrap();
    let image = node.controller.image();
    let node = node.restart().await;
    assert_eq!(node.controller.image(), image);
    node.controller.checkpoint().await.unwrap();
    let node = node.restart().await;
    assert_eq!(node.controller.image(), image);
}

#[tokio::test]
async fn no_producer_id_is_handed_out_twice() {
    let mut node = Node::empty().await;
    let mut seen = BTreeSet::new();
    for restart in 0..3 {
        for _ in 0..1500 {
            let id = node.controller.allocate_producer_id().await.unwrap();
            assert!(seen.insert(id), "{id} after restart {restart}");
        }
        node = node.restart().await;
    }
}

#[tokio::test]
async fn a_stopped_controller_says_so() {
    let node = Node::empty().await;
    node.controller.shutdown().await;
    let command = Command::SetFeatures(SetFeatures { levels: [].into() });
    let error = node.controller.submit(command).await.unwrap_err();
    assert!(matches!(error, SubmitError::Unavailable(_)), "{error:?}");
    assert!(node.controller.ready().await.is_err());
}

#[tokio::test]
async fn a_refused_command_is_an_error_with_kafkas_code() {
    let node = Node::empty().await;
    let levels = [("group.version".to_owned(), -1)].into();
    let error = node.controller.submit(Command::SetFeatures(SetFeatures { levels })).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidRequest);
    let levels = [("group.version".to_owned(), 0)].into();
    let outcome = node.controller.submit(Command::SetFeatures(SetFeatures { levels })).await.unwrap();
    assert!(matches!(outcome, Outcome::FeaturesSet { .. }));
}

#[tokio::test]
async fn a_change_that_is_too_large_is_refused_before_it_is_written() {
    let node = Node::empty().await;
    let version = node.controller.image().version();
    let changes = vec![SettingChange { name: "x".into(), value: Some("x".repeat(9 << 20)), expected: None }];
    let change = SettingsChange { resource: Resource::ClusterDefault, replace: false, changes };
    let error = node.controller.set_settings(vec![change]).await.unwrap_err();
    assert_eq!((error.code(), node.controller.image().version()), (ErrorCode::PolicyViolation, version));
}
