//! `tidelog cluster drain` and `undrain`: taking a broker out of the cluster's work, and back in.

use std::error::Error;
use std::time::Duration;

use clap::Args;
use client::Client;
use model::BrokerId;
use serde_json::json;
use tokio::time::sleep;

use super::health::Seen;
use super::status::look;
use crate::commands::Failure;
use crate::commands::connect::Connect;
use crate::commands::output::{Output, count, tell};

/// Between two looks at how far a drain is.
const LOOK: Duration = Duration::from_millis(500);

/// Arguments of `tidelog cluster drain`.
#[derive(Args)]
pub(crate) struct Drain {
    /// The broker's id
    broker: i32,
    /// Wait until it carries nothing any more
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

/// Arguments of `tidelog cluster undrain`.
#[derive(Args)]
pub(crate) struct Undrain {
    /// The broker's id
    broker: i32,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

impl Drain {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        self.connect.run(|client| drain(client, BrokerId(self.broker), self.wait, self.output))
    }
}

impl Undrain {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        self.connect.run(|client| undrain(client, BrokerId(self.broker), self.output))
    }
}

async fn drain(client: Client, id: BrokerId, waits: bool, output: Output) -> Result<(), Failure> {
    let mut seen = look(&client).await?;
    known(&seen, id)?;
    client.drain_broker(id, true).await?;
    if !seen.has_successors(id) {
        let why = format!(
            "broker {id} gets nothing new, but keeps what it has: there are too few others to take it over; add a \
             broker (`tidelog cluster add`), or take it back (`tidelog cluster undrain {id}`)"
        );
        return Err(why.into());
    }
    let mut left = load(&seen, id);
    while waits && left > 0 {
        tell(&format!("broker {id} is still in {}", count(i64::try_from(left).unwrap_or(i64::MAX), "group")));
        sleep(LOOK).await;
        seen = look(&client).await?;
        left = load(&seen, id);
    }
    let state = if left == 0 { "drained" } else { "draining" };
    let mut steps = output.steps();
    steps.done(&format!("broker {id} is {state}"), json!({ "broker": id.0, "state": state, "groups": left }))?;
    steps.end(Ok(()))
}

async fn undrain(client: Client, id: BrokerId, output: Output) -> Result<(), Failure> {
    known(&look(&client).await?, id)?;
    client.drain_broker(id, false).await?;
    let mut steps = output.steps();
    steps.done(&format!("broker {id} serves again"), json!({ "broker": id.0, "state": "serves" }))?;
    steps.end(Ok(()))
}

/// In how many groups it is: shards, and the controller's if it votes there.
pub(super) fn load(seen: &Seen, id: BrokerId) -> usize {
    seen.load(id).1 + usize::from(seen.votes(id))
}

pub(super) fn known(seen: &Seen, id: BrokerId) -> Result<(), Failure> {
    let all: Vec<BrokerId> = seen.cluster.brokers.iter().chain(&seen.cluster.away).map(|broker| broker.id).collect();
    if all.contains(&id) {
        return Ok(());
    }
    let all: Vec<String> = all.iter().map(BrokerId::to_string).collect();
    Err(format!("there is no broker {id}, but {}", all.join(", ")).into())
}
