//! Clusters that lie: members that break a rule of replication, so that the cluster breaks its promises.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use disk::{Disk, SimDisk};
use wire::messages::list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse};
use wire::messages::{ListOffsetsRequest, ListOffsetsResponse};
use wire::{ApiKey, RequestHeader};

use super::liars::{Lie, liar, liars_of};
use super::meddlers::{answer, is_chosen};
use super::{LOSS, POWER_CUT, assert_found_with, lens, meddler};
use crate::history::Check;
use crate::sim::nemesis::{Cut, Fault};
use crate::sim::node::Down;
use crate::sim::promises::Rule;
use crate::sim::tampering::{Meddling, Tampering};

const ALL_POWER_CUT: Fault = Fault::AllDown(Down::PowerCut);

#[track_caller]
fn assert_found_in_three(tampering: &Tampering, rules: &[Rule]) {
    assert_found_with(3, tampering, rules);
}

#[test]
fn a_cluster_that_does_not_wait_for_its_disks_loses_what_was_acknowledged_when_all_power_fails() {
    assert_found_in_three(&lens(liar(Lie::SyncedLater("journal/")), &[ALL_POWER_CUT]), &LOSS);
}

#[test]
fn followers_that_confirm_before_they_have_synced_lose_what_was_acknowledged() {
    let followers = liars_of(|broker| broker != 1, Lie::SyncedLater("journal/"));
    assert_found_in_three(&lens(followers, &[ALL_POWER_CUT]), &[Rule::EndWentBack]);
}

#[test]
fn members_that_forget_their_votes_and_what_they_confirmed_lose_what_was_acknowledged() {
    // Their disks are put back to an earlier state, and they come back as if they were still the same voters.
    let backups = Tampering { restores_backups: true, faults: Some(vec![POWER_CUT]), ..Tampering::default() };
    assert_found_in_three(&backups, &[Rule::EndWentBack, Rule::History(Check::InconsistentOffsets)]);
}

#[test]
fn a_replica_that_stores_something_else_than_the_others_is_noticed() {
    let one = liars_of(|broker| broker == 2, Lie::Garbles(".log"));
    assert_found_in_three(&lens(one, &[Fault::ClockJump]), &[Rule::ReplicasDiffer]);
}

#[test]
fn an_answer_from_before_what_others_were_told_is_noticed() {
    // As of a leader whose lease has run out, and that answers all the same with what it knows.
    let stale = |header: &RequestHeader, body: Bytes| {
        if !is_chosen(header, ApiKey::ListOffsets) {
            return Meddling::Pass;
        }
        let request: ListOffsetsRequest = wire::decode(header.version, body).unwrap();
        let topics = request.topics.into_iter().map(|topic| {
            let told = topic.partitions.iter().map(|partition| {
                let told = ListOffsetsPartitionResponse::default().with_partition_index(partition.partition_index);
                told.with_offset(0).with_timestamp(-1)
            });
            ListOffsetsTopicResponse::default().with_partitions(told.collect()).with_name(topic.name)
        });
        answer(header, ListOffsetsResponse::default().with_topics(topics.collect()))
    };
    assert_found_in_three(&meddler(stale, &[Fault::Partition(Cut::Full)]), &[Rule::EndWentBack]);
}

#[test]
fn a_network_that_stays_cut_has_not_healed() {
    let faults = Some(vec![Fault::Partition(Cut::Full)]);
    let cut = Tampering { never_mends: true, faults, ..Tampering::default() };
    assert_found_in_three(&cut, &[Rule::NotHealed]);
}

#[test]
fn members_that_do_not_take_over_are_noticed() {
    // One is there and can store nothing after a while; the second that dies takes the majority with it.
    let gives_up = |broker: i32, disk: SimDisk| -> Arc<dyn Disk> {
        if broker == 3 {
            let disk = disk.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(2)).await;
                disk.fail_syncs("journal/", u32::MAX);
            });
        }
        Arc::new(disk)
    };
    assert_found_in_three(&lens(gives_up, &[Fault::Failover]), &[Rule::Unavailable]);
}
