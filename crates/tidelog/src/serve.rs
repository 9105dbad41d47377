//! `tidelog serve`: the broker as a process.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use broker::{Env, Running};
use clap::Args;
use config::{BrokerConfig, Durability, Flags, Sources};
use tokio::signal::unix::{SignalKind, signal};

use crate::cluster_secret;
use crate::log_levels::LogLevels;

/// Where settings are looked for, unless `--config` says otherwise.
const CONFIG_FILE: &str = "tidelog.toml";

/// Arguments of `tidelog serve`.
#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// Write the address clients connect to into this file, once it serves
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
}

/// What may be said about settings on the command line.
#[derive(Args)]
pub(crate) struct Settings {
    /// Where records are kept [default: ./tidelog-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Address to accept clients on; may be given several times [default: localhost:9092]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Vec<String>,
    /// Address that clients are told to connect to, one for each --listen [default: the same]
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Vec<String>,
    /// fsync: an acknowledged record is on disk; relaxed: it is in the system's memory
    #[arg(long, value_name = "fsync|relaxed")]
    durability: Option<String>,
    /// This broker's id [default: 1]
    #[arg(long, value_name = "ID")]
    node_id: Option<String>,
    /// Found a cluster of these nodes: the same list on each, in the order of their ids
    #[arg(long, value_name = "HOST:PORT,...", conflicts_with = "join")]
    cluster: Option<String>,
    /// Join the cluster that the broker at this cluster port belongs to
    #[arg(long, value_name = "HOST:PORT")]
    join: Option<String>,
    /// Address to accept other brokers on [default: this node's in --cluster]
    #[arg(long, value_name = "HOST:PORT")]
    cluster_listen: Option<String>,
    /// Any setting, by Kafka's name; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// File of settings [default: ./tidelog.toml, if there is one]
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
}

impl Settings {
    /// Puts flags, environment and file together.
    pub(crate) fn load(&self) -> Result<BrokerConfig, Box<dyn Error>> {
        let sources = Sources {
            flags: Flags {
                data_dir: self.data_dir.clone(),
                durability: self.durability.clone(),
                node_id: self.node_id.clone(),
                cluster: self.cluster.clone(),
                join: self.join.clone(),
                cluster_listen: self.cluster_listen.clone(),
                listen: self.listen.clone(),
                advertise: self.advertise.clone(),
            },
            set: self.set.clone(),
            environment: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            file: self.read_file()?,
            host_name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        };
        let config = BrokerConfig::load(&sources)?;
        if config.cluster_config().is_none() || config.cluster_secret().is_some() {
            return Ok(config);
        }
        let secret = cluster_secret::read(config.cluster_secret_file())?;
        let set = [sources.set, vec![format!("cluster.secret={}", secret.trim())]].concat();
        Ok(BrokerConfig::load(&Sources { set, ..sources })?)
    }

    fn read_file(&self) -> Result<Option<(String, String)>, String> {
        let (path, required) = match &self.config {
            Some(path) => (path.as_path(), true),
            None => (Path::new(CONFIG_FILE), false),
        };
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some((path.display().to_string(), text))),
            Err(why) if why.kind() == io::ErrorKind::NotFound && !required => Ok(None),
            Err(why) => Err(format!("cannot read {}: {why}", path.display())),
        }
    }
}

impl Serve {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let levels = LogLevels::log_to_stderr();
        let config = Arc::new(self.settings.load()?);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let done = runtime.block_on(self.serve(config, levels));
        // What still blocks on a disk must not hold up the exit: it is either durable or not asked for.
        runtime.shutdown_background();
        done
    }

    async fn serve(self, config: Arc<BrokerConfig>, levels: Arc<LogLevels>) -> Result<(), Box<dyn Error>> {
        // Before anything else, so that a signal during the start is not lost.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let running = tokio::select! {
            biased;
            running = Running::start(config.clone(), Env::real()) => running?,
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
        };
        running.broker.set_loggers(levels);
        greet(&config, &running);
        if let Some(path) = &self.ready_file {
            let address = running.broker.listeners().first().map(|l| l.address()).unwrap_or_default();
            let unfinished = path.with_extension("unfinished");
            std::fs::write(&unfinished, address)?;
            std::fs::rename(&unfinished, path)?;
        }
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        running.stop().await;
        Ok(())
    }
}

fn greet(config: &BrokerConfig, running: &Running) {
    let durability = match config.durability() {
        Durability::Fsync => "fsync (an acknowledged record is on disk)",
        Durability::Relaxed => "relaxed (an acknowledged record may be lost in a power cut)",
    };
    println!("tidelog {}", env!("CARGO_PKG_VERSION"));
    println!("  data        {}", config.data_dir().display());
    println!("  durability  {durability}");
    for listener in running.broker.listeners() {
        println!("  kafka       {}", listener.address());
    }
    let address = running.broker.listeners().first().map(|l| l.address()).unwrap_or_default();
    let elsewhere = if address == "localhost:9092" { String::new() } else { format!(" --bootstrap {address}") };
    println!("\nTry, in another terminal:");
    println!("  echo hello | tidelog produce greetings{elsewhere}");
    println!("  tidelog consume greetings --from-beginning{elsewhere}");
}
