//! `tidelog topic alter`

use std::error::Error;

use clap::Args;
use client::{Client, Resource, SettingChange};
use serde_json::json;

use super::super::Failure;
use super::super::confirm::Confirm;
use super::super::connect::Connect;
use super::super::output::{Output, count};
use super::parse_setting;

/// Arguments of `tidelog topic alter`.
#[derive(Args)]
#[group(id = "change", required = true, multiple = true, args = ["settings", "unset", "partitions"])]
pub(crate) struct Alter {
    /// Name of the topic
    topic: String,
    /// A setting by Kafka's name, such as retention.ms=86400000; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse_setting)]
    settings: Vec<(String, String)>,
    /// A setting that is to go back to what the broker says; may be given several times
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    /// How many partitions it is to have in all: more than now, since none can be taken away
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    #[command(flatten)]
    confirm: Confirm,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

impl Alter {
    pub(super) fn run(&self) -> Result<(), Box<dyn Error>> {
        self.connect.run(|client| self.alter(client))
    }

    /// Settings first: if one of them is refused, no partition was added.
    async fn alter(&self, client: Client) -> Result<(), Failure> {
        let topic = client.topic(&self.topic).await?;
        let name = &self.topic;
        if let Some(to) = self.partitions {
            let now = topic.partitions.len();
            self.confirm.ask(&format!(
                "{name} gets {to} partitions instead of {now}, for good. From then on records of a key may go to \
                 another partition than those before them."
            ))?;
        }
        let mut steps = self.output.steps();
        if let Err(why) = client.change_settings(&Resource::Topic(name.clone()), &self.changes(), false).await {
            return steps.end(Err(why.into()));
        }
        for (key, value) in &self.settings {
            steps
                .done(&format!("set {key}={value} of {name}"), json!({ "topic": name, "set": key, "value": value }))?;
        }
        for key in &self.unset {
            steps.done(&format!("unset {key} of {name}"), json!({ "topic": name, "unset": key }))?;
        }
        if let Some(to) = self.partitions {
            if let Err(why) = client.add_partitions(name, to).await {
                return steps.end(Err(why.into()));
            }
            let line = format!("{name} has {} now", count(to, "partition"));
            steps.done(&line, json!({ "topic": name, "partitions": to }))?;
        }
        steps.end(Ok(()))
    }

    fn changes(&self) -> Vec<SettingChange> {
        let set = self.settings.iter().map(|(name, value)| (name, Some(value.clone())));
        let unset = self.unset.iter().map(|name| (name, None));
        set.chain(unset).map(|(name, value)| SettingChange { name: name.clone(), value }).collect()
    }
}
