//! Reading partitions from where one is, with and without fetch sessions (KIP-227).

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use bytes::Bytes;
use model::ErrorCode;
use record::{BatchView, MAX_DECOMPRESSED_BATCH_BYTES, Records};
use tokio::time::sleep;
use wire::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use wire::messages::fetch_response::PartitionData;
use wire::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use wire::messages::{BrokerId, FetchRequest, FetchResponse, ListOffsetsRequest, TopicName};
use wire::{ApiKey, StrBytes};

use super::Habitat;
use super::connection::{Gone, REQUEST_TIMEOUT};
use super::contacts::Contacts;
use crate::sim::promises::{Known, Rule};
use crate::sim::rng::Rng;
use crate::sim::topics::Place;

const EARLIEST: i64 = -2;
const LATEST: i64 = -1;

/// Before a consumer asks again that was told to come back.
const BACKOFF_MS: std::ops::Range<u64> = 10..300;

/// The first whose clients may be given zstd (KIP-110).
const LEAST_VERSION: i16 = 10;

/// What a poll brought.
#[derive(Debug, Default)]
pub(crate) struct Polled {
    pub(crate) records: usize,
    /// Partitions whose position is out of range, and those that are gone.
    pub(crate) out_of_range: Vec<Place>,
    pub(crate) gone: Vec<Place>,
    /// Partitions of which a batch did not check, or that the broker says are damaged.
    pub(crate) damaged: Vec<Place>,
}

/// The positions of one process, and how it asks.
pub(crate) struct Fetcher {
    habitat: Habitat,
    contacts: Contacts,
    process: String,
    rng: Rng,
    positions: BTreeMap<Key, (Place, i64)>,
    /// From version 13 on by id.
    version: Option<i16>,
    uses_sessions: bool,
    /// With each broker.
    sessions: BTreeMap<String, Session>,
    /// Whether it says in which epoch it believes the leader to be (KIP-320).
    says_epoch: bool,
    max_bytes: i32,
    /// The broker that was asked last.
    asked: String,
}

/// A topic's name in the history, and a partition.
type Key = (String, i32);

#[derive(Default)]
struct Session {
    id: i32,
    epoch: i32,
    /// What the broker was told.
    told: BTreeMap<Key, Wanted>,
}

/// What is asked of a leader.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    place: Place,
    offset: i64,
    epoch: i32,
}

impl Fetcher {
    pub(crate) fn new(habitat: &Habitat, process: &str) -> Fetcher {
        let mut rng = habitat.world.rng();
        Fetcher {
            habitat: habitat.clone(),
            contacts: Contacts::new(habitat, process),
            process: process.to_owned(),
            positions: BTreeMap::new(),
            version: None,
            uses_sessions: rng.one_in(2),
            sessions: BTreeMap::new(),
            says_epoch: rng.one_in(2),
            max_bytes: *rng.pick(&[1, 20_000, 1 << 20, 50 << 20]),
            asked: String::new(),
            rng,
        }
    }

    /// Reads by id alone, for topics whose name may come to stand for another.
    pub(crate) fn by_id(mut self) -> Fetcher {
        self.version = ApiKey::Fetch.api().served().map(|served| served.max);
        self
    }

    /// Reads much at once.
    pub(crate) fn in_bulk(mut self) -> Fetcher {
        self.max_bytes = 50 << 20;
        self
    }

    /// Starts over with other positions.
    pub(crate) fn assign(&mut self, positions: impl IntoIterator<Item = (Place, i64)>) {
        self.habitat.world.history.repositioned(&self.process);
        let positions = positions.into_iter().map(|(place, offset)| (key(&place), (place, offset)));
        self.positions = positions.collect();
        self.sessions.clear();
    }

    pub(crate) fn positions(&self) -> Vec<(Place, i64)> {
        self.positions.values().cloned().collect()
    }

    /// Reads once from one of the leaders, waiting for records for as long as `max_wait_ms`.
    pub(crate) async fn poll(&mut self, max_wait_ms: i32) -> Polled {
        let led = self.led().await;
        let next = led.range::<String, _>((Excluded(&self.asked), Unbounded)).next().or(led.first_key_value());
        let Some((address, leaders)) = next else {
            sleep(self.rng.millis(BACKOFF_MS)).await;
            return Polled::default();
        };
        self.asked.clone_from(address);
        if let Ok(polled) = self.poll_at(address, leaders, max_wait_ms).await {
            return polled;
        }
        self.contacts.lost(address);
        self.sessions.remove(address);
        sleep(self.rng.millis(BACKOFF_MS)).await;
        Polled::default()
    }

    /// What each broker leads of this, in which epoch.
    async fn led(&mut self) -> BTreeMap<String, BTreeMap<Key, i32>> {
        let mut led: BTreeMap<String, BTreeMap<Key, i32>> = BTreeMap::new();
        for (key, (place, _)) in &self.positions {
            if let Some(leader) = self.contacts.leader(place).await {
                led.entry(leader.address).or_default().insert(key.clone(), leader.epoch);
            }
        }
        led
    }

    async fn poll_at(&mut self, address: &str, led: &BTreeMap<Key, i32>, max_wait_ms: i32) -> Result<Polled, Gone> {
        let connection = self.contacts.open(address).await?;
        let version = match self.version {
            Some(version) => version,
            None => *self.version.insert(connection.version(ApiKey::Fetch, LEAST_VERSION, i16::MAX)),
        };
        let request = self.request(address, led, max_wait_ms);
        let asked: BTreeMap<_, _> =
            self.positions.iter().map(|(key, (place, _))| (key.clone(), self.known(place))).collect();
        let patience = REQUEST_TIMEOUT + std::time::Duration::from_millis(max_wait_ms as u64);
        let connection = self.contacts.open(address).await?;
        let response = connection.call_for(version, &request, patience).await?;
        match ErrorCode::from_code(response.error_code) {
            ErrorCode::None => Ok(self.take(address, &asked, version, response)),
            error => {
                self.sessions.remove(address);
                if !matches!(error, ErrorCode::FetchSessionIdNotFound | ErrorCode::InvalidFetchSessionEpoch) {
                    self.habitat.judge(&self.process, ApiKey::Fetch, error.code(), &[]).ok();
                }
                Ok(Polled::default())
            }
        }
    }

    fn known(&self, place: &Place) -> Known {
        self.habitat.world.promises(|promises| promises.bounds.asked(&place.at))
    }

    fn request(&mut self, address: &str, led: &BTreeMap<Key, i32>, max_wait_ms: i32) -> FetchRequest {
        let wanted: BTreeMap<Key, Wanted> = led
            .iter()
            .filter_map(|(key, epoch)| {
                let (place, offset) = self.positions.get(key).cloned()?;
                let epoch = if self.says_epoch { *epoch } else { -1 };
                Some((key.clone(), Wanted { place, offset, epoch }))
            })
            .collect();
        let mut request = FetchRequest::default()
            .with_max_wait_ms(max_wait_ms)
            .with_min_bytes(1)
            .with_max_bytes(self.max_bytes)
            .with_session_epoch(-1);
        request.replica_state.replica_id = BrokerId(-1);
        let mut news: Vec<&Wanted> = wanted.values().collect();
        if self.uses_sessions {
            let session = self.sessions.entry(address.to_owned()).or_default();
            news = wanted.iter().filter(|(key, now)| session.told.get(*key) != Some(now)).map(|(_, now)| now).collect();
            let forgotten = session.told.iter().filter(|(key, _)| !wanted.contains_key(*key)).map(|(_, told)| {
                let forgotten = ForgottenTopic::default().with_topic(topic_name(&told.place));
                forgotten.with_topic_id(told.place.topic.id.0).with_partitions(vec![told.place.index])
            });
            request.forgotten_topics_data = forgotten.collect();
            (request.session_id, request.session_epoch) = (session.id, session.epoch);
        }
        let topics = news.into_iter().map(|Wanted { place, offset, epoch }| {
            let partition = FetchPartition::default()
                .with_partition(place.index)
                .with_current_leader_epoch(*epoch)
                .with_fetch_offset(*offset)
                .with_partition_max_bytes(self.max_bytes);
            FetchTopic::default()
                .with_topic(topic_name(place))
                .with_topic_id(place.topic.id.0)
                .with_partitions(vec![partition])
        });
        request.topics = topics.collect();
        if let Some(session) = self.sessions.get_mut(address) {
            session.told = wanted;
        }
        request
    }

    fn take(&mut self, address: &str, asked: &BTreeMap<Key, Known>, version: i16, response: FetchResponse) -> Polled {
        if let Some(session) = self.sessions.get_mut(address) {
            match (session.epoch, response.session_id) {
                (0, 0) => *session = Session::default(), // the broker makes none
                (_, id) => (session.id, session.epoch) = (id, session.epoch + 1),
            }
        }
        let mut polled = Polled::default();
        for topic in response.responses {
            for partition in topic.partitions {
                let found = self.positions.iter().find(|(_, (place, _))| {
                    place.index == partition.partition_index
                        && if version >= 13 {
                            place.topic.id.0 == topic.topic_id
                        } else {
                            place.topic.name == *topic.topic.0
                        }
                });
                let Some((key, (place, offset))) = found else {
                    let what = format!("{}: a fetch brought a partition that was not asked for", self.process);
                    self.habitat.world.found(Rule::UnexpectedAnswer, what);
                    continue;
                };
                let (key, place, offset, known) = (key.clone(), place.clone(), *offset, asked[key]);
                let next = self.take_partition(&place, offset, known, partition, &mut polled);
                if next != offset {
                    self.positions.insert(key, (place, next));
                }
            }
        }
        polled
    }

    /// The position behind what was read.
    fn take_partition(
        &mut self,
        place: &Place,
        offset: i64,
        known: Known,
        data: PartitionData,
        polled: &mut Polled,
    ) -> i64 {
        let world = self.habitat.world.clone();
        let error = ErrorCode::from_code(data.error_code);
        if error != ErrorCode::None {
            self.contacts.forget(place);
        }
        match error {
            ErrorCode::None => {}
            ErrorCode::OffsetOutOfRange => {
                world.hold(|promises| promises.bounds.refused(&place.at, offset));
                polled.out_of_range.push(place.clone());
                return offset;
            }
            ErrorCode::UnknownTopicId | ErrorCode::UnknownTopicOrPartition => {
                polled.gone.push(place.clone());
                return offset;
            }
            error => {
                self.habitat.judge(&self.process, ApiKey::Fetch, error.code(), &[]).ok();
                if error == ErrorCode::CorruptMessage {
                    polled.damaged.push(place.clone());
                }
                return offset;
            }
        }
        world.hold(|promises| promises.bounds.told_end(&place.at, known, data.high_watermark));
        if data.log_start_offset >= 0 {
            world.hold(|promises| promises.bounds.told_start(&place.at, known, data.log_start_offset));
        }
        self.take_records(place, offset, data.high_watermark, data.records.unwrap_or_default(), polled)
    }

    fn take_records(&self, place: &Place, offset: i64, end: i64, records: Bytes, polled: &mut Polled) -> i64 {
        let world = &self.habitat.world;
        let (mut next, mut rest): (i64, &[u8]) = (offset, &records);
        while let Ok((batch, behind)) = BatchView::split_first(rest) {
            rest = behind;
            let head = batch.head();
            if batch.verify_crc().is_err() {
                polled.damaged.push(place.clone());
                return next;
            }
            world.hold(|promises| promises.epochs.read(&place.at, head.base_offset(), head.leader_epoch()));
            let Ok(records) = Records::of(&batch, MAX_DECOMPRESSED_BATCH_BYTES) else {
                world.found(Rule::UnexpectedAnswer, format!("a batch of {} cannot be opened", place.at));
                return next;
            };
            for record in records.iter().flatten().filter(|record| record.offset >= next) {
                let value = record.value.and_then(|value| value.first_chunk()).map(|value| u64::from_be_bytes(*value));
                world.history.polled(&self.process, &place.at, record.offset, value.unwrap_or(u64::MAX));
                polled.records += 1;
            }
            next = next.max(head.last_offset() + 1);
        }
        if next == offset && !records.is_empty() {
            polled.damaged.push(place.clone()); // a whole batch was to come first
        }
        world.count_many("records read", (next - offset) as u64);
        if next > end {
            let what = format!("{} was read up to {next}, beyond its high watermark {end}", place.at);
            world.found(Rule::UnexpectedAnswer, what);
        }
        next
    }

    /// Where records were deleted before they were read, reading goes on with the first that is left.
    pub(crate) async fn go_on_from_start(&mut self, polled: &Polled) {
        if polled.out_of_range.is_empty() {
            return;
        }
        let mut positions = self.positions();
        for (place, position) in positions.iter_mut().filter(|(place, _)| polled.out_of_range.contains(place)) {
            if let Some((start, _)) = self.bounds(place).await {
                *position = start;
            }
        }
        self.assign(positions);
    }

    /// Asks where a partition starts and ends; nothing if that cannot be told now.
    pub(crate) async fn bounds(&mut self, place: &Place) -> Option<(i64, i64)> {
        Some((self.list_offset(place, EARLIEST).await?, self.list_offset(place, LATEST).await?))
    }

    async fn list_offset(&mut self, place: &Place, which: i64) -> Option<i64> {
        let leader = self.contacts.leader(place).await?;
        let epoch = if self.says_epoch { leader.epoch } else { -1 };
        let partition = ListOffsetsPartition::default()
            .with_partition_index(place.index)
            .with_current_leader_epoch(epoch)
            .with_timestamp(which);
        let topic = ListOffsetsTopic::default().with_name(topic_name(place)).with_partitions(vec![partition]);
        let request = |_| ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
        let known = self.known(place);
        let asked = self.contacts.ask(&leader.address, (1, i16::MAX), request, REQUEST_TIMEOUT);
        let (_, response) = asked.await.ok()?;
        let told = response.topics.first().and_then(|topic| topic.partitions.first())?;
        if self.habitat.judge(&self.process, ApiKey::ListOffsets, told.error_code, &[]).is_err() {
            self.contacts.forget(place);
            return None;
        }
        self.habitat.world.hold(|promises| match which {
            EARLIEST => promises.bounds.told_start(&place.at, known, told.offset),
            _ => promises.bounds.told_end(&place.at, known, told.offset),
        });
        Some(told.offset)
    }
}

fn topic_name(place: &Place) -> TopicName {
    TopicName(StrBytes::from_string(place.topic.name.clone()))
}

fn key(place: &Place) -> Key {
    (place.at.topic.clone(), place.index)
}
