//! The broker of a run: started, stopped, killed, cut off from power, and started again on what its
//! disk kept.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::{Env, Running, StartError};
use config::BrokerConfig;
use disk::SimDisk;
use tokio::io::DuplexStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::env::lock;
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
    config: Arc<BrokerConfig>,
    tampering: Tampering,
    state: Mutex<State>,
}

struct State {
    disk: SimDisk,
    running: Option<Running>,
    links: Vec<AbortHandle>,
    connections: u64,
    /// The disk as it was when the broker went down, for tampering.
    backup: Option<SimDisk>,
}

impl Node {
    /// A broker that is not started yet, on an empty disk.
    pub(crate) fn new(world: Arc<World>, config: BrokerConfig, tampering: Tampering) -> Arc<Node> {
        let disk = SimDisk::new(world.rng().next());
        let state = State { disk, running: None, links: Vec::new(), connections: 0, backup: None };
        Arc::new(Node { world, config: Arc::new(config), tampering, state: Mutex::new(state) })
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
        let disk = self.disk();
        let env = Env {
            clock: self.world.clock.clone(),
            random: self.world.random.clone(),
            executor: self.world.threads.clone(),
            disk: self.tampering.disk(disk.clone()),
        };
        tracing::info!("the broker starts");
        let Ok(started) = timeout(PATIENCE, Running::start_detached(self.config.clone(), env)).await else {
            self.world.found(Rule::Unavailable, format!("a start took more than {PATIENCE:?}"));
            return Ok(());
        };
        match &started {
            Err(why) => tracing::info!(%why, "the broker did not start"),
            Ok(_) => self.world.count("starts"),
        }
        lock(&self.state).running = Some(started?);
        Ok(())
    }

    /// Opens a connection, if the broker runs.
    pub(crate) fn connect(&self) -> Option<DuplexStream> {
        let rng = self.world.rng();
        let mut state = lock(&self.state);
        let State { disk, running, links, connections, .. } = &mut *state;
        let running = running.as_ref().filter(|_| !disk.crashed())?;
        *connections += 1;
        let link = network::connect(*connections, rng, disk.clone(), self.world.trace.clone());
        let address = SocketAddr::from(([10, 0, 0, 1], *connections as u16));
        match &self.tampering.meddler {
            None => running.attach(link.broker, address),
            Some(meddler) => running.attach(network::meddled(link.broker, meddler.clone()), address),
        }
        links.retain(|link| !link.is_finished());
        links.push(link.cut);
        Some(link.client)
    }

    /// Cuts each connection with a chance of one in `n`.
    pub(crate) fn cut_connections(&self, one_in: u64) {
        let mut rng = self.world.rng();
        let state = lock(&self.state);
        state.links.iter().filter(|_| rng.one_in(one_in)).for_each(AbortHandle::abort);
    }

    /// Takes the broker down, and leaves its disk as the next start will find it.
    pub(crate) async fn down(&self, how: Down) {
        tracing::info!(?how, "the broker goes down");
        let mut rng = self.world.rng();
        let (running, disk) = {
            let mut state = lock(&self.state);
            if how != Down::Stop || state.disk.crashed() {
                state.links.drain(..).for_each(|link| link.abort());
            }
            (state.running.take(), state.disk.clone())
        };
        let after = match how {
            Down::Stop => {
                if let Some(running) = running {
                    self.stop(running).await;
                }
                // Nothing may depend on the power staying on afterwards.
                if rng.one_in(2) { disk.copy(rng.next()) } else { disk.restart(rng.next()) }
            }
            Down::Kill => {
                let after = disk.copy(rng.next());
                disk.crash();
                self.bury(running);
                after
            }
            Down::PowerCut => {
                let after = disk.restart(rng.next());
                self.bury(running);
                after
            }
        };
        self.world.trace.add(after.digest());
        let mut state = lock(&self.state);
        state.links.drain(..).for_each(|link| link.abort());
        let backup = state.backup.replace(after.copy(rng.next()));
        state.disk = backup.filter(|_| self.tampering.restores_backups).unwrap_or(after);
    }

    async fn stop(&self, running: Running) {
        if timeout(PATIENCE, running.stop()).await.is_err() {
            self.world.found(Rule::Unavailable, format!("a stop took more than {PATIENCE:?}"));
        }
    }

    /// A simulated process cannot be killed, only left without disk and connections. It has to notice
    /// and to end, so that it does not haunt the run.
    fn bury(&self, running: Option<Running>) {
        let Some(running) = running else { return };
        let world = self.world.clone();
        tokio::spawn(async move {
            if timeout(PATIENCE, running.stop()).await.is_err() {
                world.found(Rule::Unavailable, "a broker whose disk has died does not stop");
            }
        });
    }
}
