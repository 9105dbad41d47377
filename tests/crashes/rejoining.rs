//! Brokers that can't trust what they have any more come back by themselves, under load.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::Offset;
use rdkafka::producer::BaseRecord;
use support::librdkafka::{acknowledged, create_replicated_topic, producer, reader};
use support::{LIMIT, unique};
use testkit::process::{Broker, Cluster, Launch};

use crate::catching_up::{CHECKPOINT_BYTES, entries, wait_until_alike, write};
use crate::cluster::{alone, said};
use crate::load::{Load, PARTITIONS, assert_sound};

const STEP: usize = 200;

/// Stands in the journal for as long as no checkpoint has passed it.
const MARKER: &str = "a record to be damaged in the journal";

/// How a broker says that a shard has gone on without it, and that it is back.
const CAME_BACK: &str = "which comes back as a new one";

fn launch() -> Launch {
    Broker::launch().set("group.initial.rebalance.delay.ms", 0).set("broker.session.timeout.ms", 2000)
}

/// A cluster of three with a topic under load, and another topic, that three brokers keep.
fn loaded(launches: &[Launch]) -> (Cluster, Load, String) {
    let cluster = Cluster::start_as(launches).unwrap();
    let (topic, other) = (unique("load"), unique("other"));
    create_replicated_topic(&cluster.addresses(), &topic, i32::try_from(PARTITIONS).unwrap(), 3);
    create_replicated_topic(&cluster.addresses(), &other, 2, 3);
    let load = Load::start(&cluster.addresses(), &topic);
    goes_on(&cluster, &load, "before");
    (cluster, load, other)
}

#[track_caller]
fn goes_on(cluster: &Cluster, load: &Load, when: &str) {
    load.wait_for_more(STEP, LIMIT).unwrap_or_else(|stuck| panic!("{when}: {stuck}\n{}", said(cluster)));
}

#[test]
fn a_broker_with_damage_in_its_journal_or_its_manifests_comes_back_by_itself_under_load() {
    let _alone = alone();
    // The third takes no checkpoint, so that what is marked stays in its journal.
    let small = launch().set("journal.file.bytes", 1 << 20).set("journal.checkpoint.bytes", CHECKPOINT_BYTES);
    let (mut cluster, load, other) = loaded(&[small.clone(), small, launch()]);
    write(&cluster.addresses(), &other);
    mark(&cluster.addresses(), &other);
    wait_until_alike(&cluster, &other, [1, 3]);

    cluster.broker(3).kill().unwrap();
    let journal = files(&cluster.broker(3).data_dir().join("journal"));
    assert!(journal.iter().any(|file| flip_in(file, MARKER)), "the marker is in no file of {journal:?}");
    goes_on(&cluster, &load, "without broker 3");
    cluster.broker(3).restart().unwrap();
    waits_for(&mut cluster, 3, CAME_BACK);
    wait_until_all_vote(&cluster);
    goes_on(&cluster, &load, "with damage in the journal at broker 3");

    // The controller's, too.
    cluster.broker(2).stop().unwrap();
    let groups: Vec<PathBuf> = entries(&cluster.broker(2).data_dir().join("groups")).collect();
    groups.iter().flat_map(|group| files(group)).for_each(|manifest| flip(&manifest, 8));
    cluster.broker(2).restart().unwrap();
    waits_for(&mut cluster, 2, CAME_BACK);
    wait_until_all_vote(&cluster);
    goes_on(&cluster, &load, "with damaged manifests at broker 2");

    // Those that came back are a majority, with all that was acknowledged.
    cluster.broker(1).kill().unwrap();
    goes_on(&cluster, &load, "without broker 1");
    assert_sound(load.finish());
    wait_until_alike(&cluster, "", [2, 3]);
}

#[test]
fn a_majority_of_damaged_members_waits_and_says_so_until_one_is_whole_again() {
    let _alone = alone();
    let mut cluster = Cluster::start_as(&vec![launch(); 3]).unwrap();
    let topic = unique("waiting");
    create_replicated_topic(&cluster.addresses(), &topic, 1, 3);
    mark(&cluster.addresses(), &topic);
    let damaged = |cluster: &mut Cluster, id: usize| {
        let journal = files(&cluster.broker(id).data_dir().join("journal"));
        let damaged = journal.into_iter().find(|file| flip_in(file, MARKER));
        damaged.unwrap_or_else(|| panic!("the marker is not in broker {id}'s journal"))
    };

    for id in [2, 3] {
        cluster.broker(id).kill().unwrap();
    }
    let file = damaged(&mut cluster, 2);
    damaged(&mut cluster, 3);
    // Side by side: the controller's group is whole, and takes two of them.
    let addresses = cluster.addresses();
    let [_, two, three] = cluster.brokers_mut() else { panic!("three brokers") };
    std::thread::scope(|scope| {
        scope.spawn(|| two.restart().unwrap());
        three.restart().unwrap();
    });
    for id in [2, 3] {
        waits_for(&mut cluster, id, "it waits for a leader that goes on without it");
    }
    status_until(&addresses, |status| status.contains("nobody leads the shards") && status.contains("can be trusted"));

    cluster.broker(2).kill().unwrap();
    assert!(flip_in(&file, &flipped(MARKER)), "it is where it was: nothing was given up");
    cluster.broker(2).restart().unwrap();
    waits_for(&mut cluster, 3, CAME_BACK);
    mark(&cluster.addresses(), &topic);
    wait_until_alike(&cluster, &topic, [2, 3]);
}

#[test]
fn a_relaxed_broker_that_lost_power_comes_back_as_a_new_one_and_after_a_power_cut_of_all_they_make_do() {
    let _alone = alone();
    let (mut cluster, load, other) = loaded(&vec![launch().set("durability", "relaxed"); 3]);

    // A process that dies forgets nothing.
    cluster.broker(3).kill().unwrap();
    cluster.broker(3).restart().unwrap();
    goes_on(&cluster, &load, "with broker 3 killed");
    assert!(!cluster.broker(3).printed().contains("started anew"), "{}", said(&cluster));

    cluster.broker(3).kill().unwrap();
    loses_power(&cluster.broker(3).data_dir());
    cluster.broker(3).restart().unwrap();
    waits_for(&mut cluster, 3, CAME_BACK);
    goes_on(&cluster, &load, "with broker 3 back");
    assert_sound(load.finish());
    wait_until_alike(&cluster, "", [1, 3]);

    for id in 1..=3 {
        cluster.broker(id).kill().unwrap();
        loses_power(&cluster.broker(id).data_dir());
    }
    std::thread::scope(|scope| {
        for broker in cluster.brokers_mut() {
            scope.spawn(|| broker.restart().unwrap());
        }
    });
    waits_for(&mut cluster, 1, "this one goes on with what it has");
    mark(&cluster.addresses(), &other);
    wait_until_alike(&cluster, &other, [1, 2]);
    wait_until_alike(&cluster, &other, [1, 3]);

    // A clean stop leaves no doubt.
    cluster.broker(2).stop().unwrap();
    assert!(!cluster.broker(2).data_dir().join("tidelog.boot").exists());
}

#[test]
fn damaged_batches_of_a_segment_are_replaced_by_another_replicas_when_they_are_read() {
    const RECORDS: usize = 8;
    let _alone = alone();
    let mut cluster = Cluster::start_as(&vec![launch(); 3]).unwrap();
    let topic = unique("mended");
    create_replicated_topic(&cluster.addresses(), &topic, 1, 3);
    let producer = producer(&cluster.addresses(), &[("linger.ms", "0")]);
    for _ in 0..RECORDS {
        producer.send(BaseRecord::<(), _>::to(&topic).partition(0).payload("a batch of its own")).unwrap();
        acknowledged(&producer);
    }
    wait_until_alike(&cluster, &topic, [1, 2]);
    wait_until_alike(&cluster, &topic, [1, 3]);

    // At each broker another batch is bad, so that whoever leads finds one, which the others have.
    let segments: Vec<PathBuf> = (1..=3).map(|id| segment(&cluster.broker(id).data_dir(), &topic)).collect();
    let good = fs::read(&segments[0]).unwrap();
    let batch_bytes = (good.len() / RECORDS) as u64;
    for (segment, batch) in segments.iter().zip([1, 3, 5]) {
        flip(segment, batch * batch_bytes + MAGIC_AT);
    }
    let consumer = reader(&cluster.addresses(), &topic, 0, Offset::Beginning, &[("check.crcs", "true")]);
    let (mut read, deadline) = (0, Instant::now() + LIMIT);
    while read < RECORDS {
        assert!(Instant::now() < deadline, "{read} were read\n{}", said(&cluster));
        read += usize::from(consumer.poll(Duration::from_millis(100)).is_some_and(|polled| polled.is_ok()));
    }
    let whole = segments.iter().filter(|segment| fs::read(segment).unwrap() == good).count();
    assert_eq!(whole, 1, "the leader's\n{}", said(&cluster));
    assert!(said(&cluster).contains("damaged batches were replaced"), "{}", said(&cluster));
}

/// Where a batch's magic number is.
const MAGIC_AT: u64 = 16;

/// The only segment of a topic's only partition.
fn segment(data_dir: &Path, topic: &str) -> PathBuf {
    let partitions = entries(&data_dir.join("topics").join(topic));
    let mut segments = partitions.flat_map(|partition| files(&partition));
    segments.find(|file| file.extension().is_some_and(|kind| kind == "log")).unwrap()
}

/// As if the machine had been started anew. (What it confirmed last is not lost: that it may be is what counts.)
fn loses_power(data_dir: &Path) {
    fs::write(data_dir.join("tidelog.boot"), "another start of the machine").unwrap();
}

/// Has a record acknowledged that can be found in the journal, and some behind it.
fn mark(addresses: &str, topic: &str) {
    let producer = producer(addresses, &[("linger.ms", "0"), ("message.timeout.ms", "0")]);
    for text in [MARKER, "behind it", "and the last"] {
        producer.send(BaseRecord::<(), _>::to(topic).partition(0).payload(text)).unwrap();
        acknowledged(&producer);
    }
}

#[track_caller]
fn waits_for(cluster: &mut Cluster, broker: usize, words: &str) {
    let found = cluster.broker(broker).process().wait_for_lines(words, 1, LIMIT).map(drop);
    found.unwrap_or_else(|error| panic!("broker {broker}: {error}\n{}", said(cluster)));
}

/// Waits until three brokers vote in each group that has more than one voter.
#[track_caller]
fn wait_until_all_vote(cluster: &Cluster) {
    let voters = |line: &str| line.split('\t').nth(3).filter(|_| line.split('\t').count() == 6).map(str::to_owned);
    status_until(&cluster.addresses(), |status| {
        let shards: Vec<String> = status
            .lines()
            .filter_map(voters)
            .filter(|voters| voters != "1" && voters != "2" && voters != "3")
            .collect();
        status.contains("controller voters\t1,2,3")
            && !shards.is_empty()
            && shards.iter().all(|voters| voters == "1,2,3")
    });
}

/// Waits until `tidelog cluster status` prints what is so.
#[track_caller]
fn status_until(addresses: &str, is_so: impl Fn(&str) -> bool) {
    let deadline = Instant::now() + LIMIT;
    loop {
        let command = std::process::Command::new(testkit::process::binary())
            .args(["cluster", "status", "--bootstrap", addresses])
            .output()
            .unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&command.stdout), String::from_utf8_lossy(&command.stderr));
        if is_so(&said) {
            return;
        }
        assert!(Instant::now() < deadline, "{said}");
        sleep(Duration::from_millis(200));
    }
}

/// The files in a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    entries(dir).filter(|path| path.is_file()).collect()
}

fn flip(file: &Path, at: u64) {
    let file = fs::OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

/// Flips a bit of the first byte of each place where a text stands; whether there is one.
fn flip_in(file: &Path, text: &str) -> bool {
    let bytes = fs::read(file).unwrap();
    let places = bytes.windows(text.len()).enumerate().filter(|(_, window)| *window == text.as_bytes());
    places.map(|(at, _)| flip(file, at as u64)).count() > 0
}

/// A text as it is after that.
fn flipped(text: &str) -> String {
    let first = char::from(text.as_bytes()[0] ^ 1);
    format!("{first}{}", &text[1..])
}
