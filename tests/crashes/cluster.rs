//! A cluster whose brokers are killed, frozen and stopped in turn under load, and what clients saw of it checked as a
//! history.

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::Signal;
use support::librdkafka::create_replicated_topic;
use support::{LIMIT, unique};
use testkit::process::{Broker, Cluster, Launch, ProcessError};

use crate::load::{Library, Load, PARTITIONS, assert_sound};

pub(crate) const BROKERS: usize = 3;

/// Three brokers and their clients fill a small machine: two such clusters at a time would wait for a processor for
/// longer than a leader is waited for, and measure nothing but that.
pub(crate) static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// To be held while a cluster runs.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Between two blows at least so much is acknowledged and so much read.
const STEP: usize = 300;

/// How often each broker is struck, where one time may follow from the one before.
const ROUNDS: usize = 2;

/// Strikes each broker in turn while an idempotent producer sends and a group of two reads. Work goes on while a broker
/// is struck, and nothing that was acknowledged is lost, doubled, moved or out of order.
pub(crate) fn each_in_turn(
    library: Library,
    rounds: usize,
    mut cluster: Cluster,
    strike: impl Fn(&mut Cluster, usize) -> Result<(), ProcessError>,
    mend: impl Fn(&mut Cluster, usize) -> Result<(), ProcessError>,
) {
    let topic = unique("cluster-under-load");
    create_replicated_topic(&cluster.addresses(), &topic, i32::try_from(PARTITIONS).unwrap(), 3);

    let load = Load::start_with(library, &cluster.addresses(), &topic);
    for round in 1..=rounds {
        for id in 1..=BROKERS {
            let went_on = |cluster: &Cluster, when: &str| {
                let more = load.wait_for_more(STEP, LIMIT);
                more.unwrap_or_else(|stuck| panic!("round {round}, {when} broker {id}: {stuck}\n{}", said(cluster)));
            };
            went_on(&cluster, "before");
            strike(&mut cluster, id).unwrap_or_else(|error| panic!("broker {id}: {error}"));
            went_on(&cluster, "without");
            mend(&mut cluster, id).unwrap_or_else(|error| panic!("broker {id}: {error}"));
            went_on(&cluster, "after");
        }
    }
    assert_sound(load.finish());
}

/// How the brokers are started that are struck.
pub(crate) fn launches() -> Vec<Launch> {
    vec![Broker::launch().set("group.initial.rebalance.delay.ms", 0); BROKERS]
}

/// What the brokers have printed since their latest starts.
pub(crate) fn said(cluster: &Cluster) -> String {
    let said = cluster.brokers().iter().zip(1..).map(|(broker, id)| format!("== broker {id}\n{}", broker.printed()));
    said.collect()
}

#[test]
fn a_cluster_whose_brokers_are_killed_in_turn_loses_nothing_acknowledged() {
    killed_in_turn(Library::Librdkafka);
}

#[test]
fn a_cluster_whose_brokers_are_killed_in_turn_loses_nothing_acknowledged_to_the_java_client() {
    killed_in_turn(Library::Java);
}

#[test]
fn a_cluster_whose_brokers_are_stopped_in_turn_loses_nothing_acknowledged() {
    stopped_in_turn(Library::Librdkafka);
}

#[test]
fn a_cluster_whose_brokers_are_stopped_in_turn_loses_nothing_acknowledged_to_the_java_client() {
    stopped_in_turn(Library::Java);
}

#[test]
fn a_cluster_whose_brokers_are_frozen_in_turn_loses_nothing_acknowledged() {
    frozen_in_turn(Library::Librdkafka);
}

#[test]
fn a_cluster_whose_brokers_are_frozen_in_turn_loses_nothing_acknowledged_to_the_java_client() {
    frozen_in_turn(Library::Java);
}

fn killed_in_turn(library: Library) {
    let _alone = alone();
    let cluster = Cluster::start_as(&launches()).unwrap();
    each_in_turn(library, ROUNDS, cluster, |cluster, id| cluster.broker(id).kill(), restart);
}

fn stopped_in_turn(library: Library) {
    let _alone = alone();
    let cluster = Cluster::start_as(&launches()).unwrap();
    each_in_turn(library, ROUNDS, cluster, |cluster, id| cluster.broker(id).stop().map(drop), restart);
}

fn frozen_in_turn(library: Library) {
    let _alone = alone();
    let cluster = Cluster::start_as(&launches()).unwrap();
    let send = |cluster: &mut Cluster, id, signal| cluster.broker(id).process().signal(signal);
    let (stop, go_on) = (Signal::STOP, Signal::CONT);
    each_in_turn(
        library,
        ROUNDS,
        cluster,
        |cluster, id| send(cluster, id, stop),
        |cluster, id| send(cluster, id, go_on),
    );
}

fn restart(cluster: &mut Cluster, id: usize) -> Result<(), ProcessError> {
    cluster.broker(id).restart()
}

#[test]
fn the_command_line_finds_who_leads_in_the_place_of_a_broker_that_has_just_died() {
    let _alone = alone();
    let mut cluster = Cluster::start(BROKERS).unwrap();
    let topic = unique("described");
    create_replicated_topic(&cluster.addresses(), &topic, i32::try_from(PARTITIONS).unwrap(), 3);
    cluster.broker(BROKERS).kill().unwrap();
    let described = Command::new(testkit::process::binary())
        .args(["topic", "describe", &topic, "--output", "json", "--bootstrap", &cluster.addresses()])
        .output()
        .unwrap();
    assert!(described.status.success(), "{}", String::from_utf8_lossy(&described.stderr));
}
