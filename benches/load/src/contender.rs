//! Who is measured.

use std::fmt;
use std::path::PathBuf;

use clap::ValueEnum;
use testkit::process::{Broker, ProcessError};

use crate::Failure;
use crate::kafka::Kafka;
use crate::usage::Usage;

/// What an acknowledgement means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Durability {
    /// On the disk.
    Fsync,
    /// In the system's memory.
    Relaxed,
}

/// A broker to be started.
#[derive(Clone, Debug)]
pub(crate) enum Contender {
    /// An executable of Tidelog.
    Tidelog(PathBuf),
    /// Apache Kafka 4.4.0.
    Kafka,
    /// At this address; its processor time and memory are not known.
    Running(String),
}

/// A broker that runs; ends with this value, unless it ran before.
pub(crate) enum Started {
    Tidelog(Broker),
    Kafka(Kafka),
    Running(String),
}

impl Contender {
    pub(crate) fn start(&self, durability: Option<Durability>) -> Result<Started, Failure> {
        let fsync = durability == Some(Durability::Fsync);
        Ok(match self {
            Contender::Tidelog(binary) => {
                let mode = if fsync { "fsync" } else { "relaxed" };
                let launch = Broker::launch().binary(binary).argument("--durability").argument(mode);
                Started::Tidelog(launch.start()?)
            }
            Contender::Kafka => Started::Kafka(Kafka::start(fsync)?),
            Contender::Running(address) => Started::Running(address.clone()),
        })
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Contender::Tidelog(binary) => write!(f, "{}", binary.display()),
            Contender::Kafka => write!(f, "Apache Kafka 4.4.0"),
            Contender::Running(address) => write!(f, "the broker at {address}"),
        }
    }
}

impl Started {
    /// `host:port`.
    pub(crate) fn address(&self) -> String {
        match self {
            Started::Tidelog(broker) => broker.address(),
            Started::Kafka(kafka) => kafka.address(),
            Started::Running(address) => address.clone(),
        }
    }

    /// What its process has used so far, if that is known.
    pub(crate) fn usage(&mut self) -> Option<Usage> {
        match self {
            Started::Tidelog(broker) => Usage::of(broker.process().id()),
            Started::Kafka(kafka) => Usage::of(kafka.id()),
            Started::Running(_) => None,
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) -> Result<(), Failure> {
        match self {
            Started::Tidelog(broker) => Ok(broker.kill()?),
            Started::Kafka(kafka) => Ok(kafka.kill()?),
            Started::Running(address) => Err(format!("{address} is not ours to kill").into()),
        }
    }

    /// Starts it again on the same directory.
    pub(crate) fn restart(&mut self) -> Result<(), ProcessError> {
        match self {
            Started::Tidelog(broker) => broker.restart(),
            Started::Kafka(kafka) => kafka.restart(),
            Started::Running(_) => Ok(()),
        }
    }
}
