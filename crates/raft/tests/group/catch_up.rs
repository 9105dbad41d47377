//! What journals keep for members that are behind, and how these take the state where it is gone.

use std::time::Duration;

use disk::SimDisk;
use tokio::time::sleep;

use crate::cluster::Cluster;
use crate::support::{GROUP, entries};

/// Far more than there is.
const PLENTY: u64 = 1 << 30;

async fn checkpoint_all(cluster: &Cluster) {
    // Long enough for followers to hear what is needed.
    sleep(Duration::from_millis(500)).await;
    for broker in cluster.brokers.values() {
        broker.group.checkpoint().await.unwrap();
    }
}

fn purged(cluster: &Cluster, broker: i32) -> Option<u64> {
    cluster.brokers[&broker].journal.group(GROUP).state().purged.map(|id| id.index)
}

fn installed(cluster: &Cluster, broker: i32) -> usize {
    cluster.brokers[&broker].history.lock().unwrap().installed
}

/// A cluster of which one member is away, and behind what the others have purged; the leader and
/// the one that is away, with its disk.
async fn one_behind(seed: u64) -> (Cluster, i32, i32, SimDisk) {
    let mut cluster = Cluster::retaining(seed, 3, 0).await;
    let (leader, _) = cluster.leader().await;
    cluster.brokers[&leader].write(0..50).await;
    cluster.applied_everywhere(50).await;
    let away = leader % 3 + 1;
    let disk = cluster.cut_power(away, seed).await;
    cluster.brokers[&leader].write(50..200).await;
    cluster.applied_everywhere(200).await;
    checkpoint_all(&cluster).await;
    // Once the leader has tried again, and failed, to send what is to be purged.
    while purged(&cluster, leader) < Some(150) {
        sleep(Duration::from_millis(10)).await;
    }
    (cluster, leader, away, disk)
}

async fn assert_all_have(cluster: &Cluster, count: usize) {
    cluster.applied_everywhere(count).await;
    for (id, broker) in &cluster.brokers {
        assert_eq!(broker.entries(), entries(0..count), "broker {id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_leaves_in_every_journal_what_one_member_lacks() {
    let mut cluster = Cluster::retaining(1, 3, PLENTY).await;
    let (leader, _) = cluster.leader().await;
    let last = cluster.brokers[&leader].write(0..50).await.last().unwrap().0;
    cluster.applied_everywhere(50).await;
    checkpoint_all(&cluster).await;
    for broker in 1..=3 {
        assert_eq!(purged(&cluster, broker), Some(last.index), "all have all");
    }
    let away = leader % 3 + 1;
    let disk = cluster.cut_power(away, 1).await;
    cluster.brokers[&leader].write(50..200).await;
    cluster.applied_everywhere(200).await;
    checkpoint_all(&cluster).await;
    for broker in cluster.brokers.keys() {
        assert_eq!(purged(&cluster, *broker), Some(last.index), "one lacks the rest");
    }
    // Whoever leads can serve it.
    cluster.group(leader).hand_over(None).await.unwrap();
    cluster.start_broker(away, &disk).await;
    assert_all_have(&cluster, 200).await;
    assert_eq!(installed(&cluster, away), 0);
    checkpoint_all(&cluster).await;
    assert!(purged(&cluster, leader) > Some(150));
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_journal_keeps_no_more_than_it_may_for_a_member_that_is_away() {
    // Two files, of which one is being written.
    let mut cluster = Cluster::retaining(1, 3, 128 << 10).await;
    let (leader, _) = cluster.leader().await;
    let away = leader % 3 + 1;
    cluster.cut_power(away, 1).await;
    let mut live = Vec::new();
    for round in 0..10 {
        cluster.brokers[&leader].write(round * 1000..(round + 1) * 1000).await;
        cluster.applied_everywhere((round + 1) * 1000).await;
        checkpoint_all(&cluster).await;
        live.push(cluster.brokers[&leader].journal.live_bytes());
    }
    assert!(live.iter().all(|bytes| *bytes <= 192 << 10), "{live:?}");
    assert!(live[9] > 64 << 10, "{live:?}");
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_follower_behind_the_journal_takes_the_state_and_goes_on_from_there() {
    for seed in 0..8 {
        let (mut cluster, leader, away, disk) = one_behind(seed).await;
        cluster.start_broker(away, &disk).await;
        cluster.brokers[&leader].write(200..300).await;
        assert_all_have(&cluster, 300).await;
        assert_eq!(installed(&cluster, away), 1, "seed {seed}");
        // It has a place in the group as before, and keeps what it took.
        let disk = cluster.cut_power(away, seed).await;
        cluster.start_broker(away, &disk).await;
        assert_all_have(&cluster, 300).await;
        let gone = cluster.leader().await.0;
        cluster.cut_power(gone, seed).await;
        let new = cluster.leader_other_than(gone).await;
        cluster.brokers[&new].write(300..310).await;
        assert_all_have(&cluster, 310).await;
        cluster.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_member_takes_the_state_where_the_beginning_is_purged() {
    let mut cluster = Cluster::retaining(1, 1, 0).await;
    cluster.leader().await;
    cluster.brokers[&1].write(0..200).await;
    cluster.brokers[&1].group.checkpoint().await.unwrap();
    for broker in [2, 3] {
        cluster.start_broker(broker, &SimDisk::new(broker as u64)).await;
    }
    cluster.set_members(&cluster.voters(&[1, 2, 3]), &Default::default()).await;
    assert_all_have(&cluster, 200).await;
    assert_eq!((installed(&cluster, 2), installed(&cluster, 3)), (1, 1));
    cluster.cut_power(1, 1).await;
    let new = cluster.leader_other_than(1).await;
    cluster.brokers[&new].write(200..210).await;
    assert_all_have(&cluster, 210).await;
    cluster.stop().await;
}

/// Whatever it writes last: a part of what it fetches, the manifest, the purge, its vote.
#[tokio::test(start_paused = true)]
async fn a_follower_whose_power_is_cut_while_it_takes_the_state_takes_it_again() {
    for operation in 1..30 {
        let (mut cluster, leader, away, disk) = one_behind(operation).await;
        let me = cluster.voter(away);
        disk.crash_at(operation);
        if cluster.try_start_voter(me, &disk).await.is_ok() {
            cluster.brokers[&leader].write(200..210).await;
            for _ in 0..100 {
                if disk.crashed() {
                    break;
                }
                sleep(Duration::from_millis(10)).await;
            }
            cluster.cut_power(away, operation).await;
        }
        let disk = disk.restart(operation);
        cluster.start_broker(away, &disk).await;
        let (leader, _) = cluster.leader().await;
        let have = cluster.brokers[&leader].entries().len();
        cluster.brokers[&leader].write(have..220).await;
        assert_all_have(&cluster, 220).await;
        cluster.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_dies_while_its_state_is_taken_is_followed_by_the_next() {
    for delay in (0..60).step_by(4) {
        let (mut cluster, leader, away, disk) = one_behind(delay).await;
        cluster.start_broker(away, &disk).await;
        sleep(Duration::from_millis(300 + delay)).await;
        let old = cluster.cut_power(leader, delay).await;
        // Of the two, one has all; the other may have taken it.
        let new = cluster.leader_other_than(leader).await;
        cluster.brokers[&new].write(200..210).await;
        assert_all_have(&cluster, 210).await;
        cluster.start_broker(leader, &old).await;
        assert_all_have(&cluster, 210).await;
        cluster.stop().await;
    }
}

/// What follows on the state that is taken stays, however often the leader takes checkpoints.
#[tokio::test(start_paused = true)]
async fn a_follower_that_takes_the_state_is_not_outrun_by_checkpoints() {
    let (mut cluster, leader, away, disk) = one_behind(1).await;
    cluster.max_retained_bytes = PLENTY;
    let restarted = cluster.cut_power(leader, 1).await;
    cluster.start_broker(leader, &restarted).await;
    let (leader, _) = cluster.leader().await;
    cluster.start_broker(away, &disk).await;
    let mut written = 200;
    for _ in 0..50 {
        cluster.brokers[&leader].write(written..written + 10).await;
        written += 10;
        sleep(Duration::from_millis(20)).await;
        cluster.brokers[&leader].group.checkpoint().await.unwrap();
    }
    assert_all_have(&cluster, written).await;
    assert!(installed(&cluster, away) <= 2, "{}", installed(&cluster, away));
    cluster.stop().await;
}
