//! `tidelog cluster`: the cluster as a whole.

use std::error::Error;

use clap::{Args, Subcommand};
use client::Client;

use super::Failure;
use super::connect::Connect;
use super::table::{self, Facts, Table};

/// Subcommands of `tidelog cluster`.
#[derive(Subcommand)]
pub(crate) enum Cluster {
    /// Print the cluster's id, brokers, topics and versions
    Info(Info),
}

/// Arguments of `tidelog cluster info`.
#[derive(Args)]
pub(crate) struct Info {
    #[command(flatten)]
    connect: Connect,
}

impl Cluster {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Cluster::Info(info) => info.connect.run(print_info),
        }
    }
}

async fn print_info(client: Client) -> Result<(), Failure> {
    let cluster = client.describe_cluster().await?;
    let topics = client.topics().await?;
    let internal = topics.iter().filter(|topic| topic.is_internal).count();
    let features = cluster.features.iter().map(|feature| format!("{} {}", feature.name, feature.level));
    let mut facts = Facts::new();
    facts.fact("cluster", &cluster.id);
    facts.fact("controller", cluster.controller.map_or("none".to_owned(), |id| format!("broker {id}")));
    facts.fact("brokers", cluster.brokers.len());
    facts.fact("topics", format!("{} and {internal} internal", topics.len() - internal));
    facts.fact("partitions", topics.iter().map(|topic| topic.partitions.len()).sum::<usize>());
    facts.fact("features", features.collect::<Vec<_>>().join(", "));
    facts.fact("client", format!("tidelog {}", env!("CARGO_PKG_VERSION")));
    let mut brokers = Table::new(&["broker", "address", "rack"]);
    for broker in cluster.brokers {
        brokers.row([broker.id.to_string(), broker.address.to_string(), broker.rack.unwrap_or_default()]);
    }
    Ok(table::print(Some(&facts), Some(&brokers))?)
}
