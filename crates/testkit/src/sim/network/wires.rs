//! The network between the brokers' machines: what gets through, and who listens where.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use disk::SimDisk;
use peer::Stream;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use crate::sim::env::lock;
use crate::sim::rng::Rng;
use crate::sim::trace::Trace;

/// What a process does with connections that come in.
pub(crate) type Door = mpsc::Sender<(Box<dyn Stream>, SocketAddr)>;

/// How it stands with a process, as the network sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It runs, frozen perhaps.
    Alive,
    /// It is dead; its machine says so to whoever asks.
    Dead,
    /// Its machine is off: nobody answers.
    Silent,
}

/// A process on the network.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) id: i32,
    /// Nothing leaves the machine once this is off.
    pub(crate) power: SimDisk,
    pub(crate) end: watch::Receiver<End>,
}

/// See the module.
pub(crate) struct Wires {
    pub(super) trace: Arc<Trace>,
    rng: Mutex<Rng>,
    state: Mutex<State>,
    /// Tells those who wait that something may get through again.
    changed: watch::Sender<()>,
    connections: Mutex<u64>,
    /// If not, what is cut stays cut.
    mends: bool,
}

#[derive(Default)]
struct State {
    /// From one machine to another nothing gets through.
    cut: BTreeSet<(i32, i32)>,
    /// What bytes take on their way from one machine to another, besides the usual.
    slow: BTreeMap<(i32, i32), Duration>,
    /// Who listens on each machine, if anybody does.
    doors: BTreeMap<i32, (Host, Option<Door>)>,
    /// Connections, each with whose they are.
    laid: Vec<(i32, i32, AbortHandle)>,
}

/// What becomes of an attempt to connect.
pub(super) enum Attempt {
    Through(Host, Door),
    Refused,
    /// No answer, as things stand.
    Silence,
}

impl Wires {
    pub(crate) fn new(trace: Arc<Trace>, rng: Rng, mends: bool) -> Arc<Wires> {
        let (rng, state) = (Mutex::new(rng), Mutex::default());
        Arc::new(Wires { trace, rng, state, changed: watch::Sender::default(), connections: Mutex::default(), mends })
    }

    pub(super) fn rng(&self) -> Rng {
        lock(&self.rng).fork()
    }

    pub(super) fn next_number(&self) -> u64 {
        let mut connections = lock(&self.connections);
        *connections += 1;
        // Unlike those of clients, whose numbers have their broker's above this.
        *connections
    }

    /// A process runs on a machine, and listens: what tells the network how it ends, and itself.
    pub(crate) fn listen(&self, id: i32, power: SimDisk, door: Door) -> (watch::Sender<End>, Host) {
        let (sender, end) = watch::channel(End::Alive);
        let host = Host { id, power, end };
        lock(&self.state).doors.insert(id, (host.clone(), Some(door)));
        self.changed.send_replace(());
        (sender, host)
    }

    /// Nobody listens on a machine any more.
    pub(crate) fn close(&self, id: i32) {
        if let Some((_, door)) = lock(&self.state).doors.get_mut(&id) {
            *door = None;
        }
    }

    pub(super) fn attempt(&self, from: i32, to: i32) -> Attempt {
        let state = lock(&self.state);
        let is_cut = state.cut.contains(&(from, to)) || state.cut.contains(&(to, from));
        match state.doors.get(&to) {
            None => Attempt::Refused,
            Some((host, _)) if is_cut || host.power.crashed() && *host.end.borrow() != End::Dead => Attempt::Silence,
            Some((host, _)) if *host.end.borrow() == End::Silent => Attempt::Silence,
            Some((host, Some(door))) if *host.end.borrow() == End::Alive => {
                Attempt::Through(host.clone(), door.clone())
            }
            Some(_) => Attempt::Refused,
        }
    }

    pub(super) fn is_cut(&self, from: i32, to: i32) -> bool {
        lock(&self.state).cut.contains(&(from, to))
    }

    pub(super) fn slowness(&self, from: i32, to: i32) -> Duration {
        lock(&self.state).slow.get(&(from, to)).copied().unwrap_or_default()
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Lets nothing through from one machine to another.
    pub(crate) fn cut(&self, ways: impl IntoIterator<Item = (i32, i32)>) {
        lock(&self.state).cut.extend(ways);
    }

    /// Lets everything take so much longer from one machine to another.
    pub(crate) fn slow_down(&self, ways: impl IntoIterator<Item = (i32, i32)>, by: Duration) {
        lock(&self.state).slow.extend(ways.into_iter().map(|way| (way, by)));
    }

    pub(super) fn laid(&self, one: i32, other: i32, wire: AbortHandle) {
        let mut state = lock(&self.state);
        state.laid.retain(|(_, _, wire)| !wire.is_finished());
        state.laid.push((one, other, wire));
    }

    /// Breaks each connection of a machine with a chance of one in `n`: both ends are told, and what was on its
    /// way is lost.
    pub(crate) fn break_connections(&self, of: i32, rng: &mut Rng, one_in: u64) {
        let state = lock(&self.state);
        let mine = state.laid.iter().filter(|(one, other, _)| *one == of || *other == of);
        mine.filter(|_| rng.one_in(one_in)).for_each(|(_, _, wire)| wire.abort());
    }

    /// Lets everything through again, at its usual pace.
    pub(crate) fn mend(&self, ways: impl IntoIterator<Item = (i32, i32)>) {
        let mut state = lock(&self.state);
        for way in ways.into_iter().filter(|_| self.mends) {
            state.cut.remove(&way);
            state.slow.remove(&way);
        }
        drop(state);
        self.changed.send_replace(());
    }
}
