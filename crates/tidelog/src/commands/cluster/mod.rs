//! `tidelog cluster`: the cluster as a whole.

mod info;
mod start;

use std::error::Error;

use clap::Subcommand;

/// Subcommands of `tidelog cluster`.
#[derive(Subcommand)]
pub(crate) enum Cluster {
    /// Print the cluster's id, brokers, topics and versions
    Info(info::Info),
    /// Run a cluster of several brokers on this machine, until Ctrl-C
    Start(start::Start),
}

impl Cluster {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Cluster::Info(info) => info.run(),
            Cluster::Start(start) => start.run(),
        }
    }
}
