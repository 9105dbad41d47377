//! librdkafka's producer and consumers, in threads of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientContext, Message};
use support::{LIMIT, unique};
use testkit::history::Value;

use super::progress::Shared;
use super::{Clients, PARTITIONS};

/// The threads at work.
pub(super) struct Librdkafka {
    producing: Arc<AtomicBool>,
    consuming: Arc<AtomicBool>,
    producer: Option<JoinHandle<()>>,
    consumers: Vec<JoinHandle<()>>,
}

impl Librdkafka {
    pub(super) fn start(address: &str, shared: &Arc<Shared>) -> Self {
        let [producing, consuming] = [(), ()].map(|()| Arc::new(AtomicBool::new(true)));
        let group = unique("group");
        let consumers = ["consumer-1", "consumer-2"].map(|name| {
            let consumer = group_member(address, &group, name, shared);
            let (shared, consuming) = (Arc::clone(shared), Arc::clone(&consuming));
            std::thread::spawn(move || consume(&consumer, name, &shared, &consuming))
        });
        let producer = idempotent_producer(address, shared);
        let (of_producer, goes_on) = (Arc::clone(shared), Arc::clone(&producing));
        let producer = std::thread::spawn(move || produce(&producer, &of_producer, &goes_on));
        Librdkafka { producing, consuming, producer: Some(producer), consumers: consumers.into() }
    }
}

impl Clients for Librdkafka {
    fn flush(&mut self) {
        self.producing.store(false, Ordering::Relaxed);
        let ended = self.producer.take().map(JoinHandle::join).transpose();
        ended.expect("the producer's thread fails only with the test");
    }

    fn stop(self: Box<Self>) {
        self.consuming.store(false, Ordering::Relaxed);
        for consumer in self.consumers {
            consumer.join().expect("a consumer's thread fails only with the test");
        }
    }
}

/// Records acknowledgements. There are no failures: the producer never gives up.
struct Acknowledge(Arc<Shared>);

impl ClientContext for Acknowledge {}

impl ProducerContext for Acknowledge {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(message) => {
                self.0.acknowledged(value_of(message), message.partition(), message.offset());
            }
            // Without an answer for ever, or refused for good: the run can't end well, and says so in the wait.
            Err((error, message)) => eprintln!("value {} was not sent: {error}", value_of(message)),
        }
    }
}

/// As [`support::librdkafka::config`], less patient: the connections of a frozen broker stay open, and to wait the usual
/// half a minute for its answers would be most of a test's time.
fn config(address: &str) -> ClientConfig {
    let mut config = support::librdkafka::config(address);
    config.set("socket.timeout.ms", "5000");
    config
}

fn idempotent_producer(address: &str, shared: &Arc<Shared>) -> BaseProducer<Acknowledge> {
    let mut config = config(address);
    config.set("enable.idempotence", "true").set("message.timeout.ms", "0").set("linger.ms", "1");
    config.set("request.timeout.ms", "3000").set("batch.num.messages", "20").set("queue.buffering.max.messages", "200");
    config.create_with_context(Acknowledge(Arc::clone(shared))).unwrap()
}

fn produce(producer: &BaseProducer<Acknowledge>, shared: &Shared, goes_on: &AtomicBool) {
    let mut value: Value = 0;
    while goes_on.load(Ordering::Relaxed) {
        for partition in (0..).take(PARTITIONS) {
            shared.sent(value, partition);
            let payload = value.to_string();
            let mut record = BaseRecord::<(), _>::to(&shared.topic).partition(partition).payload(&payload);
            while let Err((error, refused)) = producer.send(record) {
                assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
                producer.poll(Duration::from_millis(10));
                record = refused;
            }
            value += 1;
        }
        producer.poll(Duration::ZERO);
    }
    producer.flush(LIMIT).unwrap_or_else(|error| panic!("unacknowledged sends after {LIMIT:?}: {error}"));
}

/// Records rebalances.
struct Reposition(&'static str, Arc<Shared>);

impl ClientContext for Reposition {}

impl ConsumerContext for Reposition {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, _: &Rebalance<'_>) {
        self.1.repositioned(self.0);
    }
}

fn group_member(address: &str, group: &str, name: &'static str, shared: &Arc<Shared>) -> BaseConsumer<Reposition> {
    let mut config = config(address);
    config.set("group.id", group).set("auto.offset.reset", "earliest").set("auto.commit.interval.ms", "100");
    config.set("session.timeout.ms", "6000").set("heartbeat.interval.ms", "200");
    let consumer: BaseConsumer<Reposition> = config.create_with_context(Reposition(name, Arc::clone(shared))).unwrap();
    consumer.subscribe(&[&shared.topic]).unwrap();
    consumer
}

fn consume(consumer: &BaseConsumer<Reposition>, name: &str, shared: &Shared, goes_on: &AtomicBool) {
    while goes_on.load(Ordering::Relaxed) {
        // While the broker is away the client tells so, and goes on by itself.
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) {
            shared.polled(name, value_of(&message), message.partition(), message.offset());
        }
    }
}

pub(super) fn value_of(message: &impl Message) -> Value {
    let text = message.payload_view::<str>().and_then(Result::ok);
    text.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("not one of our values: {text:?}"))
}
