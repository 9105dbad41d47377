//! Members come and go.

use std::collections::BTreeSet;
use std::time::Duration;

use disk::SimDisk;
use model::BrokerId;
use raft::{ChangeError, Voter};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::cluster::Cluster;
use crate::support::{GROUP, entries};

const SEEDS: u64 = 8;

fn nobody() -> BTreeSet<Voter> {
    BTreeSet::new()
}

#[tokio::test(start_paused = true)]
async fn a_single_node_becomes_a_cluster() {
    let mut cluster = Cluster::found(1, 1).await;
    cluster.leader().await;
    cluster.brokers[&1].write(0..500).await;
    for broker in [2, 3, 4] {
        cluster.start_broker(broker, &SimDisk::new(broker as u64)).await;
    }
    let (voters, learners) = (cluster.voters(&[1, 2, 3]), cluster.voters(&[4]));
    cluster.group(1).set_members(&voters, &learners).await.unwrap();
    cluster.applied_everywhere(500).await;
    let members = cluster.group(1).members();
    assert_eq!((members.voters, members.learners, members.committed), (vec![voters], learners, true));
    // The first one is not needed any more.
    cluster.cut_power(1, 1).await;
    let new = cluster.leader_other_than(1).await;
    cluster.brokers[&new].write(500..600).await;
    cluster.applied_everywhere(600).await;
    for broker in cluster.brokers.values() {
        assert_eq!(broker.entries(), entries(0..600));
    }
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_members_again_are_nothing_to_do() {
    let cluster = Cluster::start().await;
    let (leader, _) = cluster.leader().await;
    let group = cluster.group(leader);
    let last = || cluster.brokers[&leader].journal.group(GROUP).state().last;
    let before = last();
    group.set_members(&cluster.voters(&[1, 2, 3]), &nobody()).await.unwrap();
    assert_eq!(last(), before);
    assert_eq!(group.set_members(&nobody(), &nobody()).await, Err(ChangeError::NoVoters { group: GROUP }));
    let follower = leader % 3 + 1;
    let refused = cluster.group(follower).set_members(&cluster.voters(&[1, 2, 3]), &nobody()).await;
    assert_eq!(refused, Err(ChangeError::NotLeader { group: GROUP, leader: Some(BrokerId(leader)) }));
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_to_go_hands_over_first() {
    let cluster = Cluster::start().await;
    let (old, _) = cluster.leader().await;
    let rest: Vec<i32> = (1..=3).filter(|broker| *broker != old).collect();
    let voters = cluster.voters(&rest);
    let start = Instant::now();
    let answer = cluster.group(old).set_members(&voters, &nobody()).await;
    let (new, _) = cluster.leader().await;
    assert_eq!(answer, Err(ChangeError::NotLeader { group: GROUP, leader: Some(BrokerId(new)) }));
    cluster.group(new).set_members(&voters, &nobody()).await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert_eq!(cluster.group(new).members().all(), voters);
    // It does not stand for election any more, though it hears of no leader.
    sleep(Duration::from_secs(5)).await;
    assert_eq!(cluster.leader().await.0, new);
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn all_members_can_be_replaced_while_entries_are_written() {
    for seed in 0..SEEDS {
        let mut cluster = Cluster::start_with(seed).await;
        for broker in [4, 5, 6] {
            cluster.start_broker(broker, &SimDisk::new(broker as u64)).await;
        }
        let (leader, _) = cluster.leader().await;
        cluster.brokers[&leader].write(0..100).await;
        let voters = cluster.voters(&[4, 5, 6]);
        let none = nobody();
        let (changed, written) = tokio::join!(cluster.group(leader).set_members(&voters, &none), async {
            cluster.brokers[&leader].write(100..200).await
        });
        // It has no vote any more when this answers, and another leads.
        assert!(matches!(changed, Err(ChangeError::NotLeader { leader: Some(_), .. })), "seed {seed}: {changed:?}");
        assert_eq!(written.len(), 100);
        cluster.set_members(&voters, &nobody()).await;
        let (leader, _) = cluster.leader().await;
        assert!(leader >= 4, "seed {seed}: {leader} leads");
        assert_eq!(cluster.group(leader).members().voters, [voters]);
        for broker in 1..=3 {
            cluster.cut_power(broker, seed).await;
        }
        cluster.brokers[&leader].write(200..300).await;
        cluster.applied_everywhere(300).await;
        for broker in cluster.brokers.values() {
            assert_eq!(broker.entries(), entries(0..300), "seed {seed}");
        }
        cluster.stop().await;
    }
}

/// Its promises are lost with its disk: as the voter it was it could vote for one that lacks what it
/// had acknowledged.
#[tokio::test(start_paused = true)]
async fn a_broker_that_lost_its_disk_is_not_the_voter_it_was() {
    for seed in 0..SEEDS {
        let mut cluster = Cluster::start_with(seed).await;
        let (leader, _) = cluster.leader().await;
        let lost = leader % 3 + 1;
        let other = 6 - leader - lost;
        // What only the leader and the one that is lost have acknowledged.
        cluster.board.part(leader, other);
        cluster.brokers[&leader].write(0..20).await;
        cluster.cut_power(lost, seed).await;
        let wiped = Voter::new(BrokerId(lost), Uuid::from_bytes([77; 16]));
        cluster.start_voter(wiped, &SimDisk::new(99)).await;
        cluster.board.part(leader, lost);
        sleep(Duration::from_secs(3)).await;
        let status = *cluster.group(lost).status().borrow();
        assert_eq!((status.term, status.leader), (0, None), "seed {seed}: it takes part");
        assert!(cluster.leading().iter().all(|(broker, _)| *broker == leader), "seed {seed}: entries are lost");

        cluster.board.heal();
        let voters = BTreeSet::from([cluster.voter(leader), cluster.voter(other), wiped]);
        cluster.set_members(&voters, &nobody()).await;
        cluster.applied_everywhere(20).await;
        for broker in cluster.brokers.values() {
            assert_eq!(broker.entries(), entries(0..20), "seed {seed}");
        }
        cluster.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_voter_that_is_away_is_given_up_and_the_others_go_on() {
    let cluster = Cluster::start().await;
    let (leader, _) = cluster.leader().await;
    let voters = cluster.voters(&[1, 2, 3, 4]);
    let refused = cluster.group(leader).set_members(&voters, &nobody()).await;
    assert_eq!(refused, Err(ChangeError::Behind { group: GROUP, voter: cluster.voter(4) }));
    cluster.brokers[&leader].write(0..10).await;
    cluster.set_members(&cluster.voters(&[1, 2, 3]), &nobody()).await;
    assert_eq!(cluster.group(cluster.leader().await.0).members().all(), cluster.voters(&[1, 2, 3]));
    cluster.stop().await;
}

/// A leader dies in the middle of a change, wherever that is: the next one ends it.
#[tokio::test(start_paused = true)]
async fn a_change_of_members_is_taken_up_by_the_next_leader() {
    for seed in 0..SEEDS * 2 {
        let mut cluster = Cluster::start_with(seed).await;
        cluster.start_broker(4, &SimDisk::new(4)).await;
        let (old, _) = cluster.leader().await;
        cluster.brokers[&old].write(0..100).await;
        // The one that goes is not the leader.
        let gone = old % 3 + 1;
        let rest: Vec<i32> = (1..=4).filter(|broker| *broker != gone).collect();
        let voters = cluster.voters(&rest);
        let group = cluster.group(old).clone();
        let change = tokio::spawn({
            let voters = voters.clone();
            async move { group.set_members(&voters, &nobody()).await }
        });
        sleep(Duration::from_millis(seed)).await;
        let disk = cluster.cut_power(old, seed).await;
        drop(change.await);
        cluster.leader_other_than(old).await;
        cluster.start_broker(old, &disk).await;
        cluster.set_members(&voters, &nobody()).await;
        let (leader, _) = cluster.leader().await;
        assert_eq!(cluster.group(leader).members().voters, [voters], "seed {seed}");
        cluster.cut_power(gone, seed).await;
        cluster.applied_everywhere(100).await;
        cluster.stop().await;
    }
}

/// openraft #1544: it panicked when members came and went fast.
#[tokio::test(start_paused = true)]
async fn members_may_change_as_fast_as_they_can() {
    for seed in 0..SEEDS {
        let mut cluster = Cluster::start_with(seed).await;
        for broker in [4, 5] {
            cluster.start_broker(broker, &SimDisk::new(broker as u64)).await;
        }
        let sets: [&[i32]; 6] = [&[1, 2, 3, 4, 5], &[3, 4, 5], &[1, 2], &[1, 2, 3, 4], &[5], &[1, 2, 3]];
        let mut written = 0;
        for round in 0..12 {
            let voters = cluster.voters(sets[(round + seed as usize) % sets.len()]);
            let learners = cluster.voters(sets[round % sets.len()]).difference(&voters).copied().collect();
            // Some are given up halfway.
            let change = cluster.set_members(&voters, &learners);
            let patience = Duration::from_millis(if round % 3 == 0 { 7 + seed } else { 60_000 });
            drop(tokio::time::timeout(patience, change).await);
            if round % 4 == 3 {
                let (leader, _) = cluster.leader().await;
                cluster.brokers[&leader].write(written..written + 10).await;
                written += 10;
            }
        }
        cluster.set_members(&cluster.voters(&[1, 2, 3, 4, 5]), &nobody()).await;
        cluster.applied_everywhere(written).await;
        for (id, broker) in &cluster.brokers {
            assert!(!broker.group.status().borrow().stopped, "seed {seed}: broker {id} has ended");
            assert_eq!(broker.entries(), entries(0..written), "seed {seed}");
        }
        cluster.stop().await;
    }
}
