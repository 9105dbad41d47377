//! `tidelog cluster`: the cluster as a whole.

mod add;
mod drain;
mod health;
mod info;
mod remove;
mod start;
mod status;

use std::error::Error;

use clap::Subcommand;

/// Subcommands of `tidelog cluster`.
#[derive(Subcommand)]
pub(crate) enum Cluster {
    /// Print the cluster's id, brokers, topics and versions
    Info(info::Info),
    /// Run a cluster of several brokers on this machine, until Ctrl-C
    Start(start::Start),
    /// Show how the cluster is, and what is wrong with it; exit code 1 if something is
    Status(status::Status),
    /// Print what to run on another machine so that its broker joins
    Add(add::Add),
    /// Have others take over what a broker carries, and give it nothing new
    Drain(drain::Drain),
    /// Let a drained broker carry something again
    Undrain(drain::Undrain),
    /// Forget a broker that is drained, for good
    Remove(remove::Remove),
}

impl Cluster {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Cluster::Info(info) => info.run(),
            Cluster::Start(start) => start.run(),
            Cluster::Status(status) => status.run(),
            Cluster::Add(add) => add.run(),
            Cluster::Drain(drain) => drain.run(),
            Cluster::Undrain(undrain) => undrain.run(),
            Cluster::Remove(remove) => remove.run(),
        }
    }
}
