//! A producer: batches with numbered values, several requests in flight, and Kafka's rules of retrying.
//!
//! An idempotent one sends a batch until it is acknowledged, under the same sequence, across
//! connections, leaders and restarts. A plain one sends each batch once.

mod lane;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use lane::{InFlight, Lane, Lanes};
use model::ErrorCode;
use record::{BatchBuilder, Compression};
use tokio::time::{Instant, sleep, sleep_until};
use wire::messages::produce_request::{PartitionProduceData, TopicProduceData};
use wire::messages::produce_response::PartitionProduceResponse;
use wire::messages::{InitProducerIdRequest, ProduceRequest, ProduceResponse, TopicName};
use wire::{ApiKey, StrBytes};

use super::Habitat;
use super::connection::{Connection, Gone, REQUEST_TIMEOUT};
use super::contacts::Contacts;
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
    contacts: Contacts,
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
    lanes: Lanes,
    /// Places that are left alone for a while, after an error.
    resting: BTreeMap<usize, Instant>,
    next_batch: u64,
}

/// A batch for the place of this number.
struct Batch {
    number: u64,
    place: usize,
    values: Vec<u64>,
    bytes: Bytes,
    /// To whom it is on its way.
    sent: Option<String>,
    tried_again: bool,
    /// Its bytes are wrong, so that it must be refused.
    spoiled: bool,
}

impl Producer {
    pub(crate) fn new(habitat: &Habitat, name: &str, style: Style, places: Vec<Place>) -> Producer {
        Producer {
            habitat: habitat.clone(),
            contacts: Contacts::new(habitat, name),
            name: name.to_owned(),
            style,
            places,
            rng: habitat.world.rng(),
            life: 0,
            id: None,
            sequences: BTreeMap::new(),
            unresolved: VecDeque::new(),
            lanes: Lanes::new(),
            resting: BTreeMap::new(),
            next_batch: 0,
        }
    }

    /// Produces until the storm is over, and what was begun is done.
    pub(crate) async fn run(mut self) {
        let mut next_at = Instant::now();
        let mut held_back = false;
        loop {
            let storm = self.habitat.world.phase() == Phase::Storm;
            if !storm && self.unresolved.is_empty() || self.places.is_empty() {
                return;
            }
            if self.style.idempotent && self.id.is_none() {
                self.init().await;
                continue;
            }
            if storm && self.unresolved.is_empty() && self.rng.one_in(100) {
                self.restart();
                continue;
            }
            for lane in self.lanes.values_mut() {
                lane.draining &= !lane.in_flight.is_empty();
            }
            if self.send_again().await {
                continue;
            }
            if storm && Instant::now() >= next_at {
                held_back = !self.begin().await;
                let pause = if held_back { BACKOFF_MS } else { 0..self.style.pause_ms + 1 };
                next_at = Instant::now() + self.rng.millis(pause);
                continue;
            }
            if self.wait(storm.then_some(next_at)).await && held_back {
                next_at = Instant::now();
            }
        }
    }

    /// Waits for an answer, for the time of the next batch, or for a place to be tried again; whether there
    /// was an answer.
    async fn wait(&mut self, next_at: Option<Instant>) -> bool {
        let overdue = lane::deadline(&self.lanes);
        let now = Instant::now();
        self.resting.retain(|_, until| *until > now);
        let soonest = [next_at, overdue, self.resting.values().min().copied()].into_iter().flatten().min();
        let world = self.habitat.world.clone();
        tokio::select! {
            biased;
            (address, response) = lane::next_answer(&mut self.lanes) => {
                match response {
                    Ok(response) => self.answered(&address, response),
                    Err(Gone) => self.lost(&address),
                }
                return true;
            }
            () = sleep_until(soonest.unwrap_or(now)), if soonest.is_some() => self.give_up_overdue(),
            () = world.reached(Phase::Calm), if next_at.is_some() => {}
        }
        false
    }

    fn give_up_overdue(&mut self) {
        let is_overdue = |lane: &Lane| lane.in_flight.front().is_some_and(|first| first.deadline <= Instant::now());
        let overdue = self.lanes.iter().filter(|(_, lane)| is_overdue(lane)).map(|(address, _)| address.clone());
        for address in overdue.collect::<Vec<String>>() {
            self.lost(&address);
        }
    }

    /// Its name in the history.
    fn process(&self) -> String {
        format!("{}.{}", self.name, self.life)
    }

    /// A broker no longer answers: what became of the batches that were on their way is unknown.
    fn lost(&mut self, address: &str) {
        self.lanes.remove(address);
        self.contacts.lost(address);
        if self.style.idempotent {
            let there = |batch: &&mut Batch| batch.sent.as_deref() == Some(address);
            let until = Instant::now() + self.rng.millis(BACKOFF_MS);
            for batch in self.unresolved.iter_mut().filter(there) {
                batch.sent = None;
                self.resting.insert(batch.place, until);
            }
        } else {
            self.unresolved.retain(|batch| batch.sent.as_deref() != Some(address));
        }
    }

    /// The way to whoever leads a place, if another request may be sent there now.
    async fn lane_to(&mut self, place: usize) -> Option<String> {
        if self.resting.get(&place).is_some_and(|until| *until > Instant::now()) {
            return None;
        }
        // What is on its way to another broker is waited for.
        let on_its_way = self.unresolved.iter().find(|batch| batch.place == place && batch.sent.is_some());
        let address = match on_its_way.and_then(|batch| batch.sent.clone()) {
            Some(address) => address,
            None => match self.contacts.leader(&self.places[place]).await {
                Some(leader) => leader.address,
                None => {
                    self.rest(place);
                    return None;
                }
            },
        };
        if let Some(lane) = self.lanes.get(&address) {
            return lane.is_free().then_some(address);
        }
        let Ok(mut connection) = Connection::open(&self.habitat, &address, &self.process()) else {
            self.contacts.lost(&address);
            self.rest(place);
            return None;
        };
        let version = connection.version(ApiKey::Produce, self.style.least_version(), i16::MAX);
        self.lanes.insert(address.clone(), Lane::new(connection, version));
        Some(address)
    }

    fn rest(&mut self, place: usize) {
        self.resting.insert(place, Instant::now() + self.rng.millis(BACKOFF_MS));
    }

    /// The process dies and comes back: it knows nothing, and is another producer.
    fn restart(&mut self) {
        self.habitat.world.count("producers restarted");
        self.life += 1;
        self.id = None;
        self.sequences.clear();
    }

    async fn init(&mut self) {
        let address = self.contacts.any().await;
        let request =
            |_| InitProducerIdRequest::default().with_transactional_id(None).with_transaction_timeout_ms(60_000);
        let asked = self.contacts.ask(&address, (0, i16::MAX), request, REQUEST_TIMEOUT);
        if let Ok((_, response)) = asked.await
            && self.habitat.judge(&self.name, ApiKey::InitProducerId, response.error_code, &[]).is_ok()
        {
            self.id = Some((response.producer_id.0, response.producer_epoch));
            return;
        }
        sleep(self.rng.millis(BACKOFF_MS)).await;
    }

    /// Makes batches for one or two places, and sends them, if that can be done now.
    async fn begin(&mut self) -> bool {
        let first = self.rng.index(self.places.len());
        let second = self.rng.index(self.places.len());
        let Some(address) = self.lane_for_more(first).await else { return false };
        let mut numbers = vec![self.make(first)];
        if second != first && self.rng.one_in(3) && self.lane_for_more(second).await.as_ref() == Some(&address) {
            numbers.push(self.make(second));
        }
        self.send(&address, numbers).await;
        true
    }

    /// As `lane_to`, if a place may be sent what was not sent before.
    async fn lane_for_more(&mut self, place: usize) -> Option<String> {
        // A batch that is retried must not fall behind the five that the broker remembers.
        let retries = |batch: &Batch| batch.place == place && (batch.tried_again || batch.sent.is_none());
        if self.unresolved.iter().any(retries) { None } else { self.lane_to(place).await }
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
        let (number, sent, tried_again) = (self.next_batch, None, false);
        self.unresolved.push_back(Batch { number, place, values, bytes, sent, tried_again, spoiled });
        number
    }

    /// Sends the first batch that waits to be sent again and can be; whether there was one.
    async fn send_again(&mut self) -> bool {
        let mut places: Vec<usize> = Vec::new();
        for at in 0..self.unresolved.len() {
            let batch = &self.unresolved[at];
            let (number, place) = (batch.number, batch.place);
            if batch.sent.is_some() || places.contains(&place) {
                continue;
            }
            places.push(place); // what comes behind it has to wait for it
            if let Some(address) = self.lane_to(place).await {
                self.habitat.world.count("batches sent again");
                self.unresolved[at].tried_again = true;
                self.send(&address, vec![number]).await;
                return true;
            }
        }
        false
    }

    async fn send(&mut self, address: &str, numbers: Vec<u64>) {
        let Some(lane) = self.lanes.get_mut(address) else { return };
        let mut topics: Vec<TopicProduceData> = Vec::new();
        let mut known = Vec::new();
        for batch in self.unresolved.iter_mut().filter(|batch| numbers.contains(&batch.number)) {
            batch.sent = Some(address.to_owned());
            let place = &self.places[batch.place];
            tracing::debug!(producer = self.name, number = batch.number, place = %place.at, address, "sent");
            known.push(self.habitat.world.promises(|promises| promises.bounds.asked(&place.at)));
            let data = PartitionProduceData::default().with_index(place.index).with_records(Some(batch.bytes.clone()));
            let mut topic = TopicProduceData::default().with_partition_data(vec![data]);
            if lane.version >= 13 {
                topic.topic_id = place.topic.id.0;
            } else {
                topic.name = TopicName(StrBytes::from_string(place.topic.name.clone()));
            }
            topics.push(topic);
        }
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        lane.in_flight.push_back(InFlight { batches: numbers, known, deadline });
        let timeout_ms = *self.rng.pick(&[100, 10_000]);
        let request =
            ProduceRequest::default().with_acks(self.style.acks).with_timeout_ms(timeout_ms).with_topic_data(topics);
        if lane.connection.send(lane.version, &request).await.is_err() {
            self.lost(address);
        }
    }

    fn answered(&mut self, address: &str, response: ProduceResponse) {
        let Some(lane) = self.lanes.get_mut(address) else { return };
        let Some(request) = lane.in_flight.pop_front() else { return };
        let answers: Vec<PartitionProduceResponse> =
            response.responses.into_iter().flat_map(|topic| topic.partition_responses).collect();
        if answers.len() != request.batches.len() {
            let what = format!("{}: {} batches, {} answers", self.name, request.batches.len(), answers.len());
            self.habitat.world.found(Rule::UnexpectedAnswer, what);
            return self.lost(address);
        }
        for ((number, known), answer) in request.batches.into_iter().zip(request.known).zip(answers) {
            self.settle(number, known, &answer);
        }
    }

    fn settle(&mut self, number: u64, known: Known, answer: &PartitionProduceResponse) {
        let Some(at) = self.unresolved.iter().position(|batch| batch.number == number) else { return };
        let place = self.unresolved[at].place;
        let (at_place, offset, code) = (&self.places[place].at, answer.base_offset, answer.error_code);
        tracing::debug!(producer = self.process(), number, place = %at_place, offset, code, "answered");
        match ErrorCode::from_code(answer.error_code) {
            ErrorCode::None => self.acknowledged(at, known, answer),
            error => {
                self.habitat.world.count("batches refused");
                self.contacts.forget(&self.places[place]);
                self.rest(place);
                self.refused(at, error);
            }
        }
    }

    fn acknowledged(&mut self, at: usize, known: Known, answer: &PartitionProduceResponse) {
        let world = self.habitat.world.clone();
        let Some(batch) = self.unresolved.remove(at) else { return };
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
    }

    fn refused(&mut self, at: usize, error: ErrorCode) {
        let place = self.unresolved[at].place;
        if error == ErrorCode::UnknownTopicId && self.style.by_id {
            self.unresolved.remove(at); // it was deleted: only topics that may go are named by id alone
            return;
        }
        if !self.style.idempotent {
            self.habitat.judge(&self.name, ApiKey::Produce, error.code(), &[]).ok();
            let refused = self.unresolved.remove(at).filter(|_| error == ErrorCode::CorruptMessage);
            // What became of it is unknown, but after this error.
            refused.iter().flat_map(|batch| &batch.values).for_each(|value| self.habitat.world.history.failed(*value));
            return;
        }
        let is_first = !self.unresolved.iter().take(at).any(|batch| batch.place == place);
        if error == ErrorCode::OutOfOrderSequenceNumber && !is_first {
            // The one before it failed; both are sent again.
        } else if is_about_sequence(error) {
            let what =
                format!("{}: the first batch in flight to {} got {error}", self.process(), self.places[place].at);
            self.habitat.world.found(Rule::ProducerForgotten, what);
            self.unresolved.clear();
            self.lanes.clear();
            self.restart();
            return;
        } else {
            self.habitat.judge(&self.name, ApiKey::Produce, error.code(), &[]).ok();
        }
        if let Some(lane) = self.unresolved[at].sent.take().and_then(|address| self.lanes.get_mut(&address)) {
            lane.draining = true;
        }
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
