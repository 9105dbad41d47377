//! A producer: batches with numbered values, several requests in flight, and Kafka's rules of retrying.
//!
//! An idempotent one sends a batch until it is acknowledged, under the same sequence, across
//! connections and restarts. A plain one sends each batch once.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use model::ErrorCode;
use record::{BatchBuilder, Compression};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use wire::messages::produce_request::{PartitionProduceData, TopicProduceData};
use wire::messages::produce_response::PartitionProduceResponse;
use wire::messages::{InitProducerIdRequest, ProduceRequest, ProduceResponse, TopicName};
use wire::{ApiKey, StrBytes};

use super::Habitat;
use super::connection::{Connection, Gone, REQUEST_TIMEOUT};
use crate::sim::promises::{Known, Rule};
use crate::sim::rng::Rng;
use crate::sim::topics::Place;
use crate::sim::world::Phase;

/// `max.in.flight.requests.per.connection`, as clients have it.
const MOST_IN_FLIGHT: usize = 5;

/// Before a client asks again that was told to come back.
const BACKOFF_MS: std::ops::Range<u64> = 20..200;

/// How a producer sends.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    /// Whether it retries, under a producer id.
    pub(crate) idempotent: bool,
    /// Whether it names topics by id whatever the version.
    pub(crate) by_id: bool,
    pub(crate) acks: i16,
    pub(crate) compression: Compression,
    /// Bytes of padding in a record, up to.
    pub(crate) padding: u64,
    /// Records of a batch, up to.
    pub(crate) records: u64,
    /// Milliseconds between two new requests, up to.
    pub(crate) pause_ms: u64,
}

impl Style {
    fn least_version(&self) -> i16 {
        match self.compression {
            _ if self.by_id => 13,
            Compression::Zstd => 7, // KIP-110
            _ => 3,
        }
    }
}

/// See the module.
pub(crate) struct Producer {
    habitat: Habitat,
    name: String,
    style: Style,
    places: Vec<Place>,
    rng: Rng,
    /// How often this client's process was restarted: each time it is another producer.
    life: u32,
    id: Option<(i64, i16)>,
    sequences: BTreeMap<usize, i32>,
    /// Batches that are not acknowledged, in the order of sending.
    unresolved: VecDeque<Batch>,
    in_flight: VecDeque<InFlight>,
    /// Something failed: what is in flight is waited for before anything is sent again.
    draining: bool,
    next_batch: u64,
}

/// A batch for the place of this number.
struct Batch {
    number: u64,
    place: usize,
    values: Vec<u64>,
    bytes: Bytes,
    sent: bool,
    tried_again: bool,
    /// Its bytes are wrong, so that it must be refused.
    spoiled: bool,
}

/// A request with its batches.
struct InFlight {
    batches: Vec<u64>,
    known: Vec<Known>,
    deadline: Instant,
}

impl Producer {
    pub(crate) fn new(habitat: &Habitat, name: &str, style: Style, places: Vec<Place>) -> Producer {
        Producer {
            habitat: habitat.clone(),
            name: name.to_owned(),
            style,
            places,
            rng: habitat.world.rng(),
            life: 0,
            id: None,
            sequences: BTreeMap::new(),
            unresolved: VecDeque::new(),
            in_flight: VecDeque::new(),
            draining: false,
            next_batch: 0,
        }
    }

    /// Produces until the storm is over, and what was begun is done.
    pub(crate) async fn run(mut self) {
        loop {
            let mut connection = Connection::open(&self.habitat, &self.process()).await;
            if self.produce(&mut connection).await.is_ok() {
                return;
            }
            self.connection_lost();
            sleep(self.rng.millis(BACKOFF_MS)).await;
        }
    }

    /// Its name in the history.
    fn process(&self) -> String {
        format!("{}.{}", self.name, self.life)
    }

    fn connection_lost(&mut self) {
        self.in_flight.clear();
        self.draining = false;
        if self.style.idempotent {
            self.unresolved.iter_mut().for_each(|batch| batch.sent = false);
        } else {
            self.unresolved.clear(); // what became of them is unknown
        }
    }

    async fn produce(&mut self, connection: &mut Connection) -> Result<(), Gone> {
        let version = connection.version(ApiKey::Produce, self.style.least_version(), i16::MAX);
        let mut next_at = Instant::now();
        loop {
            let storm = self.habitat.world.phase() == Phase::Storm;
            if !storm && self.unresolved.is_empty() || self.places.is_empty() {
                return Ok(());
            }
            if self.style.idempotent && self.id.is_none() {
                self.init(connection).await?;
                continue;
            }
            if storm && self.unresolved.is_empty() && self.rng.one_in(100) {
                self.restart();
                continue;
            }
            self.draining &= !self.in_flight.is_empty();
            let free = !self.draining && self.in_flight.len() < MOST_IN_FLIGHT;
            if free && self.unresolved.iter().any(|batch| !batch.sent) {
                self.send_again(connection, version).await?;
                continue;
            }
            // A batch that is retried must not fall behind the five that the broker remembers.
            let may_begin = free && storm && !self.unresolved.iter().any(|batch| batch.tried_again);
            if may_begin && Instant::now() >= next_at {
                self.begin(connection, version).await?;
                next_at = Instant::now() + self.rng.millis(0..self.style.pause_ms + 1);
                continue;
            }
            let deadline = self.in_flight.front().map_or(next_at, |request| request.deadline);
            tokio::select! {
                biased;
                response = timeout_at(deadline, connection.receive::<ProduceRequest>()), if !self.in_flight.is_empty() => {
                    self.answered(connection, response.map_err(|_| Gone)??).await?;
                }
                () = sleep_until(next_at), if may_begin => {}
                () = self.habitat.world.reached(Phase::Calm), if storm => {}
            }
        }
    }

    /// The process dies and comes back: it knows nothing, and is another producer.
    fn restart(&mut self) {
        self.habitat.world.count("producers restarted");
        self.life += 1;
        self.id = None;
        self.sequences.clear();
    }

    async fn init(&mut self, connection: &mut Connection) -> Result<(), Gone> {
        let version = connection.version(ApiKey::InitProducerId, 0, i16::MAX);
        let request = InitProducerIdRequest::default().with_transactional_id(None).with_transaction_timeout_ms(60_000);
        let response = connection.call(version, &request).await?;
        match connection.judge(ApiKey::InitProducerId, response.error_code, &[]) {
            Ok(()) => self.id = Some((response.producer_id.0, response.producer_epoch)),
            Err(_) => sleep(self.rng.millis(BACKOFF_MS)).await,
        }
        Ok(())
    }

    /// Makes batches for one or two places, and sends them.
    async fn begin(&mut self, connection: &mut Connection, version: i16) -> Result<(), Gone> {
        let first = self.rng.index(self.places.len());
        let second = self.rng.index(self.places.len());
        let mut numbers = vec![self.make(first)];
        if second != first && self.rng.one_in(3) {
            numbers.push(self.make(second));
        }
        self.send(connection, version, numbers).await
    }

    fn make(&mut self, place: usize) -> u64 {
        let world = self.habitat.world.clone();
        let process = self.process();
        let count = self.rng.within(1..self.style.records + 1);
        let mut builder = BatchBuilder::new().compression(self.style.compression);
        if let Some((id, epoch)) = self.id {
            let sequence = self.sequences.entry(place).or_default();
            builder = builder.producer(id, epoch, *sequence);
            *sequence += count as i32;
        }
        let now_ms = model::Clock::now_ms(&*world.clock);
        let values: Vec<u64> = (0..count).map(|_| world.number()).collect();
        for value in &values {
            world.history.send(&process, &self.places[place].at, *value);
            let mut record = value.to_be_bytes().to_vec();
            record.resize(8 + self.rng.within(0..self.style.padding + 1) as usize, *value as u8);
            builder.push(now_ms, None, Some(&record), &[]);
        }
        world.count_many("records sent", count);
        let mut bytes = builder.build().expect("a batch of a few records can be built");
        let spoiled = !self.style.idempotent && self.rng.one_in(40);
        if spoiled {
            bytes = spoil(&bytes, &mut self.rng);
        }
        self.next_batch += 1;
        let (number, sent, tried_again) = (self.next_batch, false, false);
        self.unresolved.push_back(Batch { number, place, values, bytes, sent, tried_again, spoiled });
        number
    }

    /// Sends the first batch that waits to be sent again.
    async fn send_again(&mut self, connection: &mut Connection, version: i16) -> Result<(), Gone> {
        self.habitat.world.count("batches sent again");
        let Some(batch) = self.unresolved.iter_mut().find(|batch| !batch.sent) else { return Ok(()) };
        batch.tried_again = true;
        let number = batch.number;
        self.send(connection, version, vec![number]).await
    }

    async fn send(&mut self, connection: &mut Connection, version: i16, numbers: Vec<u64>) -> Result<(), Gone> {
        let mut topics: Vec<TopicProduceData> = Vec::new();
        let mut known = Vec::new();
        for batch in self.unresolved.iter_mut().filter(|batch| numbers.contains(&batch.number)) {
            batch.sent = true;
            let place = &self.places[batch.place];
            known.push(self.habitat.world.promises(|promises| promises.bounds.asked(&place.at)));
            let data = PartitionProduceData::default().with_index(place.index).with_records(Some(batch.bytes.clone()));
            let mut topic = TopicProduceData::default().with_partition_data(vec![data]);
            if version >= 13 {
                topic.topic_id = place.topic.id.0;
            } else {
                topic.name = TopicName(StrBytes::from_string(place.topic.name.clone()));
            }
            topics.push(topic);
        }
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        self.in_flight.push_back(InFlight { batches: numbers, known, deadline });
        let timeout_ms = *self.rng.pick(&[100, 10_000]);
        let request =
            ProduceRequest::default().with_acks(self.style.acks).with_timeout_ms(timeout_ms).with_topic_data(topics);
        connection.send(version, &request).await
    }

    async fn answered(&mut self, connection: &Connection, response: ProduceResponse) -> Result<(), Gone> {
        let Some(request) = self.in_flight.pop_front() else { return Err(Gone) };
        let answers: Vec<PartitionProduceResponse> =
            response.responses.into_iter().flat_map(|topic| topic.partition_responses).collect();
        if answers.len() != request.batches.len() {
            let what = format!("{}: {} batches, {} answers", self.name, request.batches.len(), answers.len());
            self.habitat.world.found(Rule::UnexpectedAnswer, what);
            return Err(Gone);
        }
        let (mut come_back, life) = (false, self.life);
        for ((number, known), answer) in request.batches.into_iter().zip(request.known).zip(answers) {
            come_back |= !self.settle(connection, number, known, answer);
        }
        if self.life != life {
            return Err(Gone); // it gave up, and starts over
        }
        if come_back {
            sleep(self.rng.millis(BACKOFF_MS)).await;
        }
        Ok(())
    }

    /// Whether that was the last of this batch.
    fn settle(&mut self, connection: &Connection, number: u64, known: Known, answer: PartitionProduceResponse) -> bool {
        let world = self.habitat.world.clone();
        let Some(at) = self.unresolved.iter().position(|batch| batch.number == number) else { return true };
        let error = ErrorCode::from_code(answer.error_code);
        if error == ErrorCode::None {
            let Some(batch) = self.unresolved.remove(at) else { return true };
            let place = &self.places[batch.place].at;
            if batch.spoiled {
                world.found(Rule::UnexpectedAnswer, format!("a batch for {place} was taken, though its CRC is wrong"));
            }
            for (value, offset) in batch.values.iter().zip(answer.base_offset..) {
                world.history.acknowledged(*value, offset);
            }
            world.count_many("records acknowledged", batch.values.len() as u64);
            let end = answer.base_offset + batch.values.len() as i64;
            // A duplicate is told where it stands, which may be far behind the end.
            world.hold(|promises| promises.bounds.told_end(place, Known::default(), end));
            if answer.log_start_offset >= 0 {
                world.hold(|promises| promises.bounds.told_start(place, known, answer.log_start_offset));
            }
            return true;
        }
        world.count("batches refused");
        if error == ErrorCode::UnknownTopicId {
            // Deleted, or not open yet after a start; only topics that may go are named by id alone.
            self.unresolved.remove(at);
            return !self.style.by_id;
        }
        if !self.style.idempotent {
            connection.judge(ApiKey::Produce, answer.error_code, &[]).ok();
            let refused = self.unresolved.remove(at).filter(|_| error == ErrorCode::CorruptMessage);
            // What became of it is unknown, but after this error.
            refused.iter().flat_map(|batch| &batch.values).for_each(|value| world.history.failed(*value));
            return refused.is_some();
        }
        self.refused(connection, at, error);
        false
    }

    fn refused(&mut self, connection: &Connection, at: usize, error: ErrorCode) {
        let place = self.unresolved[at].place;
        let is_first = !self.unresolved.iter().take(at).any(|batch| batch.place == place);
        if error == ErrorCode::OutOfOrderSequenceNumber && !is_first {
            // The one before it failed; both are sent again.
        } else if is_about_sequence(error) {
            let what =
                format!("{}: the first batch in flight to {} got {error}", self.process(), self.places[place].at);
            self.habitat.world.found(Rule::ProducerForgotten, what);
            self.unresolved.clear();
            self.restart();
            return;
        } else {
            connection.judge(ApiKey::Produce, error.code(), &[]).ok();
        }
        self.unresolved[at].sent = false;
        self.draining = true;
    }
}

/// A bit under the CRC is wrong.
fn spoil(batch: &[u8], rng: &mut Rng) -> Bytes {
    const CRC_COVERS_FROM: usize = 21;
    let mut spoiled = batch.to_vec();
    let at = CRC_COVERS_FROM + rng.index(batch.len() - CRC_COVERS_FROM);
    spoiled[at] ^= 1 << rng.index(8);
    spoiled.into()
}

fn is_about_sequence(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::OutOfOrderSequenceNumber
            | ErrorCode::DuplicateSequenceNumber
            | ErrorCode::UnknownProducerId
            | ErrorCode::InvalidProducerEpoch
    )
}
