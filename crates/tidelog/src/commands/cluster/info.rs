//! `tidelog cluster info`: what the cluster is made of.

use std::error::Error;

use clap::Args;
use client::{Client, Cluster as Described};
use serde_json::{Map, Value};

use crate::commands::Failure;
use crate::commands::connect::Connect;
use crate::commands::output::{Facts, Output, Table};

/// Arguments of `tidelog cluster info`.
#[derive(Args)]
pub(crate) struct Info {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

impl Info {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        self.connect.run(|client| print_info(client, self.output))
    }
}

async fn print_info(client: Client, output: Output) -> Result<(), Failure> {
    let cluster = client.describe_cluster().await?;
    let topics = client.topics().await?;
    let internal = topics.iter().filter(|topic| topic.is_internal).count();
    let mut facts = Facts::new();
    facts.fact("cluster", cluster.id.as_str());
    facts.fact("controller", cluster.controller.map(|id| id.0));
    facts.count("brokers", cluster.brokers.len());
    facts.fact("topics", topics.len() - internal);
    facts.fact("internal topics", internal);
    facts.fact("partitions", topics.iter().map(|topic| topic.partitions.len()).sum::<usize>());
    facts.fact("features", features(&cluster));
    facts.fact("client", concat!("tidelog ", env!("CARGO_PKG_VERSION")));
    let mut brokers = Table::new("brokers", &["broker", "address", "rack"]);
    for broker in cluster.brokers {
        brokers.row([broker.id.0.into(), broker.address.to_string().into(), broker.rack.into()]);
    }
    Ok(output.facts(&facts, Some(&brokers))?)
}

fn features(cluster: &Described) -> Map<String, Value> {
    cluster.features.iter().map(|feature| (feature.name.clone(), feature.level.into())).collect()
}
