//! A cluster whose network loses what is sent, in every way, under load, and what clients saw of it checked as a history.
//! Clients reach all brokers all the time, those too that others don't: what these answer must still be true.

use testkit::process::{Cluster, Network};

use crate::cluster::{BROKERS, alone, each_in_turn, launches};
use crate::load::Library;

/// Has each broker in turn lose what goes along these ways: from a host, to another.
fn cut_in_turn(library: Library, ways: impl Fn(usize) -> Vec<(usize, usize)>) {
    let _alone = alone();
    let network = Network::of(BROKERS).unwrap();
    let cluster = Cluster::start_on(&network, &launches()).unwrap();
    each_in_turn(
        library,
        1,
        cluster,
        |_, id| ways(id).into_iter().try_for_each(|(from, to)| network.cut(from, to)),
        |_, id| ways(id).into_iter().try_for_each(|(from, to)| network.mend(from, to)),
    );
}

fn others(id: usize) -> impl Iterator<Item = usize> {
    (1..=BROKERS).filter(move |other| *other != id)
}

#[test]
fn a_cluster_whose_brokers_are_cut_off_from_the_others_in_turn_loses_nothing_acknowledged() {
    cut_in_turn(Library::Librdkafka, |id| others(id).flat_map(|other| [(id, other), (other, id)]).collect());
}

#[test]
fn a_cluster_whose_brokers_are_cut_off_from_the_others_in_turn_loses_nothing_acknowledged_to_the_java_client() {
    cut_in_turn(Library::Java, |id| others(id).flat_map(|other| [(id, other), (other, id)]).collect());
}

#[test]
fn a_cluster_whose_brokers_are_not_heard_by_the_others_in_turn_loses_nothing_acknowledged() {
    cut_in_turn(Library::Librdkafka, |id| others(id).map(|other| (id, other)).collect());
}

#[test]
fn a_cluster_whose_brokers_do_not_hear_the_others_in_turn_loses_nothing_acknowledged() {
    cut_in_turn(Library::Librdkafka, |id| others(id).map(|other| (other, id)).collect());
}

#[test]
fn a_cluster_in_which_two_brokers_do_not_reach_each_other_loses_nothing_acknowledged() {
    cut_in_turn(Library::Librdkafka, |id| {
        let next = id % BROKERS + 1;
        vec![(id, next), (next, id)]
    });
}
