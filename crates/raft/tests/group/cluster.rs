//! Three members in one process, over a transport that hands messages across.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use disk::SimDisk;
use model::GroupId;
use raft::transport::{Call, Request, Transport, Unreachable};
use raft::{Config, Group, ProposeError, Status, Voter};

use crate::support::{Broker, GROUP, Recorder, entries, entry, voter};

/// Knows every member that is up, and who is cut off.
#[derive(Default)]
struct Switchboard {
    members: Mutex<BTreeMap<Voter, Group<Recorder>>>,
    cut_off: Mutex<BTreeSet<Voter>>,
}

/// One member's way to the others.
struct Line(Arc<Switchboard>, Voter);

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

impl Transport for Line {
    fn call(&self, _: GroupId, to: Voter, request: Request) -> Call {
        let Line(board, from) = self;
        let cut = board.cut_off.lock().unwrap().iter().any(|voter| voter == from || *voter == to);
        let member = board.members.lock().unwrap().get(&to).filter(|_| !cut).cloned();
        Box::pin(async move {
            let unreachable = |reason: &str| Unreachable { to, reason: reason.to_owned() };
            tokio::time::sleep(Duration::from_millis(1)).await;
            let member = member.ok_or_else(|| unreachable("cut off"))?;
            member.receive(request).await.map_err(|error| unreachable(&error.to_string()))
        })
    }
}

struct Cluster {
    board: Arc<Switchboard>,
    brokers: BTreeMap<i32, Broker>,
}

impl Cluster {
    async fn start() -> Cluster {
        let mut cluster = Cluster { board: Arc::default(), brokers: BTreeMap::new() };
        for broker in 1..=3 {
            cluster.start_broker(broker, &SimDisk::new(broker as u64)).await;
        }
        cluster
    }

    async fn start_broker(&mut self, broker: i32, disk: &SimDisk) {
        // One of them bootstraps, for all.
        let all = BTreeSet::from([voter(1), voter(2), voter(3)]);
        let bootstrap = if broker == 1 { all } else { BTreeSet::new() };
        let transport = Arc::new(Line(self.board.clone(), voter(broker)));
        let config = Config { bootstrap, transport, ..Config::single(GROUP, voter(broker)) };
        let started = Broker::start_with(disk, config).await.unwrap();
        self.board.members.lock().unwrap().insert(voter(broker), started.group.clone());
        self.brokers.insert(broker, started);
    }

    /// Power goes off at one broker.
    async fn cut_power(&mut self, broker: i32, seed: u64) -> SimDisk {
        self.board.members.lock().unwrap().remove(&voter(broker));
        let broker = self.brokers.remove(&broker).unwrap();
        let disk = broker.disk.restart(seed);
        broker.stop().await;
        disk
    }

    /// Waits for a leader that is ready, among those who are up and not cut off.
    async fn leader(&self) -> (i32, Status) {
        loop {
            let cut_off = self.board.cut_off.lock().unwrap().clone();
            let up = self.brokers.iter().filter(|(broker, _)| !cut_off.contains(&voter(**broker)));
            let leading = up.map(|(broker, it)| (*broker, *it.group.status().borrow()));
            let mut leading = leading.filter(|(broker, status)| status.ready && status.leader.unwrap().0 == *broker);
            if let Some(leader) = leading.next() {
                return leader;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn applied_everywhere(&self, count: usize) {
        while !self.brokers.values().all(|broker| broker.entries().len() >= count) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Each member must be told to end: they hold one another's handles.
    async fn stop(self) {
        self.board.members.lock().unwrap().clear();
        for broker in self.brokers.into_values() {
            broker.stop().await;
        }
    }
}

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
    cluster.board.cut_off.lock().unwrap().insert(voter(old));
    let lost = cluster.brokers[&old].propose(0..5).await;
    let (new, _) = cluster.leader().await;
    assert_ne!(new, old);
    cluster.brokers[&new].write(100..110).await;
    cluster.board.cut_off.lock().unwrap().clear();
    for proposal in lost {
        assert!(proposal.await.is_err());
    }
    cluster.applied_everywhere(10).await;
    for broker in cluster.brokers.values() {
        assert_eq!(broker.entries(), entries(100..110));
    }
    cluster.stop().await;
}
