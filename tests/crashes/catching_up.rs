//! Brokers that lack more than journals hold take it from the others, under load.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::producer::BaseRecord;
use support::librdkafka::{acknowledged, create_replicated_topic, producer};
use support::{LIMIT, unique};
use testkit::process::{Broker, Cluster};

use crate::cluster::{ONE_AT_A_TIME, said};
use crate::load::{Load, PARTITIONS, assert_sound};

/// Of the journal's settings; it keeps eight times as much for brokers that are away.
pub(crate) const CHECKPOINT_BYTES: usize = 2 << 20;

/// Written while a broker is away.
const MISSED_BYTES: usize = 24 << 20;

const STEP: usize = 200;

#[test]
fn a_broker_with_an_empty_disk_and_one_that_was_away_for_long_are_brought_up_to_date_under_load() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let launch = Broker::launch().set("group.initial.rebalance.delay.ms", 0).set("broker.session.timeout.ms", 2000);
    let launch = launch.set("journal.file.bytes", 1 << 20).set("journal.checkpoint.bytes", CHECKPOINT_BYTES);
    let mut cluster = Cluster::start_as(&vec![launch; 3]).unwrap();
    let (topic, bulk) = (unique("load"), unique("bulk"));
    create_replicated_topic(&cluster.addresses(), &topic, i32::try_from(PARTITIONS).unwrap(), 3);
    create_replicated_topic(&cluster.addresses(), &bulk, 2, 3);
    let load = Load::start(&cluster.addresses(), &topic);
    let went_on = |cluster: &Cluster, when: &str| {
        load.wait_for_more(STEP, LIMIT).unwrap_or_else(|stuck| panic!("{when}: {stuck}\n{}", said(cluster)));
    };

    went_on(&cluster, "before");
    cluster.broker(3).kill().unwrap();
    write(&cluster.addresses(), &bulk);
    fs::remove_dir_all(cluster.broker(3).data_dir()).unwrap();
    cluster.broker(3).restart().unwrap();
    wait_until_alike(&cluster, &bulk, [1, 3]);
    went_on(&cluster, "with a new disk at broker 3");

    cluster.broker(2).stop().unwrap();
    write(&cluster.addresses(), &bulk);
    cluster.broker(2).restart().unwrap();
    wait_until_alike(&cluster, &bulk, [1, 2]);
    went_on(&cluster, "with broker 2 back");

    // Nobody else has all of it now.
    cluster.broker(1).kill().unwrap();
    went_on(&cluster, "without broker 1");
    assert_sound(load.finish());
    wait_until_alike(&cluster, "", [2, 3]);
}

pub(crate) fn write(addresses: &str, topic: &str) {
    let producer = producer(addresses, &[("linger.ms", "5"), ("message.timeout.ms", "0")]);
    let payload = vec![b'x'; 64 << 10];
    for number in 0..MISSED_BYTES / payload.len() {
        let partition = i32::try_from(number % 2).unwrap();
        producer.send(BaseRecord::<(), _>::to(topic).partition(partition).payload(&payload)).unwrap();
    }
    acknowledged(&producer);
}

/// Waits until two brokers have the same segments, to the byte, of all topics whose names begin so.
pub(crate) fn wait_until_alike(cluster: &Cluster, topics: &str, brokers: [usize; 2]) {
    let deadline = Instant::now() + LIMIT;
    loop {
        let [one, other] = brokers.map(|id| segments(&cluster.brokers()[id - 1].data_dir(), topics));
        if one == other && !one.is_empty() {
            return;
        }
        let differ = one.iter().filter(|(path, sum)| other.get(*path) != Some(sum)).map(|(path, _)| path);
        let differ: Vec<&PathBuf> = differ.chain(other.keys().filter(|path| !one.contains_key(*path))).collect();
        assert!(Instant::now() < deadline, "{brokers:?} differ in {differ:?}\n{}", said(cluster));
        sleep(Duration::from_millis(100));
    }
}

/// Lengths and fingerprints of all segments.
fn segments(data_dir: &Path, topics: &str) -> BTreeMap<PathBuf, (usize, u64)> {
    let root = data_dir.join("topics");
    let topics =
        entries(&root).filter(|dir| dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with(topics)));
    let files = topics.flat_map(|topic| entries(&topic)).flat_map(|partition| entries(&partition));
    let logs = files.filter(|file| file.extension().is_some_and(|kind| kind == "log"));
    let sum = |file: PathBuf| {
        let bytes = fs::read(&file).ok()?;
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Some((file.strip_prefix(&root).ok()?.to_owned(), (bytes.len(), hasher.finish())))
    };
    logs.filter_map(sum).collect()
}

/// What is in a directory; nothing, if it is gone.
pub(crate) fn entries(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path())
}
