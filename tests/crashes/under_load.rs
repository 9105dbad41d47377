//! Twenty restarts in a row under load, and what the clients saw of them checked as a history.

use support::librdkafka::create_topic;
use support::{LIMIT, unique};
use testkit::process::{Broker, ProcessError};

use crate::load::{Load, PARTITIONS, assert_sound};

const TIMES: usize = 20;

/// Between two restarts at least so much is acknowledged and so much read.
const STEP: usize = 500;

/// Restarts a broker twenty times while an idempotent producer sends and a group of two reads, then checks the
/// history: nothing acknowledged is lost, doubled, moved or out of order, and the clients carry on by themselves.
fn twenty_times(restart: impl Fn(&mut Broker) -> Result<(), ProcessError>) {
    let mut broker = Broker::launch().set("group.initial.rebalance.delay.ms", 0).start().unwrap();
    let topic = unique("under-load");
    create_topic(&broker.address(), &topic, i32::try_from(PARTITIONS).unwrap(), &[]);

    let load = Load::start(&broker.address(), &topic);
    for time in 1..=TIMES {
        load.wait_for_more(STEP, LIMIT).unwrap_or_else(|stuck| panic!("before restart {time}: {stuck}"));
        restart(&mut broker).unwrap_or_else(|error| panic!("restart {time}: {error}"));
    }
    load.wait_for_more(STEP, LIMIT).unwrap_or_else(|stuck| panic!("after the last restart: {stuck}"));
    assert_sound(load.finish());
}

#[test]
fn nothing_acknowledged_is_lost_doubled_or_moved_by_twenty_kills_under_load() {
    twenty_times(|broker| {
        broker.kill()?;
        broker.restart()
    });
}

#[test]
fn nothing_acknowledged_is_lost_doubled_or_moved_by_twenty_stops_under_load() {
    twenty_times(|broker| {
        broker.stop()?;
        broker.restart()
    });
}
