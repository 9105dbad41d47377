//! After the faults: all must work again, and all that was acknowledged must be there.

use std::time::Duration;

use record::{BatchBuilder, Compression};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use wire::ApiKey;
use wire::messages::ProduceRequest;
use wire::messages::produce_request::{PartitionProduceData, TopicProduceData};

use super::client::{Contacts, Fetcher, Gone, Habitat, REQUEST_TIMEOUT, committed};
use super::promises::Rule;
use super::topics::Place;

/// What each step of healing may take, in simulated time. The promise is 2 s to a leader; slow disks,
/// clients' back-off and a group's rebalance come on top.
const PATIENCE: Duration = Duration::from_secs(60);

/// How soon others must lead in place of a broker that is gone. The promise is 2 s to a leader; slow disks and
/// clients' back-off come on top.
pub(crate) const FAILOVER: Duration = Duration::from_secs(6);

/// Whether every partition that has several replicas takes a record soon; without this broker.
pub(crate) async fn is_led(habitat: &Habitat, without: Option<i32>) -> bool {
    let mut writes = JoinSet::new();
    let topics = habitat.topics.all();
    for place in topics.iter().filter(|topic| topic.replicas >= 3).flat_map(|topic| topic.places()) {
        let habitat = habitat.clone();
        writes.spawn(async move { timeout(FAILOVER, write(&habitat, &place, without)).await.is_ok() });
    }
    let mut all = true;
    while let Some(written) = writes.join_next().await {
        all &= written.unwrap_or(false);
    }
    all
}

/// Waits until all brokers run, and says which do not.
pub(crate) async fn all_up(habitat: &Habitat) -> bool {
    let up = async {
        while !habitat.fleet.all_up() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    if timeout(PATIENCE, up).await.is_ok() {
        return true;
    }
    let nodes = habitat.fleet.nodes().iter();
    let down: Vec<i32> = nodes.filter(|node| !node.is_up()).map(|node| node.id()).collect();
    habitat.world.found(Rule::Unavailable, format!("brokers {down:?} do not run {PATIENCE:?} after the last fault"));
    false
}

/// Waits until every partition takes a record, or says what does not.
pub(crate) async fn writable(habitat: &Habitat, after: &str) {
    for topic in habitat.topics.all() {
        for place in topic.places() {
            let written = timeout(PATIENCE, write(habitat, &place, None)).await;
            let gone = || habitat.topics.get(&topic.name).is_none_or(|now| now.id != topic.id);
            if written.is_err() && habitat.fleet.all_up() && !gone() {
                habitat
                    .world
                    .found(Rule::NotHealed, format!("{} takes no record {PATIENCE:?} after {after}", place.at));
            }
        }
    }
}

/// Writes one record, tried until it is acknowledged; without asking this broker for anything.
async fn write(habitat: &Habitat, place: &Place, without: Option<i32>) {
    let world = &habitat.world;
    let process = format!("probe-{}", world.number());
    let mut contacts = Contacts::new(habitat, &process).without(without);
    loop {
        if let Some(leader) = contacts.leader(place).await {
            let value = world.number();
            world.history.send(&process, &place.at, value);
            if let Some(offset) = write_once(habitat, &process, &mut contacts, &leader.address, place, value).await {
                return world.history.acknowledged(value, offset);
            }
            contacts.forget(place);
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn write_once(
    habitat: &Habitat,
    process: &str,
    contacts: &mut Contacts,
    address: &str,
    place: &Place,
    value: u64,
) -> Option<i64> {
    let batch = BatchBuilder::new().compression(Compression::None).record(-1, None, Some(&value.to_be_bytes())).build();
    let data = PartitionProduceData::default().with_index(place.index).with_records(batch.ok());
    let topic = TopicProduceData::default().with_topic_id(place.topic.id.0).with_partition_data(vec![data]);
    let request = ProduceRequest::default().with_acks(-1).with_timeout_ms(10_000).with_topic_data(vec![topic]);
    let (_, response) = contacts.ask(address, (13, i16::MAX), |_| request, REQUEST_TIMEOUT).await.ok()?;
    let answer = response.responses.first().and_then(|topic| topic.partition_responses.first())?;
    habitat.judge(process, ApiKey::Produce, answer.error_code, &[]).is_ok().then_some(answer.base_offset)
}

/// Waits until a group has committed all that is there; it may take long, but it must get on.
pub(crate) async fn caught_up(habitat: &Habitat, group: &str, places: &[Place]) {
    let (mut lag, mut end) = (String::new(), Instant::now() + PATIENCE);
    let mut fetcher = Fetcher::new(habitat, "onlooker");
    let mut contacts = Contacts::new(habitat, "onlooker");
    while Instant::now() < end {
        match lag_of(habitat, &mut fetcher, &mut contacts, group, places).await {
            None => return,
            Some(what) if what != lag => (lag, end) = (what, Instant::now() + PATIENCE),
            Some(_) => {}
        }
        sleep(Duration::from_millis(500)).await;
    }
    habitat.world.found(Rule::NotHealed, format!("{group} has not got on for {PATIENCE:?}: {lag}"));
}

/// What a group has yet to commit.
async fn lag_of(
    habitat: &Habitat,
    fetcher: &mut Fetcher,
    contacts: &mut Contacts,
    group: &str,
    places: &[Place],
) -> Option<String> {
    let Some(committed) = committed_now(habitat, contacts, group, places).await else {
        return Some("its coordinator cannot be asked".to_owned());
    };
    for (place, committed) in places.iter().zip(committed) {
        let Some((_, end)) = fetcher.bounds(place).await else {
            return Some(format!("{} cannot be asked", place.at));
        };
        if committed.max(0) < end {
            return Some(format!("{} ends at {end}, it has committed {committed}", place.at));
        }
    }
    None
}

async fn committed_now(habitat: &Habitat, contacts: &mut Contacts, group: &str, places: &[Place]) -> Option<Vec<i64>> {
    let address = contacts.coordinator(group).await?;
    let asked = match contacts.open(&address).await {
        Ok(connection) => committed(habitat, connection, group, places).await,
        Err(Gone) => Err(Gone),
    };
    asked.unwrap_or_else(|Gone| {
        contacts.lost(&address);
        None
    })
}

/// Reads all that is there.
pub(crate) async fn audit(habitat: &Habitat, process: &str) {
    let places: Vec<Place> = habitat.topics.all().into_iter().flat_map(|topic| topic.places()).collect();
    let mut fetcher = Fetcher::new(habitat, process).by_id().in_bulk();
    for place in &places {
        let read = timeout(PATIENCE, read_to_end(&mut fetcher, place)).await;
        if read.is_err() {
            let what = format!("{} could not be read to its end by {process} within {PATIENCE:?}", place.at);
            habitat.world.found(Rule::NotHealed, what);
        }
    }
}

async fn read_to_end(fetcher: &mut Fetcher, place: &Place) {
    let (start, end) = loop {
        match fetcher.bounds(place).await {
            Some(bounds) => break bounds,
            None => sleep(Duration::from_millis(100)).await,
        }
    };
    fetcher.assign([(place.clone(), start)]);
    while fetcher.positions().iter().all(|(_, at)| *at < end) {
        if fetcher.poll(0).await.records == 0 {
            sleep(Duration::from_millis(100)).await;
        }
    }
}
