use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use testkit::process::{Broker, Launch};

/// The broker that one test talks to.
#[derive(Debug)]
pub enum TestBroker {
    /// Of this test alone; it ends with it.
    Own(Box<Broker>),
    /// Somebody else's, named by `BOOTSTRAP`.
    Elsewhere(String),
}

impl TestBroker {
    /// A broker as it comes.
    pub fn with_defaults() -> Self {
        Self::start(Broker::launch())
    }

    /// A broker that lets a new group start at once, where Kafka's default waits 3 s for more members.
    pub fn new() -> Self {
        Self::start(Broker::launch().set("group.initial.rebalance.delay.ms", 0))
    }

    /// A broker with other settings (which `BOOTSTRAP`'s broker must have too).
    pub fn start(launch: Launch) -> Self {
        match std::env::var("BOOTSTRAP") {
            Ok(address) => Self::Elsewhere(address),
            Err(_) => Self::Own(Box::new(launch.start().unwrap_or_else(|error| panic!("{error}")))),
        }
    }

    /// `host:port` for clients.
    pub fn address(&self) -> String {
        match self {
            Self::Own(broker) => broker.address(),
            Self::Elsewhere(address) => address.clone(),
        }
    }

    /// The directory of a partition's segments: `<data dir>/topics/<topic>/<partition>-<topic id>`, or Kafka's
    /// `<log dir>/<topic>-<partition>` where `BOOTSTRAP_DATA` names its directory.
    pub fn partition_dir(&self, topic: &str, partition: i32) -> PathBuf {
        let Self::Own(broker) = self else {
            let data = std::env::var("BOOTSTRAP_DATA").expect("BOOTSTRAP_DATA names the data directory of BOOTSTRAP");
            return PathBuf::from(data).join(format!("{topic}-{partition}"));
        };
        let topic_dir = broker.data_dir().join("topics").join(topic);
        let listing = std::fs::read_dir(&topic_dir).unwrap_or_else(|error| panic!("{}: {error}", topic_dir.display()));
        let mut partitions = listing.map(|entry| entry.expect("a listed directory entry").path());
        let prefix = format!("{partition}-");
        partitions
            .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)))
            .unwrap_or_else(|| panic!("no partition {partition} in {}", topic_dir.display()))
    }
}

impl Default for TestBroker {
    fn default() -> Self {
        Self::new()
    }
}

/// A name that no other test uses, on a shared broker either.
pub fn unique(name: &str) -> String {
    static USED: AtomicU32 = AtomicU32::new(0);
    let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{name}-{}-{}", started.as_micros(), USED.fetch_add(1, Ordering::Relaxed))
}
