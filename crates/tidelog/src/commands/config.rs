//! `tidelog config`: settings of what runs, and of a broker that is to be started.

use std::error::Error;

use clap::{Args, Subcommand, ValueEnum};
use client::{Client, Resource, Setting, SettingChange, SettingSource, nearest};
use model::BrokerId;
use serde_json::json;

mod effective;

use super::Failure;
use super::connect::Connect;
use super::output::{Output, Table};
use super::topic::parse_setting;
use effective::Effective;

/// Subcommands of `tidelog config`.
#[derive(Subcommand)]
pub(crate) enum Config {
    /// Show settings of a topic, broker, group or else: what holds, and who said so
    #[command(after_help = "\
Examples:
  tidelog config get topic orders
  tidelog config get topic orders retention.ms --docs
  tidelog config get broker 1 --all --output json")]
    Get(Get),
    /// Change settings while the broker runs; they last over restarts
    #[command(after_help = "\
Examples:
  tidelog config set topic orders retention.ms=86400000 cleanup.policy=compact
  tidelog config set broker all log.retention.ms=604800000
  tidelog config set loggers 1 broker=DEBUG")]
    Set(Set),
    /// Take settings back, so that what is said elsewhere or the default holds
    Unset(Unset),
    /// Print the settings that a broker would be started with here, and where each comes from
    Effective(Effective),
}

/// Whose settings.
#[derive(Args)]
struct Whose {
    /// What has the settings: topic, broker, loggers, group, client-metrics
    #[arg(value_name = "KIND", hide_possible_values = true)]
    kind: Kind,
    /// A topic's, group's or subscription's name; a broker's id, or all for all brokers
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Topic,
    Broker,
    Loggers,
    Group,
    ClientMetrics,
}

/// Arguments of `tidelog config get`.
#[derive(Args)]
pub(crate) struct Get {
    #[command(flatten)]
    whose: Whose,
    /// Only these settings [default: those that somebody has set]
    #[arg(value_name = "KEY", conflicts_with = "all")]
    keys: Vec<String>,
    /// Also settings that stand at their default
    #[arg(long)]
    all: bool,
    /// Also what each setting does
    #[arg(long)]
    docs: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

/// Arguments of `tidelog config set`.
#[derive(Args)]
pub(crate) struct Set {
    #[command(flatten)]
    whose: Whose,
    /// Settings by Kafka's names; all are changed, or none
    #[arg(required = true, value_name = "KEY=VALUE", value_parser = parse_setting)]
    settings: Vec<(String, String)>,
    #[command(flatten)]
    change: Change,
}

/// Arguments of `tidelog config unset`.
#[derive(Args)]
pub(crate) struct Unset {
    #[command(flatten)]
    whose: Whose,
    /// Settings by Kafka's names; all are taken back, or none
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<String>,
    #[command(flatten)]
    change: Change,
}

#[derive(Args)]
struct Change {
    /// Only ask the broker whether it would
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

impl Config {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Config::Get(get) => get.connect.run(|client| get.print(client)),
            Config::Set(set) => {
                let changes = set.settings.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
                set.change.run(&set.whose, changes)
            }
            Config::Unset(unset) => unset.change.run(&unset.whose, unset.keys.iter().map(|key| (key.clone(), None))),
            Config::Effective(effective) => effective.run(),
        }
    }
}

impl Whose {
    fn resource(&self) -> Result<Resource, Failure> {
        let broker = || match self.name.parse() {
            Ok(id @ 0..) => Ok(BrokerId(id)),
            _ => Err(format!("'{}' is no broker: write its id", self.name)),
        };
        Ok(match self.kind {
            Kind::Topic => Resource::Topic(self.name.clone()),
            Kind::Broker if self.name == "all" => Resource::AllBrokers,
            Kind::Broker => Resource::Broker(broker().map_err(|why| why + ", or all for all brokers")?),
            Kind::Loggers => Resource::Loggers(broker()?),
            Kind::Group => Resource::Group(self.name.clone()),
            Kind::ClientMetrics => Resource::ClientMetrics(self.name.clone()),
        })
    }
}

impl Get {
    async fn print(&self, client: Client) -> Result<(), Failure> {
        let resource = self.whose.resource()?;
        let settings = client.settings(&resource).await?;
        let headings = ["setting", "value", "source", "about", "type", "read only", "secret"];
        let mut table = Table::new("settings", &headings).show(if self.docs { 4 } else { 3 });
        for setting in self.chosen(&resource, settings)? {
            table.row([
                setting.name.into(),
                setting.value.into(),
                setting.source.name().into(),
                setting.about.into(),
                setting.kind.into(),
                setting.is_read_only.into(),
                setting.is_secret.into(),
            ]);
        }
        Ok(self.output.table(&table)?)
    }

    fn chosen(&self, resource: &Resource, settings: Vec<Setting>) -> Result<Vec<Setting>, Failure> {
        for key in &self.keys {
            if !settings.iter().any(|setting| setting.name == *key) {
                let near = nearest(key, settings.iter().map(|setting| setting.name.as_str()));
                let remedy = match near {
                    Some(near) => format!("did you mean '{near}'?"),
                    None => "--all lists those it has".to_owned(),
                };
                return Err(format!("{resource} has no setting '{key}'; {remedy}").into());
            }
        }
        let is_shown = |setting: &Setting| match self.keys.is_empty() {
            true => self.all || setting.source != SettingSource::Default,
            false => self.keys.contains(&setting.name),
        };
        Ok(settings.into_iter().filter(is_shown).collect())
    }
}

impl Change {
    fn run(
        &self,
        whose: &Whose,
        changes: impl Iterator<Item = (String, Option<String>)>,
    ) -> Result<(), Box<dyn Error>> {
        let changes: Vec<SettingChange> = changes.map(|(name, value)| SettingChange { name, value }).collect();
        self.connect.run(|client| self.change(client, whose, &changes))
    }

    async fn change(&self, client: Client, whose: &Whose, changes: &[SettingChange]) -> Result<(), Failure> {
        let resource = whose.resource()?;
        let mut steps = self.output.steps();
        if let Err(why) = client.change_settings(&resource, changes, self.dry_run).await {
            return steps.end(Err(why.into()));
        }
        let would = if self.dry_run { "would " } else { "" };
        for SettingChange { name, value } in changes {
            let line = match value {
                Some(value) => format!("{would}set {name}={value} of {resource}"),
                None => format!("{would}unset {name} of {resource}"),
            };
            let changed = !self.dry_run;
            steps.done(
                &line,
                json!({ "of": resource.to_string(), "setting": name, "value": value, "changed": changed }),
            )?;
        }
        steps.end(Ok(()))
    }
}
