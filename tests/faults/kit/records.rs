//! Records that were acknowledged, and must be found again where they were.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseRecord, ThreadedProducer};
use rdkafka::{Message, Offset};
use support::LIMIT;
use support::librdkafka::{Deliveries, Delivery, acknowledged, flush, producer, reader, take, text};

/// Readers come to the end of a partition, where a broker would have them wait.
const NO_WAIT: (&str, &str) = ("fetch.wait.max.ms", "10");

/// What was acknowledged: partition and offset, and the value there.
#[derive(Debug, Default, Clone)]
pub(crate) struct Kept {
    topic: String,
    values: BTreeMap<(i32, i64), String>,
    sent: usize,
}

impl Kept {
    pub(crate) fn of(topic: &str) -> Self {
        Self { topic: topic.to_owned(), ..Self::default() }
    }

    /// Sends so many records of about so many bytes to a partition, all of which must be acknowledged.
    #[track_caller]
    pub(crate) fn produce(&mut self, address: &str, partition: i32, count: usize, bytes: usize) {
        let producer = producer(address, &[("linger.ms", "0"), ("batch.num.messages", "10")]);
        self.send(&producer, partition, count, bytes);
        for message in acknowledged(&producer) {
            self.values.insert((message.partition(), message.offset()), text(&message).to_owned());
        }
    }

    /// As [`Kept::produce`], where some may be refused: the errors of those.
    #[track_caller]
    pub(crate) fn try_produce(
        &mut self,
        producer: &ThreadedProducer<Deliveries>,
        partition: i32,
        count: usize,
        bytes: usize,
    ) -> Vec<KafkaError> {
        self.send(producer, partition, count, bytes);
        self.settle(flush(producer))
    }

    /// Notes how sends ended; the errors of those that failed.
    pub(crate) fn settle(&mut self, deliveries: Vec<Delivery>) -> Vec<KafkaError> {
        let mut errors = Vec::new();
        for delivery in deliveries {
            match delivery {
                Ok(message) => {
                    self.values.insert((message.partition(), message.offset()), text(&message).to_owned());
                }
                Err((error, _)) => errors.push(error),
            }
        }
        errors
    }

    /// Hands records to a client, and does not wait for what becomes of them.
    pub(crate) fn send(&mut self, producer: &ThreadedProducer<Deliveries>, partition: i32, count: usize, bytes: usize) {
        for _ in 0..count {
            let value = format!("{}-{:.<bytes$}", self.topic, self.sent);
            self.sent += 1;
            producer.send(BaseRecord::<(), _>::to(&self.topic).partition(partition).payload(&value)).unwrap();
        }
    }

    /// Forgets what stands below an offset, since it was deleted.
    pub(crate) fn forget_below(&mut self, partition: i32, offset: i64) {
        self.values.retain(|at, _| at.0 != partition || at.1 >= offset);
    }

    /// Forgets what stands at an offset and behind it, since it was given up.
    pub(crate) fn forget_from(&mut self, partition: i32, offset: i64) {
        self.values.retain(|at, _| at.0 != partition || at.1 < offset);
    }

    /// How many there are in a partition.
    pub(crate) fn count(&self, partition: i32) -> usize {
        self.values.range((partition, 0)..(partition + 1, 0)).count()
    }

    /// Reads a partition from its first record on, and holds it against what was acknowledged.
    #[track_caller]
    pub(crate) fn check(&self, address: &str, partition: i32) {
        self.compare(partition, 0..i64::MAX, &read_from(address, &self.topic, partition, Offset::Beginning));
    }

    /// Reads these offsets of a partition, and holds them against what was acknowledged.
    #[track_caller]
    pub(crate) fn check_between(&self, address: &str, partition: i32, offsets: Range<i64>) {
        let count = self.values.range((partition, offsets.start)..(partition, offsets.end)).count();
        let consumer = reader(address, &self.topic, partition, Offset::Offset(offsets.start), &[NO_WAIT]);
        let found = take(&consumer, count).iter().map(|message| (message.offset(), text(message).to_owned())).collect();
        self.compare(partition, offsets, &found);
    }

    #[track_caller]
    fn compare(&self, partition: i32, offsets: Range<i64>, found: &BTreeMap<i64, String>) {
        for ((_, offset), value) in self.values.range((partition, offsets.start)..(partition, offsets.end)) {
            let there = found.get(offset);
            assert!(there == Some(value), "{}-{partition} offset {offset}: {there:.20?}, not {value:.20}", self.topic);
        }
    }
}

/// All records of a partition from `from` to its end, by offset.
#[track_caller]
pub(crate) fn read_from(address: &str, topic: &str, partition: i32, from: Offset) -> BTreeMap<i64, String> {
    let consumer = reader(address, topic, partition, from, &[("enable.partition.eof", "true"), NO_WAIT]);
    let deadline = Instant::now() + LIMIT;
    let mut found = BTreeMap::new();
    loop {
        assert!(Instant::now() < deadline, "{topic}-{partition} has no end: {} records so far", found.len());
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                let message = message.detach();
                found.insert(message.offset(), text(&message).to_owned());
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return found,
            Some(Err(error)) => panic!("{topic}-{partition} after {:?}: {error}", found.last_key_value()),
            None => {}
        }
    }
}

/// First and last offset (exclusive) of a partition.
pub(crate) fn bounds(address: &str, topic: &str, partition: i32) -> (i64, i64) {
    reader(address, topic, partition, Offset::End, &[]).fetch_watermarks(topic, partition, LIMIT).unwrap()
}
