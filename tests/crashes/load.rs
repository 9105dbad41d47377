//! An idempotent producer and a group of two consumers in threads of their own, which record what they do and see.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientContext, Message, Offset};
use support::librdkafka::reader;
use support::{LIMIT, unique};
use testkit::history::{History, Partition, Recorder, Value, check};

/// Partitions of the topic under load.
pub(crate) const PARTITIONS: usize = 3;

/// A producer and a group at work on one topic.
pub(crate) struct Load {
    address: String,
    topic: String,
    shared: Arc<Shared>,
    producer: JoinHandle<()>,
    consumers: Vec<JoinHandle<()>>,
}

/// What the threads share: the history, and how far it has come.
#[derive(Default)]
struct Shared {
    recorder: Recorder,
    progress: Mutex<Progress>,
    moved: Condvar,
    producing: AtomicBool,
    consuming: AtomicBool,
    rebalances: AtomicUsize,
}

#[derive(Debug, Clone, Copy)]
struct Progress {
    acknowledged: usize,
    polled: usize,
    /// The highest offset acknowledged, and polled by the group, in each partition.
    acknowledged_to: [i64; PARTITIONS],
    polled_to: [i64; PARTITIONS],
}

impl Default for Progress {
    fn default() -> Self {
        Self { acknowledged: 0, polled: 0, acknowledged_to: [-1; PARTITIONS], polled_to: [-1; PARTITIONS] }
    }
}

/// What a load leaves behind.
pub(crate) struct Outcome {
    /// The sends, and what the group read.
    pub(crate) group: History,
    /// The same, and what a reader of each whole partition saw at the end.
    pub(crate) whole: History,
}

/// Fails unless clients saw nothing but what they were promised.
pub(crate) fn assert_sound(outcome: Outcome) {
    for (whose, history) in [("the group's", outcome.group), ("the whole", outcome.whole)] {
        let findings = check(&history);
        let first = &findings[..findings.len().min(5)];
        assert!(findings.is_empty(), "{} findings in {whose} history, the first: {first:#?}", findings.len());
    }
}

impl Load {
    /// Starts the threads.
    pub(crate) fn start(address: &str, topic: &str) -> Self {
        let shared = Arc::new(Shared::default());
        shared.producing.store(true, Ordering::Relaxed);
        shared.consuming.store(true, Ordering::Relaxed);
        let group = unique("group");
        let consumers = ["consumer-1", "consumer-2"].map(|name| {
            let consumer = group_member(address, topic, &group, name, &shared);
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || consume(&consumer, name, &shared))
        });
        let producer = idempotent_producer(address, &shared);
        let (of_producer, name) = (Arc::clone(&shared), topic.to_owned());
        let producer = std::thread::spawn(move || produce(&producer, &name, &of_producer));
        Self { address: address.to_owned(), topic: topic.to_owned(), shared, producer, consumers: consumers.into() }
    }

    /// Waits until `count` more sends are acknowledged, and as many more records polled.
    pub(crate) fn wait_for_more(&self, count: usize, limit: Duration) -> Result<(), String> {
        let before = self.shared.progress();
        self.shared
            .wait(limit, |now| now.acknowledged >= before.acknowledged + count && now.polled >= before.polled + count)
    }

    /// Lets the producer's last sends be acknowledged, the group read to the end, and then a reader of its own
    /// whole partitions.
    pub(crate) fn finish(self) -> Outcome {
        self.shared.producing.store(false, Ordering::Relaxed);
        self.producer.join().expect("the producer's thread fails only with the test");
        let all_read = |progress: Progress| {
            progress
                .polled_to
                .iter()
                .zip(progress.acknowledged_to)
                .all(|(polled, acknowledged)| *polled >= acknowledged)
        };
        self.shared.wait(LIMIT, all_read).unwrap_or_else(|stuck| panic!("the group reads {stuck}"));
        self.shared.consuming.store(false, Ordering::Relaxed);
        for consumer in self.consumers {
            consumer.join().expect("a consumer's thread fails only with the test");
        }
        let group = self.shared.recorder.history();
        for at in partitions(&self.topic) {
            read_whole(&self.address, &at, &self.shared.recorder);
        }
        let (progress, rebalances) = (self.shared.progress(), self.shared.rebalances.load(Ordering::Relaxed));
        eprintln!(
            "{} acknowledged, {} polled by the group, {rebalances} rebalances",
            progress.acknowledged, progress.polled
        );
        Outcome { group, whole: self.shared.recorder.history() }
    }
}

impl Shared {
    fn progress(&self) -> Progress {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
        self.moved.notify_all();
    }

    fn wait(&self, limit: Duration, done: impl Fn(Progress) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        while !done(*progress) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("no further than {:?} within {limit:?}", *progress));
            }
            progress = self.moved.wait_timeout(progress, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
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
                self.0.recorder.acknowledged(value_of(message), message.offset());
                self.0.advance(|progress| {
                    progress.acknowledged += 1;
                    raise(&mut progress.acknowledged_to, message);
                });
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

fn produce(producer: &BaseProducer<Acknowledge>, topic: &str, shared: &Shared) {
    let partitions = partitions(topic);
    let mut value: Value = 0;
    while shared.producing.load(Ordering::Relaxed) {
        for at in &partitions {
            shared.recorder.send("producer", at, value);
            let payload = value.to_string();
            let mut record = BaseRecord::<(), _>::to(topic).partition(at.number).payload(&payload);
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

/// Records rebalances: a member may go back to the group's last commit.
struct Reposition(&'static str, Arc<Shared>);

impl ClientContext for Reposition {}

impl ConsumerContext for Reposition {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, _: &Rebalance<'_>) {
        self.1.recorder.repositioned(self.0);
        self.1.rebalances.fetch_add(1, Ordering::Relaxed);
    }
}

fn group_member(
    address: &str,
    topic: &str,
    group: &str,
    name: &'static str,
    shared: &Arc<Shared>,
) -> BaseConsumer<Reposition> {
    let mut config = config(address);
    config.set("group.id", group).set("auto.offset.reset", "earliest").set("auto.commit.interval.ms", "100");
    config.set("session.timeout.ms", "6000").set("heartbeat.interval.ms", "200");
    let consumer: BaseConsumer<Reposition> = config.create_with_context(Reposition(name, Arc::clone(shared))).unwrap();
    consumer.subscribe(&[topic]).unwrap();
    consumer
}

fn consume(consumer: &BaseConsumer<Reposition>, name: &str, shared: &Shared) {
    while shared.consuming.load(Ordering::Relaxed) {
        // While the broker is away the client tells so, and goes on by itself.
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) {
            let at = Partition::new(message.topic(), message.partition());
            shared.recorder.polled(name, &at, message.offset(), value_of(&message));
            shared.advance(|progress| {
                progress.polled += 1;
                raise(&mut progress.polled_to, &message);
            });
        }
    }
}

/// Reads a partition from its beginning to its end, in no group.
fn read_whole(address: &str, at: &Partition, recorder: &Recorder) {
    let consumer = reader(address, &at.topic, at.number, Offset::Beginning, &[("enable.partition.eof", "true")]);
    let deadline = Instant::now() + LIMIT;
    loop {
        assert!(Instant::now() < deadline, "{at} has no end");
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => recorder.polled("reader", at, message.offset(), value_of(&message)),
            Some(Err(KafkaError::PartitionEOF(_))) => return,
            // Of a broker that is away, which the client has no need of.
            Some(Err(KafkaError::MessageConsumption(RDKafkaErrorCode::BrokerTransportFailure))) => {}
            Some(Err(error)) => panic!("{at}: {error}"),
            None => {}
        }
    }
}

fn partitions(topic: &str) -> Vec<Partition> {
    (0..).take(PARTITIONS).map(|number| Partition::new(topic, number)).collect()
}

fn raise(offsets: &mut [i64; PARTITIONS], message: &impl Message) {
    let known = usize::try_from(message.partition()).ok().and_then(|partition| offsets.get_mut(partition));
    let highest = known.expect("a message of the topic under load");
    *highest = (*highest).max(message.offset());
}

fn value_of(message: &impl Message) -> Value {
    let text = message.payload_view::<str>().and_then(Result::ok);
    text.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("not one of our values: {text:?}"))
}
