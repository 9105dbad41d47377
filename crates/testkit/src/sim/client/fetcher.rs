//! Reading partitions from where one is, with and without fetch sessions (KIP-227).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use model::ErrorCode;
use record::{BatchView, MAX_DECOMPRESSED_BATCH_BYTES, Records};
use wire::messages::fetch_request::{FetchPartition, FetchTopic};
use wire::messages::fetch_response::PartitionData;
use wire::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use wire::messages::{BrokerId, FetchRequest, FetchResponse, ListOffsetsRequest, TopicName};
use wire::{ApiKey, StrBytes};

use super::Habitat;
use super::connection::{Connection, Gone, REQUEST_TIMEOUT};
use crate::sim::promises::{Known, Rule};
use crate::sim::topics::Place;

const EARLIEST: i64 = -2;
const LATEST: i64 = -1;

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
    process: String,
    positions: BTreeMap<(String, i32), (Place, i64)>,
    /// From version 13 on by id.
    version: Option<i16>,
    session: Option<Session>,
    max_bytes: i32,
}

#[derive(Default)]
struct Session {
    id: i32,
    epoch: i32,
    /// Partitions that the broker has to be told of.
    news: BTreeSet<(String, i32)>,
}

impl Fetcher {
    pub(crate) fn new(habitat: &Habitat, process: &str) -> Fetcher {
        let mut rng = habitat.world.rng();
        let session = rng.one_in(2).then(Session::default);
        let max_bytes = *rng.pick(&[1, 20_000, 1 << 20, 50 << 20]);
        let (habitat, process) = (habitat.clone(), process.to_owned());
        Fetcher { habitat, process, positions: BTreeMap::new(), version: None, session, max_bytes }
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
        self.reconnected();
    }

    /// The connection is new: the broker knows nothing of a session any more.
    pub(crate) fn reconnected(&mut self) {
        if let Some(session) = &mut self.session {
            *session = Session { news: self.positions.keys().cloned().collect(), ..Session::default() };
        }
    }

    pub(crate) fn positions(&self) -> impl Iterator<Item = (&Place, i64)> {
        self.positions.values().map(|(place, offset)| (place, *offset))
    }

    /// Reads once, waiting for records for as long as `max_wait_ms`.
    pub(crate) async fn poll(&mut self, connection: &mut Connection, max_wait_ms: i32) -> Result<Polled, Gone> {
        let version = match self.version {
            Some(version) => version,
            None => *self.version.insert(connection.version(ApiKey::Fetch, LEAST_VERSION, i16::MAX)),
        };
        let request = self.request(max_wait_ms);
        let asked: BTreeMap<_, _> =
            self.positions.iter().map(|(key, (place, _))| (key.clone(), self.known(place))).collect();
        let patience = REQUEST_TIMEOUT + std::time::Duration::from_millis(max_wait_ms as u64);
        let response = connection.call_for(version, &request, patience).await?;
        match ErrorCode::from_code(response.error_code) {
            ErrorCode::None => Ok(self.take(connection, &asked, version, response)),
            ErrorCode::FetchSessionIdNotFound | ErrorCode::InvalidFetchSessionEpoch => {
                self.reconnected();
                Ok(Polled::default())
            }
            error => {
                connection.judge(ApiKey::Fetch, error.code(), &[]).ok();
                Ok(Polled::default())
            }
        }
    }

    fn known(&self, place: &Place) -> Known {
        self.habitat.world.promises(|promises| promises.bounds.asked(&place.at))
    }

    fn request(&self, max_wait_ms: i32) -> FetchRequest {
        let told = |key: &(String, i32)| self.session.as_ref().is_none_or(|session| session.news.contains(key));
        let topics = self.positions.iter().filter(|(key, _)| told(key)).map(|(_, (place, offset))| {
            let partition = FetchPartition::default()
                .with_partition(place.index)
                .with_current_leader_epoch(-1)
                .with_fetch_offset(*offset)
                .with_partition_max_bytes(self.max_bytes);
            FetchTopic::default()
                .with_topic(TopicName(StrBytes::from_string(place.topic.name.clone())))
                .with_topic_id(place.topic.id.0)
                .with_partitions(vec![partition])
        });
        let (id, epoch) = self.session.as_ref().map_or((0, -1), |session| (session.id, session.epoch));
        let mut request = FetchRequest::default()
            .with_max_wait_ms(max_wait_ms)
            .with_min_bytes(1)
            .with_max_bytes(self.max_bytes)
            .with_session_id(id)
            .with_session_epoch(epoch)
            .with_topics(topics.collect());
        request.replica_state.replica_id = BrokerId(-1);
        request
    }

    fn take(
        &mut self,
        connection: &Connection,
        asked: &BTreeMap<(String, i32), Known>,
        version: i16,
        response: FetchResponse,
    ) -> Polled {
        if let Some(session) = &mut self.session {
            session.news.clear();
            let fresh = session.epoch == 0;
            session.id = response.session_id;
            session.epoch = if fresh && session.id == 0 { 0 } else { session.epoch + 1 };
            if session.id == 0 {
                session.news = self.positions.keys().cloned().collect();
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
                let next = self.take_partition(connection, &place, offset, known, partition, &mut polled);
                if next != offset {
                    self.positions.insert(key.clone(), (place, next));
                    if let Some(session) = &mut self.session {
                        session.news.insert(key);
                    }
                }
            }
        }
        polled
    }

    /// The position behind what was read.
    fn take_partition(
        &self,
        connection: &Connection,
        place: &Place,
        offset: i64,
        known: Known,
        data: PartitionData,
        polled: &mut Polled,
    ) -> i64 {
        let world = &self.habitat.world;
        match ErrorCode::from_code(data.error_code) {
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
                connection.judge(ApiKey::Fetch, error.code(), &[]).ok();
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

    /// Asks where a partition starts and ends.
    pub(crate) async fn bounds(&self, connection: &mut Connection, place: &Place) -> Result<Option<(i64, i64)>, Gone> {
        let Some(start) = self.list_offset(connection, place, EARLIEST).await? else { return Ok(None) };
        let Some(end) = self.list_offset(connection, place, LATEST).await? else { return Ok(None) };
        Ok(Some((start, end)))
    }

    /// The first offset, or the last, if the broker can tell now.
    async fn list_offset(&self, connection: &mut Connection, place: &Place, which: i64) -> Result<Option<i64>, Gone> {
        let partition = ListOffsetsPartition::default()
            .with_partition_index(place.index)
            .with_current_leader_epoch(-1)
            .with_timestamp(which);
        let name = TopicName(StrBytes::from_string(place.topic.name.clone()));
        let topic = ListOffsetsTopic::default().with_name(name).with_partitions(vec![partition]);
        let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
        let version = connection.version(ApiKey::ListOffsets, 1, i16::MAX);
        let known = self.known(place);
        let response = connection.call(version, &request).await?;
        let Some(told) = response.topics.first().and_then(|topic| topic.partitions.first()) else { return Ok(None) };
        if connection.judge(ApiKey::ListOffsets, told.error_code, &[]).is_err() {
            return Ok(None);
        }
        self.habitat.world.hold(|promises| match which {
            EARLIEST => promises.bounds.told_start(&place.at, known, told.offset),
            _ => promises.bounds.told_end(&place.at, known, told.offset),
        });
        Ok(Some(told.offset))
    }
}

fn key(place: &Place) -> (String, i32) {
    (place.at.topic.clone(), place.index)
}
