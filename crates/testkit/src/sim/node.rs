//! A broker of a run, on a machine of its own: started, stopped, killed, paused, cut off from power, and
//! started again on what its disk kept.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::{Env, Running, StartError};
use config::BrokerConfig;
use disk::SimDisk;
use model::Process;
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::env::{SimClock, SimThreads, lock};
use super::network::{self, End, SimDialer, Wires};
use super::promises::Rule;
use super::tampering::Tampering;
use super::world::World;

/// A start or a stop that takes longer hangs. The promise is a second, on disks that never pause.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Connections from other brokers that wait to be accepted.
const BACKLOG: usize = 64;

/// How a broker goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Down {
    /// It is asked to.
    Stop,
    /// The process dies, the machine goes on.
    Kill,
    /// The machine loses power, with what was not synced.
    PowerCut,
}

/// What came of a start.
#[derive(Debug)]
pub(crate) enum Started {
    Up,
    Failed(StartError),
    /// It goes on: it waits for others, perhaps.
    NotYet,
}

/// See the module.
pub(crate) struct Node {
    world: Arc<World>,
    id: i32,
    config: Arc<BrokerConfig>,
    tampering: Tampering,
    wires: Arc<Wires>,
    clock: Arc<SimClock>,
    state: Mutex<State>,
}

struct State {
    disk: SimDisk,
    /// The process that runs, or ran last.
    process: Process,
    /// What others on the network may know of it.
    end: watch::Sender<End>,
    running: Option<Running>,
    /// How often it was started.
    life: u64,
    links: Vec<AbortHandle>,
    connections: u64,
    /// The disk as it was when the broker went down, for tampering.
    backup: Option<SimDisk>,
}

impl Node {
    /// A broker that is not started yet, on an empty disk.
    pub(crate) fn new(
        world: &Arc<World>,
        id: i32,
        config: BrokerConfig,
        tampering: &Tampering,
        wires: &Arc<Wires>,
    ) -> Arc<Node> {
        let state = State {
            disk: SimDisk::new(world.rng().next()),
            process: Process::default(),
            end: watch::Sender::new(End::Dead),
            running: None,
            life: 0,
            links: Vec::new(),
            connections: 0,
            backup: None,
        };
        Arc::new(Node {
            world: world.clone(),
            id,
            config: Arc::new(config),
            tampering: tampering.clone(),
            wires: wires.clone(),
            clock: Arc::new(world.clock.beside()),
            state: Mutex::new(state),
        })
    }

    pub(crate) fn id(&self) -> i32 {
        self.id
    }

    /// Its machine's clock.
    pub(crate) fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// The disk as it is now; a restart replaces it.
    pub(crate) fn disk(&self) -> SimDisk {
        lock(&self.state).disk.clone()
    }

    /// Puts an empty disk in place of its own, while it is down.
    pub(crate) fn wipe(&self) {
        let mut state = lock(&self.state);
        state.disk = SimDisk::new(self.world.rng().next());
    }

    /// Whether anybody ever started it.
    pub(crate) fn has_lived(&self) -> bool {
        lock(&self.state).life > 0
    }

    /// Whether it has started, and not gone down since.
    pub(crate) fn is_up(&self) -> bool {
        lock(&self.state).running.is_some()
    }

    /// Starts the broker, and waits for so long until it has started. It may fail only if the disk does.
    pub(crate) async fn start(self: &Arc<Self>, patience: Duration) -> Started {
        tracing::info!(broker = self.id, "the broker starts");
        let (door, incoming) = mpsc::channel(BACKLOG);
        let (life, process, env) = self.begin_life(door);
        let (done, outcome) = oneshot::channel();
        let node = self.clone();
        tokio::spawn(async move {
            let start = Running::start_detached(node.config.clone(), env, Some(incoming));
            let started = process.run(start).await;
            if let Err(Err(why)) = done.send(node.started(life, started))
                && !node.disk().crashed()
            {
                let what = format!("broker {} did not start, after a while: {why}", node.id);
                node.world.found(Rule::Unavailable, what);
            }
        });
        match timeout(patience, outcome).await {
            Ok(Ok(Ok(()))) => Started::Up,
            Ok(Ok(Err(why))) => Started::Failed(why),
            Ok(Err(_)) | Err(_) => Started::NotYet,
        }
    }

    fn begin_life(&self, door: network::Door) -> (u64, Process, Env) {
        let process = Process::default();
        let mut state = lock(&self.state);
        state.life += 1;
        state.process = process.clone();
        state.end.send_replace(End::Dead); // the machine is on again, and knows nothing of who was there
        let (end, me) = self.wires.listen(self.id, state.disk.clone(), door);
        state.end = end;
        let env = Env {
            clock: self.clock.clone(),
            random: self.world.random.clone(),
            executor: Arc::new(SimThreads { rng: self.world.threads.clone(), process: process.clone() }),
            disk: self.tampering.disk(self.id, state.disk.clone()),
            dialer: Arc::new(SimDialer { wires: self.wires.clone(), me }),
            boot: "the first".into(), // a broker that does not wait for its disk never loses power
        };
        (state.life, process, env)
    }

    fn started(&self, life: u64, started: Result<Running, StartError>) -> Result<(), StartError> {
        let mut state = lock(&self.state);
        if state.life != life {
            return Ok(()); // it went down meanwhile
        }
        match started {
            Ok(running) => {
                self.world.count("starts");
                state.running = Some(running);
                Ok(())
            }
            Err(why) => {
                tracing::info!(broker = self.id, %why, "the broker did not start");
                state.end.send_replace(End::Dead);
                self.wires.close(self.id);
                Err(why)
            }
        }
    }

    /// Stops the process where it is, as SIGSTOP does: connections stay open, and nobody answers.
    pub(crate) fn pause(&self) {
        lock(&self.state).process.pause();
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        lock(&self.state).process.resume();
    }

    /// Opens a connection, if the broker runs; with how often it was started.
    pub(crate) fn connect(&self) -> Option<(DuplexStream, u64)> {
        let rng = self.world.rng();
        let mut state = lock(&self.state);
        let State { disk, process, running, life, links, connections, .. } = &mut *state;
        let running = running.as_ref().filter(|_| !disk.crashed())?;
        *connections += 1;
        let number = (self.id as u64) << 32 | *connections;
        let link = network::connect(number, rng, disk.clone(), self.world.trace.clone());
        let address = SocketAddr::from(([10, 0, 0, 1], *connections as u16));
        let broker = match &self.tampering.meddler {
            None => link.broker,
            Some(meddler) => network::meddled(link.broker, meddler.clone()),
        };
        process.within(|| running.attach(broker, address));
        links.retain(|link| !link.is_finished());
        links.push(link.cut);
        Some((link.client, *life))
    }

    /// Cuts each connection of a client with a chance of one in `n`.
    pub(crate) fn cut_connections(&self, one_in: u64) {
        let mut rng = self.world.rng();
        let state = lock(&self.state);
        state.links.iter().filter(|_| rng.one_in(one_in)).for_each(AbortHandle::abort);
    }

    /// Takes the broker down, and leaves its disk as the next start will find it.
    pub(crate) async fn down(&self, how: Down) {
        tracing::info!(broker = self.id, ?how, "the broker goes down");
        let mut rng = self.world.rng();
        let (running, disk, process) = {
            let mut state = lock(&self.state);
            if how != Down::Stop || state.disk.crashed() {
                state.links.drain(..).for_each(|link| link.abort());
            }
            (state.running.take(), state.disk.clone(), state.process.clone())
        };
        let after = match how {
            // Nothing may depend on the power staying on afterwards.
            Down::Stop => {
                self.stop(&process, running).await;
                if rng.one_in(2) { disk.copy(rng.next()) } else { disk.restart(rng.next()) }
            }
            Down::Kill => {
                let after = disk.copy(rng.next());
                disk.crash();
                self.bury(process, running);
                after
            }
            Down::PowerCut => {
                let after = disk.restart(rng.next());
                self.bury(process, running);
                after
            }
        };
        self.wires.close(self.id);
        let mut state = lock(&self.state);
        state.life += 1; // one that was only starting is not waited for
        state.end.send_replace(if how == Down::PowerCut { End::Silent } else { End::Dead });
        self.world.trace.add(after.digest());
        state.links.drain(..).for_each(|link| link.abort());
        let backup = state.backup.replace(after.copy(rng.next()));
        state.disk = backup.filter(|_| self.tampering.restores_backups).unwrap_or(after);
    }

    async fn stop(&self, process: &Process, running: Option<Running>) {
        let Some(running) = running else { return process.kill() }; // there is nobody to ask yet
        if timeout(PATIENCE, process.run(running.stop())).await.is_err() {
            self.world.found(Rule::Unavailable, format!("a stop took more than {PATIENCE:?}"));
        }
        process.kill();
    }

    /// What runs without a disk and without connections has to notice and to end, so that it does not haunt the
    /// run. What was only starting can't be asked to, and is shot.
    fn bury(&self, process: Process, running: Option<Running>) {
        let Some(running) = running else { return process.kill() };
        let world = self.world.clone();
        process.resume();
        tokio::spawn(async move {
            if timeout(PATIENCE, process.run(running.stop())).await.is_err() {
                world.found(Rule::Unavailable, "a broker whose disk has died does not stop");
            }
            process.kill();
        });
    }
}
