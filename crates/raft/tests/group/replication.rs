//! What three members apply, and what survives the loss of one.

use std::time::Duration;

use raft::ProposeError;
use tokio::time::sleep;

use crate::cluster::Cluster;
use crate::support::{Broker, GROUP, entries, entry};

#[tokio::test(start_paused = true)]
async fn three_members_elect_a_leader_and_apply_the_same_entries() {
    let cluster = Cluster::start().await;
    let (leader, _) = cluster.leader().await;
    cluster.brokers[&leader].write(0..200).await;
    cluster.applied_everywhere(200).await;
    let ids = |broker: &Broker| broker.history.lock().unwrap().ids.clone();
    for broker in cluster.brokers.values() {
        assert_eq!(broker.entries(), entries(0..200));
        assert_eq!(ids(broker), ids(&cluster.brokers[&leader]));
    }
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_follower_refuses_proposals_and_names_the_leader() {
    let cluster = Cluster::start().await;
    let (leader, status) = cluster.leader().await;
    let follower = &cluster.brokers[&(leader % 3 + 1)];
    follower.group.status().wait_for(|status| status.ready).await.unwrap();
    let refused = match follower.group.propose(entry(0)).await {
        Ok(proposal) => proposal.await.map(drop),
        Err(error) => Err(error),
    };
    assert_eq!(refused, Err(ProposeError::NotLeader { group: GROUP, leader: status.leader }));
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_follower_knows_how_long_it_has_kept_up() {
    const HEARTBEATS: Duration = Duration::from_millis(250);
    let cluster = Cluster::start().await;
    let (leader, _) = cluster.leader().await;
    let cut_off = leader % 3 + 1;
    let ago = || cluster.group(cut_off).kept_up_ago();
    cluster.brokers[&leader].write(0..50).await;
    cluster.applied_everywhere(50).await;
    sleep(HEARTBEATS).await;
    assert!(ago().unwrap() < HEARTBEATS, "{:?}", ago());
    cluster.board.cut_off(cut_off);
    cluster.brokers[&leader].write(50..100).await;
    sleep(Duration::from_secs(3)).await;
    assert!(ago().unwrap() > Duration::from_secs(2), "{:?}", ago());
    cluster.board.heal();
    cluster.applied_everywhere(100).await;
    sleep(Duration::from_secs(1)).await;
    assert!(ago().unwrap() < HEARTBEATS, "{:?}", ago());
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_acknowledged_survives_the_loss_of_leaders_power() {
    let mut cluster = Cluster::start().await;
    let mut written = 0;
    for seed in 0..5 {
        let (leader, before) = cluster.leader().await;
        cluster.brokers[&leader].write(written..written + 20).await;
        written += 20;
        let disk = cluster.cut_power(leader, seed).await;
        let (_, after) = cluster.leader().await;
        assert!(after.term > before.term);
        cluster.start_broker(leader, &disk).await;
        cluster.applied_everywhere(written).await;
    }
    for broker in cluster.brokers.values() {
        assert_eq!(broker.entries(), entries(0..written));
    }
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_cut_off_acknowledges_nothing_more() {
    let cluster = Cluster::start().await;
    let (old, _) = cluster.leader().await;
    cluster.board.cut_off(old);
    let lost = cluster.brokers[&old].propose(0..5).await;
    let new = cluster.leader_other_than(old).await;
    cluster.brokers[&new].write(100..110).await;
    cluster.board.heal();
    for proposal in lost {
        assert!(proposal.await.is_err());
    }
    cluster.applied_everywhere(10).await;
    for broker in cluster.brokers.values() {
        assert_eq!(broker.entries(), entries(100..110));
    }
    cluster.stop().await;
}
