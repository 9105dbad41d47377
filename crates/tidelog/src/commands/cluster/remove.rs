//! `tidelog cluster remove`: forgetting a broker for good.

use std::error::Error;

use clap::Args;
use client::Client;
use model::BrokerId;
use serde_json::json;

use super::drain::known;
use super::status::look;
use crate::commands::Failure;
use crate::commands::confirm::Confirm;
use crate::commands::connect::Connect;
use crate::commands::output::{Output, tell};

/// Arguments of `tidelog cluster remove`.
#[derive(Args)]
pub(crate) struct Remove {
    /// The broker's id
    broker: i32,
    #[command(flatten)]
    confirm: Confirm,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

impl Remove {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let id = BrokerId(self.broker);
        self.connect.run(|client| remove(client, id, self.confirm, self.output))
    }
}

async fn remove(client: Client, id: BrokerId, confirm: Confirm, output: Output) -> Result<(), Failure> {
    let seen = look(&client).await?;
    known(&seen, id)?;
    let serves = seen.cluster.brokers.iter().any(|broker| broker.id == id);
    if serves && !seen.drained.contains(&id) {
        return Err(format!("broker {id} serves; drain it first: `tidelog cluster drain {id} --wait`").into());
    }
    confirm.ask(&format!("The cluster will forget broker {id}."))?;
    client.unregister_broker(id).await?;
    let mut steps = output.steps();
    steps.done(&format!("broker {id} is removed"), json!({ "broker": id.0, "state": "removed" }))?;
    if serves {
        tell("Stop it now, and remove its data directory: it would join again at its next start.");
    }
    steps.end(Ok(()))
}
