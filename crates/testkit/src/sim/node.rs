//! A broker of a run, on a machine of its own: started, stopped, killed, paused, cut off from power, and
//! started again on what its disk kept.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::{Env, Running, StartError};
use config::BrokerConfig;
use disk::SimDisk;
use model::Process;
use peer::TcpDialer;
use tokio::io::DuplexStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::env::{SimClock, SimThreads, lock};
use super::network;
use super::promises::Rule;
use super::tampering::Tampering;
use super::world::World;

/// A start or a stop that takes longer hangs. The promise is a second, on disks that never pause.
const PATIENCE: Duration = Duration::from_secs(60);

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

/// See the module.
pub(crate) struct Node {
    world: Arc<World>,
    id: i32,
    config: Arc<BrokerConfig>,
    tampering: Tampering,
    clock: Arc<SimClock>,
    state: Mutex<State>,
}

struct State {
    disk: SimDisk,
    /// The process that runs, or ran last.
    process: Process,
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
    pub(crate) fn new(world: Arc<World>, id: i32, config: BrokerConfig, tampering: Tampering) -> Arc<Node> {
        let state = State {
            disk: SimDisk::new(world.rng().next()),
            process: Process::default(),
            running: None,
            life: 0,
            links: Vec::new(),
            connections: 0,
            backup: None,
        };
        let clock = Arc::new(world.clock.beside());
        Arc::new(Node { world, id, config: Arc::new(config), tampering, clock, state: Mutex::new(state) })
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

    pub(crate) fn is_up(&self) -> bool {
        lock(&self.state).running.is_some()
    }

    /// Starts the broker. It may fail only if the disk does.
    pub(crate) async fn start(&self) -> Result<(), StartError> {
        let process = Process::default();
        let disk = {
            let mut state = lock(&self.state);
            state.life += 1;
            state.process = process.clone();
            state.disk.clone()
        };
        let env = Env {
            clock: self.clock.clone(),
            random: self.world.random.clone(),
            executor: Arc::new(SimThreads { rng: self.world.threads.clone(), process: process.clone() }),
            disk: self.tampering.disk(disk),
            dialer: Arc::new(TcpDialer), // never called: each broker is alone
            boot: "the first".into(),
        };
        tracing::info!(broker = self.id, "the broker starts");
        let start = process.run(Running::start_detached(self.config.clone(), env, None));
        let Ok(started) = timeout(PATIENCE, start).await else {
            self.world.found(Rule::Unavailable, format!("a start took more than {PATIENCE:?}"));
            return Ok(());
        };
        match &started {
            Err(why) => tracing::info!(broker = self.id, %why, "the broker did not start"),
            Ok(_) => self.world.count("starts"),
        }
        lock(&self.state).running = Some(started?);
        Ok(())
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

    /// Cuts each connection with a chance of one in `n`.
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
            Down::Stop => {
                if let Some(running) = running {
                    self.stop(&process, running).await;
                }
                // Nothing may depend on the power staying on afterwards.
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
        self.world.trace.add(after.digest());
        let mut state = lock(&self.state);
        state.links.drain(..).for_each(|link| link.abort());
        let backup = state.backup.replace(after.copy(rng.next()));
        state.disk = backup.filter(|_| self.tampering.restores_backups).unwrap_or(after);
    }

    async fn stop(&self, process: &Process, running: Running) {
        if timeout(PATIENCE, process.run(running.stop())).await.is_err() {
            self.world.found(Rule::Unavailable, format!("a stop took more than {PATIENCE:?}"));
        }
    }

    /// A simulated process cannot be killed, only left without disk and connections. It has to notice
    /// and to end, so that it does not haunt the run.
    fn bury(&self, process: Process, running: Option<Running>) {
        let Some(running) = running else { return };
        let world = self.world.clone();
        process.resume();
        tokio::spawn(async move {
            if timeout(PATIENCE, process.run(running.stop())).await.is_err() {
                world.found(Rule::Unavailable, "a broker whose disk has died does not stop");
            }
        });
    }
}
