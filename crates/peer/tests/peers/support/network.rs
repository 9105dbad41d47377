//! A network in memory: connections with delay and limited speed, that can be cut, held up and tampered with.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use peer::{Address, BoxFuture, Dialer, Peers, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::Lots;

/// Bytes that may be on the way in one direction.
const ON_THE_WAY: usize = 64 << 10;

/// Changes what goes by: which direction (true: from the one who dials), how many bytes went before.
pub(crate) type Tamper = Arc<dyn Fn(bool, usize, &mut [u8]) + Send + Sync>;

#[derive(Default)]
pub(crate) struct Network(Mutex<State>);

#[derive(Default)]
struct State {
    doors: BTreeMap<Address, Peers>,
    wires: Vec<Wire>,
    /// Who can't reach whom: attempts to connect get no answer.
    holes: BTreeSet<(Address, Address)>,
    dials: usize,
    slowest: Duration,
    bytes_per_ms: Option<usize>,
    tamper: Option<Tamper>,
}

struct Wire {
    from: Address,
    to: Address,
    carry: AbortHandle,
    held: watch::Sender<bool>,
}

impl Network {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// One where each piece takes up to so long.
    pub(crate) fn slow(slowest: Duration) -> Arc<Self> {
        let state = State { slowest, ..State::default() };
        Arc::new(Network(Mutex::new(state)))
    }

    /// One that carries so many bytes a millisecond, each way of each connection.
    pub(crate) fn narrow(bytes_per_ms: usize) -> Arc<Self> {
        let state = State { bytes_per_ms: Some(bytes_per_ms), ..State::default() };
        Arc::new(Network(Mutex::new(state)))
    }

    pub(crate) fn tamper(&self, tamper: Tamper) {
        self.0.lock().unwrap().tamper = Some(tamper);
    }

    pub(crate) fn open(&self, at: &Address, peers: Peers) {
        self.0.lock().unwrap().doors.insert(at.clone(), peers);
    }

    pub(crate) fn close(&self, at: &Address) {
        self.0.lock().unwrap().doors.remove(at);
    }

    /// Attempts to connect, so far.
    pub(crate) fn dials(&self) -> usize {
        self.0.lock().unwrap().dials
    }

    /// Live connections, as who dialled whom.
    pub(crate) fn wires(&self) -> Vec<(String, String)> {
        let state = self.0.lock().unwrap();
        let live = state.wires.iter().filter(|wire| !wire.carry.is_finished());
        live.map(|wire| (wire.from.host.clone(), wire.to.host.clone())).collect()
    }

    /// Breaks all connections.
    pub(crate) fn cut(&self) {
        self.0.lock().unwrap().wires.drain(..).for_each(|wire| wire.carry.abort());
    }

    /// Lets nothing through on the connections that are there, without breaking them.
    pub(crate) fn hold(&self) {
        for wire in &self.0.lock().unwrap().wires {
            wire.held.send_replace(true);
        }
    }

    /// Lets nothing through between two, nor makes a connection.
    pub(crate) fn part(&self, one: &Address, other: &Address) {
        self.hold();
        let holes = &mut self.0.lock().unwrap().holes;
        holes.extend([(one.clone(), other.clone()), (other.clone(), one.clone())]);
    }

    /// Lets everything through again, what was held up too.
    pub(crate) fn heal(&self) {
        let mut state = self.0.lock().unwrap();
        state.holes.clear();
        for wire in &state.wires {
            wire.held.send_replace(false);
        }
    }

    fn connect(&self, from: &Address, to: &Address) -> io::Result<Option<Box<dyn Stream>>> {
        let mut state = self.0.lock().unwrap();
        state.dials += 1;
        if state.holes.contains(&(from.clone(), to.clone())) {
            return Ok(None);
        }
        let door = state.doors.get(to).cloned().ok_or(ErrorKind::ConnectionRefused)?;
        let ((near, near_side), (far_side, far)) = (duplex(ON_THE_WAY), duplex(ON_THE_WAY));
        let ((from_near, to_near), (from_far, to_far)) = (split(near_side), split(far_side));
        let (held, is_held) = watch::channel(false);
        let way = |outward: bool| Way {
            outward,
            carried: 0,
            lots: Lots(Mutex::new(state.dials as u64 * 2 + u64::from(outward))),
            slowest: state.slowest,
            bytes_per_ms: state.bytes_per_ms,
            tamper: state.tamper.clone(),
            is_held: is_held.clone(),
        };
        let (there, back) = (way(true), way(false));
        let carry = tokio::spawn(async move {
            tokio::select! {
                biased;
                () = there.carry(from_near, to_far) => {}
                () = back.carry(from_far, to_near) => {}
            }
        });
        state.wires.push(Wire { from: from.clone(), to: to.clone(), carry: carry.abort_handle(), held });
        drop(state);
        door.attach(Box::new(far), SocketAddr::from(([10, 0, 0, 1], 1024)));
        Ok(Some(Box::new(near)))
    }
}

/// What a broker dials with.
pub(crate) struct Line {
    pub(crate) network: Arc<Network>,
    pub(crate) from: Address,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line from {}", self.from)
    }
}

impl Dialer for Line {
    fn dial(&self, to: &Address) -> BoxFuture<io::Result<Box<dyn Stream>>> {
        let (network, from, to) = (self.network.clone(), self.from.clone(), to.clone());
        Box::pin(async move {
            match network.connect(&from, &to)? {
                Some(stream) => Ok(stream),
                None => std::future::pending().await,
            }
        })
    }
}

/// One direction.
struct Way {
    outward: bool,
    carried: usize,
    lots: Lots,
    slowest: Duration,
    bytes_per_ms: Option<usize>,
    tamper: Option<Tamper>,
    is_held: watch::Receiver<bool>,
}

impl Way {
    async fn carry(mut self, mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>) {
        let mut buffer = vec![0; 16 << 10];
        loop {
            let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
            self.is_held.wait_for(|held| !held).await.unwrap();
            if !self.slowest.is_zero() {
                let share = (self.lots.next() % 1000) as u32;
                sleep(self.slowest * share / 1000).await;
            }
            if let Some(bytes_per_ms) = self.bytes_per_ms {
                sleep(Duration::from_micros((read * 1000 / bytes_per_ms) as u64)).await;
            }
            if let Some(tamper) = &self.tamper {
                tamper(self.outward, self.carried, &mut buffer[..read]);
            }
            self.carried += read;
            if to.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
    }
}
