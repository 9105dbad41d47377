//! A cluster of controllers with simulated disks, a simulated network, and a clock that stands still
//! while anything can be done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use controller::{
    Bootstrap, Config, Controller, Environment, Forward, ForwardError, Forwarding, Layout, Registration, TopicSpec,
    initial_levels,
};
use disk::SimDisk;
use journal::{Journal, Options};
use model::{BrokerId, GroupId, Inline, Random, TopicName};
use raft::transport::{Call, Request, Transport, Unreachable};
use raft::{Status, Voter};
use uuid::Uuid;

/// How long a message travels.
const LATENCY: Duration = Duration::from_millis(1);

/// The clients' patience in these tests.
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn directory(broker: i32) -> Uuid {
    Uuid::from_bytes([broker as u8; 16])
}

pub(crate) fn voter(broker: i32) -> Voter {
    Voter::new(BrokerId(broker), directory(broker))
}

pub(crate) fn registration(broker: i32) -> Registration {
    Registration::new(BrokerId(broker), directory(broker))
}

pub(crate) fn spec(name: &str) -> TopicSpec {
    let layout = Layout::Spread { partitions: 1, replication_factor: 1 };
    TopicSpec { name: TopicName::parse(name).unwrap(), layout, configs: [].into() }
}

/// The network: who is up, who is cut off, and whose answers are lost.
#[derive(Default)]
pub(crate) struct Switchboard {
    up: Mutex<BTreeMap<BrokerId, Controller>>,
    cut_off: Mutex<BTreeSet<BrokerId>>,
    /// As many answers to forwarded commands get lost.
    pub(crate) answers_to_lose: AtomicU64,
    /// Commands that were forwarded and arrived.
    pub(crate) forwarded: AtomicU64,
}

impl Switchboard {
    pub(crate) fn cut(&self, broker: i32) {
        self.cut_off.lock().unwrap().insert(BrokerId(broker));
    }

    pub(crate) fn mend(&self) {
        self.cut_off.lock().unwrap().clear();
    }

    fn reach(&self, from: BrokerId, to: BrokerId) -> Option<Controller> {
        let cut_off = self.cut_off.lock().unwrap();
        let is_cut = cut_off.contains(&from) || cut_off.contains(&to);
        self.up.lock().unwrap().get(&to).filter(|_| !is_cut).cloned()
    }

    fn loses_an_answer(&self) -> bool {
        let less = |left: u64| left.checked_sub(1);
        self.answers_to_lose.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

/// One broker's way to the others.
#[derive(Clone)]
struct Line(Arc<Switchboard>, BrokerId);

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

impl Transport for Line {
    fn call(&self, _: GroupId, to: Voter, request: Request) -> Call {
        let Line(board, from) = self.clone();
        Box::pin(async move {
            let unreachable = |reason: &str| Unreachable { to, reason: reason.to_owned() };
            tokio::time::sleep(LATENCY).await;
            let there = board.reach(from, to.broker()).ok_or_else(|| unreachable("cut off"))?;
            there.group().receive(to, request).await.map_err(|error| unreachable(&error.to_string()))
        })
    }
}

impl Forward for Line {
    fn forward(&self, to: BrokerId, entry: Bytes) -> Forwarding {
        let Line(board, from) = self.clone();
        Box::pin(async move {
            tokio::time::sleep(LATENCY).await;
            let there = board.reach(from, to).ok_or_else(|| ForwardError::NotSent("cut off".to_owned()))?;
            board.forwarded.fetch_add(1, Ordering::Relaxed);
            let answer = there.receive(entry).await;
            tokio::time::sleep(LATENCY).await;
            match board.reach(to, from).is_none() || board.loses_an_answer() {
                true => Err(ForwardError::Unanswered("cut off".to_owned())),
                false => Ok(answer),
            }
        })
    }

    /// What heartbeats would tell.
    fn leader(&self) -> Option<BrokerId> {
        let up = self.0.up.lock().unwrap();
        up.values().find_map(|controller| controller.leader())
    }
}

/// Distinct bytes, other ones at each broker.
struct Counting(u64, AtomicU64);

impl Random for Counting {
    fn bytes(&self) -> [u8; 16] {
        let next = self.1.fetch_add(1, Ordering::Relaxed) + 1;
        (u128::from(self.0) << 64 | u128::from(next)).to_be_bytes()
    }
}

struct Node {
    controller: Controller,
    journal: Journal,
    disk: SimDisk,
}

pub(crate) struct Cluster {
    pub(crate) board: Arc<Switchboard>,
    nodes: BTreeMap<i32, Node>,
    starts: u64,
}

impl Cluster {
    /// Three brokers, all of them registered.
    pub(crate) async fn start() -> Cluster {
        let mut cluster = Cluster { board: Arc::default(), nodes: BTreeMap::new(), starts: 0 };
        for broker in 1..=3 {
            cluster.start_broker(broker, &SimDisk::new(broker as u64)).await;
        }
        let broker = registration(1);
        let (cluster_id, features, founders) = ("kraken".into(), initial_levels(), [2, 3].map(registration).into());
        let first = Bootstrap { cluster_id, broker, shards: 2, features, founders };
        cluster.at(1).bootstrap(first).await.unwrap();
        for broker in [2, 3] {
            cluster.at(broker).register(registration(broker)).await.unwrap();
        }
        cluster
    }

    /// Starts a broker from what is on its disk.
    pub(crate) async fn start_broker(&mut self, broker: i32, disk: &SimDisk) {
        // One of them founds the group, for all.
        let founders = if broker == 1 { [1, 2, 3].map(voter).into() } else { BTreeSet::new() };
        self.start_with(voter(broker), founders, disk).await;
    }

    /// Starts a broker with an empty disk under the id of one that was there.
    pub(crate) async fn start_wiped(&mut self, broker: i32, directory: Uuid) {
        self.start_with(Voter::new(BrokerId(broker), directory), BTreeSet::new(), &SimDisk::new(99)).await;
    }

    async fn start_with(&mut self, me: Voter, founders: BTreeSet<Voter>, disk: &SimDisk) {
        self.starts += 1;
        let (id, executor, shared) = (me.broker(), Arc::new(Inline), Arc::new(disk.clone()));
        let (path, identity) = (Path::new("journal"), *me.directory.as_bytes());
        let options = Options::default();
        let (journal, _) = Journal::open(shared.clone(), path, identity, options, executor.clone()).unwrap();
        let random = Arc::new(Counting(self.starts, AtomicU64::new(0)));
        let environment = Environment { disk: shared, journal: journal.clone(), executor, random };
        let line = Arc::new(Line(self.board.clone(), id));
        let mut config = Config::single(id, me.directory, 2);
        config.raft.bootstrap = founders;
        config.raft.transport = line.clone();
        config.forward = line;
        config.submit_timeout = SUBMIT_TIMEOUT;
        let controller = Controller::start(config, Path::new("groups/0"), environment).await.unwrap();
        self.board.up.lock().unwrap().insert(id, controller.clone());
        self.nodes.insert(id.0, Node { controller, journal, disk: disk.clone() });
    }

    /// Power goes off at one broker; what it had synced is left.
    pub(crate) async fn cut_power(&mut self, broker: i32, seed: u64) -> SimDisk {
        self.board.up.lock().unwrap().remove(&BrokerId(broker));
        let node = self.nodes.remove(&broker).unwrap();
        let disk = node.disk.restart(seed);
        node.stop().await;
        disk
    }

    pub(crate) fn at(&self, broker: i32) -> Controller {
        self.nodes[&broker].controller.clone()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Controller> {
        self.nodes.values().map(|node| &node.controller)
    }

    /// Waits for a leader that is ready, among those who are up and not cut off.
    pub(crate) async fn leader(&self) -> i32 {
        loop {
            let cut_off = self.board.cut_off.lock().unwrap().clone();
            let up = self.nodes.iter().filter(|(broker, _)| !cut_off.contains(&BrokerId(**broker)));
            let leads = |(broker, node): &(&i32, &Node)| {
                let Status { leader, ready, .. } = *node.controller.status().borrow();
                ready && leader == Some(BrokerId(**broker))
            };
            if let Some((broker, _)) = up.clone().find(leads) {
                return *broker;
            }
            tokio::time::sleep(LATENCY).await;
        }
    }

    /// A broker that is up and does not lead.
    pub(crate) async fn follower(&self) -> i32 {
        let leader = self.leader().await;
        *self.nodes.keys().find(|broker| **broker != leader).unwrap()
    }

    /// Waits until all that are up have the newest image of any.
    pub(crate) async fn image_is_everywhere(&self) {
        let newest = self.all().map(|it| it.image().version()).max().unwrap_or(0);
        for controller in self.all() {
            controller.watch().wait_for(|image| image.version() >= newest).await.unwrap();
        }
    }

    /// Each member must be told to end: they hold one another's handles.
    pub(crate) async fn stop(self) {
        self.board.up.lock().unwrap().clear();
        for node in self.nodes.into_values() {
            node.stop().await;
        }
    }
}

impl Node {
    async fn stop(self) {
        self.controller.shutdown().await;
        self.journal.shutdown().await;
    }
}
