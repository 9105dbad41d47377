//! An idempotent producer and a group of two consumers at work, which record what they do and see.

mod java;
mod librdkafka;
mod progress;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Message, Offset};
use support::LIMIT;
use support::librdkafka::reader;
use testkit::history::{History, Partition, Recorder, check};

use self::java::Java;
use self::librdkafka::{Librdkafka, value_of};
use self::progress::Shared;

/// Partitions of the topic under load.
pub(crate) const PARTITIONS: usize = 3;

/// A producer and a group at work on one topic.
pub(crate) struct Load {
    address: String,
    shared: Arc<Shared>,
    clients: Box<dyn Clients>,
}

/// Whose clients they are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Library {
    Librdkafka,
    Java,
}

trait Clients {
    /// Ends the producer, once its last sends are acknowledged.
    fn flush(&mut self);

    /// Ends the group.
    fn stop(self: Box<Self>);
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
    /// Starts librdkafka's clients.
    pub(crate) fn start(address: &str, topic: &str) -> Self {
        Load::start_with(Library::Librdkafka, address, topic)
    }

    /// Starts a library's clients.
    pub(crate) fn start_with(library: Library, address: &str, topic: &str) -> Self {
        let shared = Arc::new(Shared::new(topic));
        let clients: Box<dyn Clients> = match library {
            Library::Librdkafka => Box::new(Librdkafka::start(address, &shared)),
            Library::Java => Box::new(Java::start(address, &shared)),
        };
        Self { address: address.to_owned(), shared, clients }
    }

    /// Waits until `count` more sends are acknowledged, and as many more records polled.
    pub(crate) fn wait_for_more(&self, count: usize, limit: Duration) -> Result<(), String> {
        let before = self.shared.progress();
        self.shared
            .wait(limit, |now| now.acknowledged >= before.acknowledged + count && now.polled >= before.polled + count)
    }

    /// Lets the producer's last sends be acknowledged, the group read to the end, and then a reader of its own
    /// whole partitions.
    pub(crate) fn finish(mut self) -> Outcome {
        self.clients.flush();
        self.shared
            .wait(LIMIT, |progress| progress.is_read())
            .unwrap_or_else(|stuck| panic!("the group reads {stuck}"));
        self.clients.stop();
        let group = self.shared.recorder.history();
        for number in (0..).take(PARTITIONS) {
            read_whole(&self.address, &Partition::new(&self.shared.topic, number), &self.shared.recorder);
        }
        eprintln!("{}", self.shared.progress());
        Outcome { group, whole: self.shared.recorder.history() }
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
