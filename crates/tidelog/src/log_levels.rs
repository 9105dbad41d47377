//! What the process says on stderr, by levels that can be changed while it runs.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};

use broker::{Loggers, ROOT_LOGGER};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::{Registry, fmt};

/// What is said unless `TIDELOG_LOG` asks for more.
const USUAL: &str = "warn,openraft=error";

/// Loggers that can be named: the crates that say something, and what clients push (KIP-714).
const LOGGERS: &[&str] = &[
    "broker",
    "client_metrics",
    "controller",
    "coordinator",
    "journal",
    "log",
    "manifest",
    "openraft",
    "raft",
    "shard",
    "tidelog",
];

/// The levels in force.
pub(crate) struct LogLevels {
    set: Mutex<(LevelFilter, BTreeMap<String, LevelFilter>)>,
    filter: Handle<Targets, Registry>,
}

impl LogLevels {
    /// Warnings and errors go to stderr, more on request: `TIDELOG_LOG=info`.
    pub(crate) fn log_to_stderr() -> Arc<Self> {
        let asked = std::env::var("TIDELOG_LOG").ok().and_then(|asked| asked.parse::<Targets>().ok());
        let targets = asked.unwrap_or_else(|| USUAL.parse().expect("the usual levels are well-formed"));
        let root = targets.default_level().unwrap_or(LevelFilter::OFF);
        let set = targets.iter().map(|(name, level)| (name.to_owned(), level)).collect();
        let (filter, handle) = reload::Layer::new(targets);
        let lines = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
        tracing_subscriber::registry().with(lines.with_filter(filter)).init();
        Arc::new(LogLevels { set: Mutex::new((root, set)), filter: handle })
    }
}

impl Loggers for LogLevels {
    fn levels(&self) -> BTreeMap<String, LevelFilter> {
        let (root, set) = &*self.set.lock().unwrap_or_else(PoisonError::into_inner);
        let mut levels: BTreeMap<String, LevelFilter> =
            LOGGERS.iter().map(|name| ((*name).to_owned(), *root)).collect();
        levels.extend(set.clone());
        levels.insert(ROOT_LOGGER.to_owned(), *root);
        levels
    }

    fn set(&self, logger: &str, level: Option<LevelFilter>) {
        let mut held = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        let (root, set) = &mut *held;
        match level {
            Some(level) if logger == ROOT_LOGGER => *root = level,
            Some(level) => drop(set.insert(logger.to_owned(), level)),
            None => drop(set.remove(logger)),
        }
        let targets = Targets::new().with_default(*root).with_targets(set.clone());
        if let Err(why) = self.filter.reload(targets) {
            eprintln!("levels of loggers can't be changed: {why}");
        }
    }
}
