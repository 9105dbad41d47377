//! librdkafka through the `rdkafka` crate: producers that collect their deliveries, consumers that are read to a count.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, OwnedMessage};
use rdkafka::producer::{Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::LIMIT;

/// What every librdkafka client of a test starts from.
pub fn config(address: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address);
    // Tests restart brokers: the usual back-off of up to 10 s would be most of their time.
    config.set("reconnect.backoff.ms", "20").set("reconnect.backoff.max.ms", "200");
    config
}

/// Makes a topic, or panics with the broker's error.
#[track_caller]
pub fn create_topic(address: &str, topic: &str, partitions: i32, settings: &[(&str, &str)]) {
    try_create_topic(address, topic, partitions, settings).unwrap_or_else(|error| panic!("{topic}: {error}"));
}

/// Makes a topic with so many replicas, or panics with the broker's error.
#[track_caller]
pub fn create_replicated_topic(address: &str, topic: &str, partitions: i32, replicas: i32) {
    let created = try_create(address, &NewTopic::new(topic, partitions, TopicReplication::Fixed(replicas)));
    created.unwrap_or_else(|error| panic!("{topic}: {error}"));
}

/// Makes a topic.
///
/// # Errors
/// The broker's.
pub fn try_create_topic(
    address: &str,
    topic: &str,
    partitions: i32,
    settings: &[(&str, &str)],
) -> Result<(), RDKafkaErrorCode> {
    let wanted = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    try_create(address, &settings.iter().fold(wanted, |wanted, (key, value)| wanted.set(key, value)))
}

fn try_create(address: &str, wanted: &NewTopic<'_>) -> Result<(), RDKafkaErrorCode> {
    let admin: AdminClient<DefaultClientContext> = config(address).create().expect("the settings are librdkafka's own");
    let answers = futures::executor::block_on(admin.create_topics([wanted], &AdminOptions::new()));
    let mut answers = answers.unwrap_or_else(|error| panic!("{error}"));
    answers.pop().expect("one answer for one topic").map(drop).map_err(|(_, code)| code)
}

/// How a send ended: the message with its partition and offset, or the error.
pub type Delivery = Result<OwnedMessage, (KafkaError, OwnedMessage)>;

/// Collects how each send of a producer ended.
#[derive(Debug, Default)]
pub struct Deliveries(Mutex<Vec<Delivery>>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let owned = match result {
            Ok(message) => Ok(message.detach()),
            Err((error, message)) => Err((error.clone(), message.detach())),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(owned);
    }
}

/// A producer that collects its deliveries, with the settings given.
#[track_caller]
pub fn producer(address: &str, settings: &[(&str, &str)]) -> ThreadedProducer<Deliveries> {
    let mut config = config(address);
    for (key, value) in settings {
        config.set(*key, *value);
    }
    config.create_with_context(Deliveries::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// Waits for all sends to end; how they ended, in the order of ending.
#[track_caller]
pub fn flush(producer: &ThreadedProducer<Deliveries>) -> Vec<Delivery> {
    producer.flush(LIMIT).unwrap_or_else(|error| panic!("{error}"));
    std::mem::take(&mut *producer.context().0.lock().unwrap_or_else(PoisonError::into_inner))
}

/// As [`flush`], where all must have been acknowledged: the messages, with their offsets.
#[track_caller]
pub fn acknowledged(producer: &ThreadedProducer<Deliveries>) -> Vec<OwnedMessage> {
    flush(producer).into_iter().map(|delivery| delivery.unwrap_or_else(|(error, _)| panic!("{error}"))).collect()
}

/// A consumer of one partition from `offset` on, in no group.
#[track_caller]
pub fn reader(address: &str, topic: &str, partition: i32, offset: Offset, settings: &[(&str, &str)]) -> BaseConsumer {
    let mut config = config(address);
    config.set("group.id", "none").set("enable.auto.commit", "false");
    for (key, value) in settings {
        config.set(*key, *value);
    }
    let consumer: BaseConsumer = config.create().unwrap_or_else(|error| panic!("{error}"));
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, partition, offset).expect("a plain offset");
    consumer.assign(&assignment).unwrap_or_else(|error| panic!("{error}"));
    consumer
}

/// The next `count` messages; errors and a lapse of [`LIMIT`] panic.
#[track_caller]
pub fn take<C: ConsumerContext>(consumer: &BaseConsumer<C>, count: usize) -> Vec<OwnedMessage> {
    let mut taken = Vec::new();
    let deadline = Instant::now() + LIMIT;
    while taken.len() < count {
        assert!(Instant::now() < deadline, "{} of {count} messages after {LIMIT:?}", taken.len());
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => taken.push(message.detach()),
            Some(Err(error)) => panic!("{error}"),
            None => {}
        }
    }
    taken
}

/// A message's value as text.
pub fn text(message: &OwnedMessage) -> &str {
    message.payload_view::<str>().map_or("", |text| text.expect("tests send text"))
}
