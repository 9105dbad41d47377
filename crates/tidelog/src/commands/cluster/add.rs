//! `tidelog cluster add`: how another broker gets in. A broker joins by itself, so this starts nothing: it prints the
//! command for the new machine, with this cluster's addresses in it.

use std::error::Error;

use clap::Args;
use client::Client;
use serde_json::json;

use crate::commands::Failure;
use crate::commands::connect::Connect;
use crate::commands::output::{Output, print_text, tell};

/// Arguments of `tidelog cluster add`.
#[derive(Args)]
pub(crate) struct Add {
    /// Where clients are to reach the new broker
    #[arg(long, value_name = "HOST:PORT", default_value = "NEW-HOST:9092")]
    listen: String,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

impl Add {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        self.connect.run(|client| print_command(client, self.listen, self.output))
    }
}

async fn print_command(client: Client, listen: String, output: Output) -> Result<(), Failure> {
    let ports = client.cluster_ports().await?;
    if ports.is_empty() {
        return Err(
            "the broker is alone and has no port for others: restart it with `--set cluster.listen=HOST:9093`, \
                    where HOST is how other machines reach it, and `--listen HOST:9092` for clients"
                .into(),
        );
    }
    let join: Vec<String> = ports.iter().map(|(_, address)| address.to_string()).collect();
    let command = format!("tidelog serve --join {} --listen {listen}", join.join(","));
    if output.is_json() {
        let mut steps = output.steps();
        steps.done("", json!({ "command": command, "join": join }))?;
        return steps.end(Ok(()));
    }
    tell("On the new machine, with the cluster's secret in ~/.config/tidelog/cluster.secret as on the others:");
    Ok(print_text(&(command + "\n"))?)
}
