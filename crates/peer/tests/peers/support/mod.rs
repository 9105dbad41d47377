//! Brokers for tests.

pub(crate) mod network;
pub(crate) mod service;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use model::{BrokerId, Random};
use peer::{Address, Identity, Options, PeerState, Peers, Secret};
use tokio::time::timeout;
use uuid::Uuid;

use network::{Line, Network};
use service::TestService;

pub(crate) const SECRET: &str = "a secret of the cluster";

/// A broker: what others connect to, and what it has been asked.
pub(crate) struct Node {
    pub(crate) id: BrokerId,
    pub(crate) peers: Peers,
    pub(crate) service: Arc<TestService>,
    pub(crate) address: Address,
}

/// How a broker is made.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) id: i32,
    pub(crate) directory: u128,
    pub(crate) secret: String,
    pub(crate) cluster: Option<String>,
    pub(crate) host: String,
    pub(crate) options: Options,
    pub(crate) seed: u64,
}

impl Plan {
    pub(crate) fn of(id: i32) -> Self {
        Plan {
            id,
            directory: id as u128,
            secret: SECRET.to_owned(),
            cluster: Some("cluster".to_owned()),
            host: format!("host-{id}"),
            options: Options::default(),
            seed: id as u64,
        }
    }

    /// Starts it: others can connect from now on.
    pub(crate) fn start(self, network: &Arc<Network>) -> Node {
        let address = Address { host: self.host.clone(), port: 9190 };
        let random = Arc::new(Lots(Mutex::new(self.seed)));
        let directory = Uuid::from_u128(self.directory);
        let me = Identity::new(BrokerId(self.id), directory, address.clone(), self.cluster.clone(), &*random);
        let service = Arc::new(TestService::default());
        let dialer = Arc::new(Line { network: network.clone(), from: address.clone() });
        let secret: Secret = self.secret.parse().unwrap();
        let peers = Peers::new(me, secret, self.options, dialer, service.clone(), random);
        network.open(&address, peers.clone());
        Node { id: BrokerId(self.id), peers, service, address }
    }
}

/// Starts brokers that know one another.
pub(crate) fn start(network: &Arc<Network>, ids: impl IntoIterator<Item = i32>) -> Vec<Node> {
    let nodes: Vec<Node> = ids.into_iter().map(|id| Plan::of(id).start(network)).collect();
    nodes.iter().for_each(|node| node.know(&nodes.iter().collect::<Vec<_>>()));
    nodes
}

/// Two brokers that are connected: 1 and 2.
pub(crate) async fn pair(network: &Arc<Network>) -> (Node, Node) {
    let mut nodes = start(network, [1, 2]);
    let (second, first) = (nodes.pop().unwrap(), nodes.pop().unwrap());
    first.up(&second).await;
    second.up(&first).await;
    tokio::time::sleep(Duration::from_millis(50)).await; // one of two connections has retired
    (first, second)
}

impl Node {
    pub(crate) fn know(&self, others: &[&Node]) {
        self.peers.know(others.iter().map(|node| (node.id, node.address.clone())).collect());
    }

    /// Waits until it is so; for ten seconds of stopped time.
    pub(crate) async fn until(&self, other: BrokerId, what: impl Fn(&PeerState) -> bool) -> PeerState {
        let mut states = self.peers.states();
        let found = timeout(Duration::from_secs(10), states.wait_for(|states| states.get(&other).is_some_and(&what)));
        match found.await {
            Ok(states) => states.unwrap()[&other].clone(),
            Err(_) => panic!("broker {} sees {:?}", self.id, self.peers.states().borrow()),
        }
    }

    pub(crate) async fn up(&self, other: &Node) -> Arc<Identity> {
        self.until(other.id, PeerState::is_up).await.identity().unwrap().clone()
    }

    /// Why it is down, and whether it is gone.
    pub(crate) async fn down(&self, other: &Node) -> (String, bool) {
        match self.until(other.id, |state| !state.is_up()).await {
            PeerState::Down { why, gone, .. } => (why, gone),
            PeerState::Up { .. } => unreachable!(),
        }
    }

    /// Waits for words in the reason why it is down.
    pub(crate) async fn says(&self, other: &Node, words: &str) -> String {
        let says = |state: &PeerState| matches!(state, PeerState::Down { why, .. } if why.contains(words));
        match self.until(other.id, says).await {
            PeerState::Down { why, .. } => why,
            PeerState::Up { .. } => unreachable!(),
        }
    }

    /// A process that dies: its port closes, its connections break.
    pub(crate) fn kill(&self, network: &Network) {
        network.close(&self.address);
        self.peers.abandon();
    }
}

/// Random bytes from a seed (splitmix64).
pub(crate) struct Lots(pub(crate) Mutex<u64>);

impl Lots {
    pub(crate) fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Random for Lots {
    fn bytes(&self) -> [u8; 16] {
        Uuid::from_u64_pair(self.next(), self.next()).into_bytes()
    }
}

/// Bytes that differ from place to place.
pub(crate) fn pattern(length: usize) -> Bytes {
    (0..length).map(|at| (at * 31 + at / 251) as u8).collect()
}
