//! After the faults: all must work again, and all that was acknowledged must be there.

use std::time::Duration;

use record::{BatchBuilder, Compression};
use tokio::time::{Instant, sleep, timeout};
use wire::ApiKey;
use wire::messages::ProduceRequest;
use wire::messages::produce_request::{PartitionProduceData, TopicProduceData};

use super::client::{Connection, Fetcher, Gone, Habitat, committed};
use super::promises::Rule;
use super::topics::Place;

/// What each step of healing may take, in simulated time. The promise is 2 s to a leader; slow disks,
/// clients' back-off and a group's rebalance come on top.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until every partition takes a record, or says what does not.
pub(crate) async fn writable(habitat: &Habitat, after: &str) {
    for topic in habitat.topics.all() {
        for place in topic.places() {
            let written = timeout(PATIENCE, write(habitat, &place)).await;
            let gone = || habitat.topics.get(&topic.name).is_none_or(|now| now.id != topic.id);
            if written.is_err() && habitat.node.is_up() && !gone() {
                habitat
                    .world
                    .found(Rule::NotHealed, format!("{} takes no record {PATIENCE:?} after {after}", place.at));
            }
        }
    }
}

/// Writes one record, tried until it is acknowledged.
async fn write(habitat: &Habitat, place: &Place) {
    let world = &habitat.world;
    let process = format!("probe-{}", world.number());
    loop {
        let mut connection = Connection::open(habitat, &process).await;
        loop {
            let value = world.number();
            world.history.send(&process, &place.at, value);
            match write_once(&mut connection, place, value).await {
                Ok(Some(offset)) => return world.history.acknowledged(value, offset),
                Ok(None) => sleep(Duration::from_millis(100)).await,
                Err(Gone) => break,
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn write_once(connection: &mut Connection, place: &Place, value: u64) -> Result<Option<i64>, Gone> {
    let batch = BatchBuilder::new().compression(Compression::None).record(-1, None, Some(&value.to_be_bytes())).build();
    let data = PartitionProduceData::default().with_index(place.index).with_records(batch.ok());
    let topic = TopicProduceData::default().with_topic_id(place.topic.id.0).with_partition_data(vec![data]);
    let request = ProduceRequest::default().with_acks(-1).with_timeout_ms(10_000).with_topic_data(vec![topic]);
    let version = connection.version(ApiKey::Produce, 13, i16::MAX);
    let response = connection.call(version, &request).await?;
    let answer = response.responses.first().and_then(|topic| topic.partition_responses.first()).ok_or(Gone)?;
    let judged = connection.judge(ApiKey::Produce, answer.error_code, &[]);
    Ok(judged.is_ok().then_some(answer.base_offset))
}

/// Waits until a group has committed all that is there; it may take long, but it must get on.
pub(crate) async fn caught_up(habitat: &Habitat, group: &str, places: &[Place]) {
    let (mut lag, mut end) = (String::new(), Instant::now() + PATIENCE);
    let fetcher = Fetcher::new(habitat, "onlooker");
    while Instant::now() < end {
        let mut connection = Connection::open(habitat, "onlooker").await;
        while Instant::now() < end {
            match lag_of(habitat, &fetcher, &mut connection, group, places).await {
                Ok(None) => return,
                Ok(Some(what)) if what != lag => (lag, end) = (what, Instant::now() + PATIENCE),
                Ok(Some(_)) => {}
                Err(Gone) => break,
            }
            sleep(Duration::from_millis(500)).await;
        }
    }
    habitat.world.found(Rule::NotHealed, format!("{group} has not got on for {PATIENCE:?}: {lag}"));
}

/// What a group has yet to commit.
async fn lag_of(
    habitat: &Habitat,
    fetcher: &Fetcher,
    connection: &mut Connection,
    group: &str,
    places: &[Place],
) -> Result<Option<String>, Gone> {
    let Some(committed) = committed(habitat, connection, group, places).await? else {
        return Ok(Some("its coordinator cannot be asked".to_owned()));
    };
    for (place, committed) in places.iter().zip(committed) {
        let Some((_, end)) = fetcher.bounds(connection, place).await? else {
            return Ok(Some(format!("{} cannot be asked", place.at)));
        };
        if committed.max(0) < end {
            return Ok(Some(format!("{} ends at {end}, it has committed {committed}", place.at)));
        }
    }
    Ok(None)
}

/// Reads all that is there.
pub(crate) async fn audit(habitat: &Habitat, process: &str) {
    let places: Vec<Place> = habitat.topics.all().into_iter().flat_map(|topic| topic.places()).collect();
    for place in &places {
        let read = timeout(PATIENCE, read_whole(habitat, process, place)).await;
        if read.is_err() {
            let what = format!("{} could not be read to its end by {process} within {PATIENCE:?}", place.at);
            habitat.world.found(Rule::NotHealed, what);
        }
    }
}

async fn read_whole(habitat: &Habitat, process: &str, place: &Place) {
    let mut fetcher = Fetcher::new(habitat, process).by_id().in_bulk();
    loop {
        let mut connection = Connection::open(habitat, process).await;
        if read_to_end(&mut fetcher, &mut connection, place).await.is_ok() {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn read_to_end(fetcher: &mut Fetcher, connection: &mut Connection, place: &Place) -> Result<(), Gone> {
    loop {
        let Some((start, end)) = fetcher.bounds(connection, place).await? else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        fetcher.assign([(place.clone(), start)]);
        while fetcher.positions().all(|(_, at)| at < end) {
            let polled = fetcher.poll(connection, 0).await?;
            if polled.records == 0 {
                sleep(Duration::from_millis(100)).await;
            }
        }
        return Ok(());
    }
}
