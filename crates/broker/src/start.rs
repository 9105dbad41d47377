//! Starting and stopping a broker.
//!
//! One path for an empty directory, a clean stop, a kill and a power cut: the identity is read, the
//! journal opened, each Raft group restored from its manifest and caught up from the journal. Clients
//! are let in when all of them are ready.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use config::{BrokerConfig, Durability};
use controller::{Bootstrap, Controller, Endpoint, Environment, Registration, initial_levels};
use journal::Journal;
use log::FileCache;
use model::{BrokerId, GroupId};
use raft::Voter;
use shard::sweep;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::background;
use crate::background::checkpoints::{Troubles, checkpoint_all};
use crate::boot;
use crate::broker::{Broker, Stop};
use crate::budget::Budget;
use crate::cluster::{self, Incoming, Links, PeerForward, PeerTransport, Port};
use crate::directory::{self, Lock};
use crate::env::Env;
use crate::error::StartError;
use crate::fetch::Sessions;
use crate::groups::Groups;
use crate::listener::{self, Bound};
use crate::meta::Meta;
use crate::pace::Pace;
use crate::recompression::Recompressions;
use crate::room::Room;
use crate::settings::LiveConfig;
use crate::sizes::Sizes;
use crate::telemetry::Telemetry;
use crate::topics::Topics;

/// Segments that are open or mapped at a time: well below the usual limit of 1,024 descriptors at
/// three files each.
const OPEN_SEGMENTS: usize = 256;

/// Shards of a broker, unless configured: one for each core, but no more than this. More of them
/// share one disk and win nothing.
const MOST_SHARDS: usize = 4;

/// The default of `queued.max.request.bytes`.
const REQUEST_BUDGET_BYTES: usize = 256 * 1024 * 1024;

/// How long a stop may take for its last checkpoint: people expect Ctrl-C to work within a second.
const CHECKPOINT_AT_STOP: Duration = Duration::from_millis(600);

/// How long a stop waits for others to take over what this broker leads.
const HAND_OVER_AT_STOP: Duration = Duration::from_millis(300);

/// How long a stop waits for the present step of a compaction.
const COMPACTION_AT_STOP: Duration = Duration::from_millis(300);

/// A broker that runs.
pub struct Running {
    /// The broker.
    pub broker: Arc<Broker>,
    /// Held as long as the broker runs: nobody else may open the directory.
    lock: Lock,
}

impl Running {
    /// Starts a broker; it serves clients when this returns.
    pub async fn start(config: Arc<BrokerConfig>, env: Env) -> Result<Running, StartError> {
        let backlog = u32::try_from(config.socket_listen_backlog_size()).unwrap_or(1);
        let mut bound = Vec::new();
        for listener in config.listeners() {
            bound.push(listener::bind(listener, backlog).await?);
        }
        let listeners = bound.iter().map(|bound| bound.listener.clone()).collect();
        let port = match config.cluster_config() {
            Some(cluster) => Some(Port::bind(cluster).await?),
            None => None,
        };
        let (broker, lock) = open(config, env, listeners, port).await?;
        serve(&broker, bound);
        Ok(Running { broker, lock })
    }

    /// Starts a broker that opens no socket: clients come in by [`Running::attach`] alone, other brokers by
    /// `incoming`. They are told the configured addresses all the same.
    pub async fn start_detached(
        config: Arc<BrokerConfig>,
        env: Env,
        incoming: Option<Incoming>,
    ) -> Result<Running, StartError> {
        let listeners = config.listeners().iter().map(listener::unbound).collect();
        let port = config.cluster_config().zip(incoming).map(|(cluster, incoming)| Port::elsewhere(cluster, incoming));
        let (broker, lock) = open(config, env, listeners, port).await?;
        start_background(&broker);
        Ok(Running { broker, lock })
    }

    /// Serves a client that comes in by `stream` and says to be at `address`, as if it had connected
    /// to the first listener, until it leaves or the broker stops.
    pub fn attach<S>(&self, stream: S, address: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        if let Some(listener) = self.broker.listeners.first() {
            listener::admit(&self.broker, listener, address, stream);
        }
    }

    /// Stops: no more requests, a last checkpoint so that the next start replays nothing, and out.
    pub async fn stop(self) {
        let broker = self.broker;
        // Others lead from here on, so that nobody has to find out that this broker is gone.
        let hands_over = broker.config().controlled_shutdown_enable();
        if hands_over && timeout(HAND_OVER_AT_STOP, broker.links.hand_over()).await.is_err() {
            tracing::info!("stopped without handing over all that this broker led; others will elect");
        }
        broker.stop.stop();
        // Whoever opens the directory next should find nobody else in it.
        if timeout(COMPACTION_AT_STOP, broker.compactions.ended()).await.is_err() {
            tracing::info!("stopped in the midst of a compaction, which the next start makes again");
        }
        // What is not checkpointed in time is replayed by the next start.
        let mut troubles = Troubles::default();
        if timeout(CHECKPOINT_AT_STOP, checkpoint_all(&broker, &mut troubles)).await.is_err() {
            tracing::info!("stopped without a last checkpoint; the next start replays the journal");
        }
        for here in broker.shards.load_full().values() {
            here.shard.shutdown().await;
        }
        broker.controller.shutdown().await;
        if let Some(peers) = broker.links.peers() {
            peers.shutdown().await;
        }
        broker.journal.shutdown().await;
        if !broker.journal.failed()
            && let Err(why) = boot::end(&*broker.env.disk, &broker.config().data_dir())
        {
            tracing::warn!(%why, "the mark of a clean stop could not be made");
        }
        drop(self.lock);
    }
}

/// Opens the data directory and brings everything to where clients may come in.
pub(crate) async fn open(
    config: Arc<BrokerConfig>,
    env: Env,
    listeners: Vec<Arc<listener::Listener>>,
    port: Option<Port>,
) -> Result<(Arc<Broker>, Lock), StartError> {
    let dir = config.data_dir();
    let joins = config.cluster_config().is_some_and(|cluster| !cluster.join.is_empty());
    let node_id = (config.has_node_id() || !joins).then(|| config.node_id().0);
    let (lock, meta) = directory::take(&env, &dir, node_id)?;
    let (meta, links) = cluster::enter(&config, &env, &dir, meta, port).await?;
    let total_bytes = env.disk.total_bytes(&dir).map_err(|why| StartError::DataDirectory { path: dir.clone(), why })?;
    let sizes = Sizes::new(&config, total_bytes.unwrap_or(u64::MAX));
    links.set_lag_ms(config.replica_lag_time_max_ms());
    links.set_copy_rate(config.catch_up_max_bytes_per_second());
    let (journal, recovery) = Journal::open(
        env.disk.clone(),
        &dir.join("journal"),
        *meta.directory_id.as_bytes(),
        journal_options(&config, sizes),
        env.executor.clone(),
    )?;
    report(&recovery);
    cluster::doubt::note_lost_power(&env, &config, &dir, &journal, links.peers().is_some())?;
    let controller = start_controller(&config, &env, &meta, &links, sizes, &journal, &listeners).await?;
    let settings = Arc::new(LiveConfig::new(config.clone()));
    settings.take(&controller.image(), BrokerId(meta.node_id));
    let broker = Arc::new(Broker {
        shards: ArcSwap::default(),
        topics: Topics::new(settings.clone()),
        groups: Groups::default(),
        sessions: Sessions::new(env.random.clone(), config.max_incremental_fetch_session_cache_slots()),
        room: Room::new(env.disk.clone(), dir.clone(), sizes),
        budget: Budget::new(request_budget(&config)),
        recompressions: Recompressions::new(),
        compactions: Default::default(),
        sizes,
        telemetry: Telemetry::default(),
        links,
        files: FileCache::new(env.disk.clone(), OPEN_SEGMENTS),
        loggers: Default::default(),
        stop: Stop::default(),
        env,
        settings,
        meta,
        journal,
        controller,
        listeners,
        distrust: Default::default(),
        mending: Default::default(),
        connections: Arc::default(),
        pace: Pace::default(),
    });
    broker.links.set_broker(&broker);
    tell_what_does_nothing(&broker.config());
    broker.room.look(&broker.journal);
    start_shards(&broker).await?;
    Ok((broker, lock))
}

fn tell_what_does_nothing(config: &BrokerConfig) {
    let settings = config.without_effect();
    if !settings.is_empty() {
        let settings = settings.join(", ");
        tracing::warn!(settings, "these settings do nothing in this version; docs/reference/configuration.md says why");
    }
}

/// `queued.max.request.bytes`.
fn request_budget(config: &BrokerConfig) -> usize {
    let largest = usize::try_from(config.socket_request_max_bytes()).unwrap_or(0);
    let given = usize::try_from(config.queued_max_request_bytes()).ok().filter(|bytes| *bytes > 0);
    given.unwrap_or(REQUEST_BUDGET_BYTES.max(2 * largest))
}

pub(crate) fn journal_options(config: &BrokerConfig, sizes: Sizes) -> journal::Options {
    journal::Options {
        file_bytes: sizes.journal_file_bytes,
        cache_bytes: usize::try_from(config.journal_cache_bytes()).unwrap_or(usize::MAX),
        sync: config.durability() == Durability::Fsync,
        ..journal::Options::default()
    }
}

fn report(recovery: &journal::Recovery) {
    tracing::debug!(?recovery, "journal opened");
    if let Some(torn) = &recovery.torn {
        tracing::info!(?torn, "the journal ended in an unfinished write, which nobody was told of; it was cut off");
    }
    for damage in &recovery.damage {
        tracing::error!(%damage, "the journal is damaged");
    }
}

async fn start_controller(
    config: &BrokerConfig,
    env: &Env,
    meta: &Meta,
    links: &Arc<Links>,
    sizes: Sizes,
    journal: &Journal,
    listeners: &[Arc<listener::Listener>],
) -> Result<Controller, StartError> {
    let (id, directory) = (BrokerId(meta.node_id), meta.directory_id);
    let shards = shards_per_broker(config);
    let environment = Environment {
        disk: env.disk.clone(),
        journal: journal.clone(),
        executor: env.executor.clone(),
        random: env.random.clone(),
    };
    let me = Voter::new(id, directory);
    let mut founders: BTreeSet<Voter> =
        meta.founders.iter().map(|it| Voter::new(BrokerId(it.node_id), it.directory_id)).collect();
    if founders.is_empty() && links.peers().is_none() {
        founders.insert(me); // a directory from before clusters
    }
    let controller = controller::Config {
        raft: raft_config(links, sizes, GroupId::CONTROLLER, me, founders.clone()),
        forward: PeerForward::over(links),
        ..controller::Config::single(id, directory, shards)
    };
    let data_dir = config.data_dir();
    let dir = group_dir(&data_dir, GroupId::CONTROLLER);
    let failed = |why| StartError::DataDirectory { path: dir.clone(), why };
    cluster::rejoin::finish_leaving_controller(env, journal, &data_dir).await.map_err(failed)?;
    let controller = match Controller::start(controller.clone(), &dir, environment.clone()).await {
        Err(why) if why.is_damage() => {
            cluster::rejoin::rejoin_controller(links, config, env, journal, why.into()).await?;
            Controller::start(controller, &dir, environment).await?
        }
        started => started?,
    };
    links.set_controller(controller.clone());
    let broker = Registration {
        rack: config.rack().map(str::to_owned),
        listeners: listeners.iter().map(|l| (l.name.clone(), l.advertised.clone())).collect(),
        cluster: links.peers().map(|peers| endpoint(&peers.me().address)),
        shards: Some(shards),
        ..Registration::new(id, directory)
    };
    let cluster_id = meta.cluster_id.clone();
    let bootstrap = founders.contains(&me).then(|| {
        let others = founders.iter().filter(|voter| **voter != me);
        let founders = others.map(|voter| Registration::new(voter.broker(), voter.directory)).collect();
        Bootstrap { cluster_id, broker: broker.clone(), shards, features: initial_levels(), founders }
    });
    cluster::register(links, config, &controller, bootstrap, broker).await?;
    Ok(controller)
}

/// The configuration of a Raft group that has a member here.
pub(crate) fn raft_config(
    links: &Arc<Links>,
    sizes: Sizes,
    group: GroupId,
    me: Voter,
    bootstrap: BTreeSet<Voter>,
) -> raft::Config {
    raft::Config {
        bootstrap,
        max_retained_bytes: sizes.retained_bytes,
        transport: PeerTransport::over(links),
        incarnation: links.incarnation,
        ..raft::Config::single(group, me)
    }
}

fn endpoint(address: &peer::Address) -> Endpoint {
    Endpoint { host: address.host.clone(), port: address.port }
}

/// How many shards this broker leads of each replication factor in use.
pub(crate) fn shards_per_broker(config: &BrokerConfig) -> u32 {
    u32::try_from(config.shards_per_broker().unwrap_or_else(default_shards)).unwrap_or(u32::MAX)
}

fn default_shards() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MOST_SHARDS)
}

pub(crate) fn group_dir(dir: &Path, group: GroupId) -> PathBuf {
    dir.join("groups").join(group.0.to_string())
}

/// Starts every shard that has a replica here. A broker that is alone waits until all are ready.
async fn start_shards(broker: &Arc<Broker>) -> Result<(), StartError> {
    broker.host_shards(&broker.image()).await?;
    if broker.links.peers().is_some() {
        return Ok(()); // others may have to be started first
    }
    for here in broker.shards.load_full().values() {
        let mut status = here.status.clone();
        // A group that stopped says why to whoever proposes.
        status.wait_for(|status| status.ready || status.stopped).await.ok();
    }
    Ok(())
}

/// Lets clients in, and starts what a broker does unasked.
fn serve(broker: &Arc<Broker>, bound: Vec<Bound>) {
    start_background(broker);
    for Bound { listener, sockets } in bound {
        for socket in sockets {
            model::spawn(listener::accept(broker.clone(), listener.clone(), socket));
        }
    }
}

pub(crate) fn start_background(broker: &Arc<Broker>) {
    model::spawn(background::reconcile::run(broker.clone()));
    model::spawn(background::checkpoints::run(broker.clone()));
    model::spawn(background::room::run(broker.clone()));
    model::spawn(background::retention::run(broker.clone()));
    if broker.config().log_cleaner_enable() {
        model::spawn(background::compaction::run(broker.clone()));
    }
    broker.start_coordinators();
    if broker.links.peers().is_some() {
        model::spawn(cluster::follow::run(broker.clone()));
        model::spawn(cluster::follow::mourn(broker.clone()));
        model::spawn(cluster::members::run(broker.clone()));
        model::spawn(cluster::moves::run(broker.clone()));
        model::spawn(cluster::mending::run(broker.clone()));
        model::spawn(cluster::upkeep::run(broker.clone()));
    }
    // The directories of a shard that is left out would look like nobody's.
    if !broker.image().shards().any(|shard| broker.is_left_out(shard)) && broker.serves_all_groups() {
        start_sweep(broker);
    }
}

fn start_sweep(broker: &Arc<Broker>) {
    let sweeping = broker.clone();
    let topics = broker.config().data_dir().join("topics");
    broker.env.executor.blocking(Box::new(move || {
        let shards = sweeping.shards.load_full();
        let in_use = || shards.values().flat_map(|here| here.shard.partitions_with_files()).collect();
        match sweep(&*sweeping.env.disk, &topics, in_use) {
            Ok(removed) if removed.is_empty() => {}
            Ok(removed) => tracing::info!(directories = removed.len(), "leftovers of deleted partitions were removed"),
            Err(why) => tracing::warn!(%why, "leftovers of deleted partitions could not be removed"),
        }
    }));
}
