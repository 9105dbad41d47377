//! How entries get to followers: several appends at once, and none in vain.

use std::time::Duration;

use bytes::Bytes;
use raft::transport::{Append, Ballot, Request};
use raft::{EntryId, Voter};
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::support::Broker;

const MIB: usize = 1 << 20;

/// Proposes so many entries of a size, and waits for the answers.
async fn write(broker: &Broker, count: usize, bytes: usize) {
    let mut proposals = Vec::new();
    for number in 0..count {
        proposals.push(broker.group.propose(Bytes::from(vec![number as u8; bytes])).await.unwrap());
    }
    for proposal in proposals {
        proposal.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn several_appends_are_on_their_way_at_once() {
    let cluster = Cluster::start().await;
    let (leader, _) = cluster.leader().await;
    cluster.board.delay(Duration::from_millis(20));
    cluster.board.load();
    let start = Instant::now();
    for _ in 0..100 {
        drop(cluster.brokers[&leader].group.propose(Bytes::from(vec![1; 100])).await.unwrap());
        sleep(Duration::from_millis(2)).await;
    }
    cluster.applied_everywhere(100).await;
    // To two followers. One at a time, they would have waited for one another's round trips.
    assert!(cluster.board.load().most_appends >= 4);
    assert!(start.elapsed() < Duration::from_millis(400), "{:?}", start.elapsed());
    cluster.stop().await;
}

/// The leader has the rest in its files only, since its cache is small.
#[tokio::test(start_paused = true)]
async fn a_follower_that_was_away_is_fed_from_the_files_piece_by_piece() {
    let cluster = Cluster::start().await;
    let (leader, _) = cluster.leader().await;
    let away = leader % 3 + 1;
    cluster.board.cut_off(away);
    write(&cluster.brokers[&leader], 20 * 16, 64 << 10).await;
    write(&cluster.brokers[&leader], 1, 3 * MIB).await;
    write(&cluster.brokers[&leader], 16, 64 << 10).await;
    cluster.board.load();
    cluster.board.delay(Duration::from_millis(10));
    cluster.board.heal();
    cluster.applied_everywhere(337).await;
    assert_eq!(cluster.brokers[&away].entries(), cluster.brokers[&leader].entries());
    let load = cluster.board.load();
    assert!(load.largest <= MIB, "an append of {} bytes", load.largest);
    assert!(load.most_bytes <= 6 * MIB, "{} bytes at once", load.most_bytes);
    assert!(load.most_bytes > MIB, "one append at a time");
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_refuses_connections_is_not_called_without_pause() {
    let mut cluster = Cluster::start().await;
    let (leader, _) = cluster.leader().await;
    let away = leader % 3 + 1;
    cluster.cut_power(away, 1).await;
    write(&cluster.brokers[&leader], 10, 100).await;
    cluster.board.sent_to(away);
    for _ in 0..100 {
        sleep(Duration::from_millis(100)).await;
        write(&cluster.brokers[&leader], 10, 100).await;
    }
    // Ten signs of life a second, and three attempts.
    let calls = cluster.board.sent_to(away);
    assert!((100..200).contains(&calls), "{calls} calls in 10 s");
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_entry_at_a_time_costs_one_append_to_each_follower() {
    let cluster = Cluster::start().await;
    let (leader, _) = cluster.leader().await;
    cluster.board.sent("");
    for _ in 0..100 {
        write(&cluster.brokers[&leader], 1, 100).await;
    }
    let sent = cluster.board.sent("heartbeat");
    assert!(sent < 50, "{sent} appends carried nothing but a commit");
    cluster.stop().await;
}

/// As after a power cut of a majority that did not sync what it confirmed.
#[tokio::test(start_paused = true)]
async fn a_follower_stops_when_a_later_leader_has_other_entries_than_the_committed_ones() {
    let cluster = Cluster::start().await;
    let (leader, status) = cluster.leader().await;
    write(&cluster.brokers[&leader], 10, 100).await;
    cluster.applied_everywhere(10).await;
    let voters: Vec<Voter> = cluster.voters(&[leader % 3 + 1, (leader + 1) % 3 + 1]).into_iter().collect();
    let [me, other] = voters[..] else { panic!("two followers") };
    let follower = &cluster.brokers[&me.broker].group;
    let append = |term: u64| {
        let previous = Some(EntryId { term, node: other.broker, index: 5 });
        let ballot = Ballot { term, voter: other, elected: true };
        Request::Append(Append { ballot, incarnation: 0, needed_from: 0, previous, entries: vec![], committed: None })
    };
    // What an old leader has, nobody need have committed.
    follower.receive(me, append(0)).await.unwrap();
    assert!(!follower.is_contradicted());
    follower.receive(me, append(status.term + 1)).await.unwrap_err();
    assert!(follower.is_contradicted());
    follower.status().wait_for(|status| status.stopped).await.unwrap();
    cluster.stop().await;
}
