//! `tidelog topic`: making, listing, describing, changing and deleting topics.

use std::error::Error;

use clap::{Args, Subcommand};
use client::{Client, NewTopic, OffsetAt, Resource, SettingSource};
use model::ErrorCode;
use serde_json::{Map, Value, json};

mod alter;
mod delete_records;

use super::Failure;
use super::confirm::Confirm;
use super::connect::Connect;
use super::output::{Facts, Output, Table, count};
use alter::Alter;
use delete_records::DeleteRecords;

/// Subcommands of `tidelog topic`.
#[derive(Subcommand)]
pub(crate) enum Topic {
    /// Make topics
    #[command(after_help = "\
Examples:
  tidelog topic create orders
  tidelog topic create orders --partitions 3 --set retention.ms=86400000
  tidelog topic create users --set cleanup.policy=compact")]
    Create(Create),
    /// List topics: name, partitions, replicas
    List(List),
    /// Show a topic's settings and partitions: leader, replicas, offsets
    Describe(Describe),
    /// Change a topic's settings, or add partitions to it
    #[command(after_help = "\
Examples:
  tidelog topic alter orders --set retention.ms=86400000 --unset max.message.bytes
  tidelog topic alter orders --partitions 6")]
    Alter(Alter),
    /// Delete the first records of a topic, up to an offset or a time
    #[command(after_help = "\
Examples:
  tidelog topic delete-records orders --before 30d            (what is older than 30 days)
  tidelog topic delete-records orders --partition 2 --before 1000
  tidelog topic delete-records orders --before end            (all there is)")]
    DeleteRecords(DeleteRecords),
    /// Delete topics with all their records
    Delete(Delete),
}

/// Arguments of `tidelog topic create`.
#[derive(Args)]
pub(crate) struct Create {
    /// Names of the topics
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    /// How many partitions: the most consumers of a group that can share the work [default: the broker's num.partitions]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    /// How many brokers keep each partition [default: the broker's default.replication.factor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i16).range(1..))]
    replication_factor: Option<i16>,
    /// A setting by Kafka's name, such as retention.ms=86400000; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse_setting)]
    settings: Vec<(String, String)>,
    /// Do nothing if there is such a topic
    #[arg(long)]
    if_not_exists: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

/// Arguments of `tidelog topic list`.
#[derive(Args)]
pub(crate) struct List {
    /// Also topics that brokers write themselves
    #[arg(long)]
    internal: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

/// Arguments of `tidelog topic describe`.
#[derive(Args)]
pub(crate) struct Describe {
    /// Name of the topic
    topic: String,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

/// Arguments of `tidelog topic delete`.
#[derive(Args)]
pub(crate) struct Delete {
    /// Names of the topics
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    #[command(flatten)]
    confirm: Confirm,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

impl Topic {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Topic::Create(create) => create.connect.run(|client| create.create(client)),
            Topic::List(list) => list.connect.run(|client| list.print(client)),
            Topic::Describe(describe) => describe.connect.run(|client| describe.print(client)),
            Topic::Alter(alter) => alter.run(),
            Topic::DeleteRecords(delete) => delete.run(),
            Topic::Delete(delete) => delete.connect.run(|client| delete.delete(client)),
        }
    }
}

impl Create {
    async fn create(&self, client: Client) -> Result<(), Failure> {
        let mut steps = self.output.steps();
        for name in &self.topics {
            let (line, object) = match self.create_one(&client, name).await {
                Ok(Some((partitions, replicas))) => (
                    format!("created {name}: {}, {}", count(partitions, "partition"), count(replicas, "replica")),
                    json!({ "topic": name, "created": true, "partitions": partitions, "replicas": replicas }),
                ),
                Ok(None) => (format!("{name} is there already"), json!({ "topic": name, "created": false })),
                Err(why) => return steps.end(Err(why)),
            };
            steps.done(&line, object)?;
        }
        steps.end(Ok(()))
    }

    /// Its partitions and replicas; nothing if there is such a topic, and that is allowed.
    async fn create_one(&self, client: &Client, name: &str) -> Result<Option<(i32, i16)>, Failure> {
        let new = NewTopic {
            name: name.to_owned(),
            partitions: self.partitions,
            replication_factor: self.replication_factor,
            settings: self.settings.clone(),
        };
        match client.create_topic(&new).await {
            Ok(made) => Ok(Some(made)),
            Err(why) if self.if_not_exists && why.code() == Some(ErrorCode::TopicAlreadyExists) => Ok(None),
            Err(why) => Err(why.into()),
        }
    }
}

impl List {
    async fn print(&self, client: Client) -> Result<(), Failure> {
        let mut table = Table::new("topics", &["topic", "partitions", "replicas", "id", "internal"]).show(3);
        for topic in client.topics().await?.into_iter().filter(|topic| self.internal || !topic.is_internal) {
            let replicas = topic.partitions.first().map_or(0, |partition| partition.replicas.len());
            let id = topic.id.to_string();
            table.row([
                topic.name.into(),
                topic.partitions.len().into(),
                replicas.into(),
                id.into(),
                topic.is_internal.into(),
            ]);
        }
        Ok(self.output.table(&table)?)
    }
}

impl Describe {
    async fn print(&self, client: Client) -> Result<(), Failure> {
        let topic = client.topic(&self.topic).await?;
        let all: Vec<i32> = topic.partitions.iter().map(|partition| partition.index).collect();
        let starts = client.list_offsets(&topic, &all, OffsetAt::Start).await?;
        let ends = client.list_offsets(&topic, &all, OffsetAt::End).await?;
        let mut table = Table::new("partitions", &["partition", "leader", "replicas", "in sync", "start", "end"]);
        for partition in &topic.partitions {
            let ids = |brokers: &[model::BrokerId]| brokers.iter().map(|id| id.0).collect::<Vec<_>>();
            table.row([
                partition.index.into(),
                partition.leader.map(|leader| leader.0).into(),
                ids(&partition.replicas).into(),
                ids(&partition.in_sync).into(),
                starts.get(&partition.index).copied().into(),
                ends.get(&partition.index).copied().into(),
            ]);
        }
        let mut facts = Facts::new();
        facts.fact("topic", topic.name.as_str());
        facts.fact("id", topic.id.to_string());
        facts.count("partitions", topic.partitions.len());
        facts.fact("settings", own_settings(&client, &topic.name).await?);
        Ok(self.output.facts(&facts, Some(&table))?)
    }
}

/// What the topic itself was told, without what it takes from the broker.
async fn own_settings(client: &Client, topic: &str) -> Result<Map<String, Value>, Failure> {
    let settings = client.settings(&Resource::Topic(topic.to_owned())).await?.into_iter();
    let own = settings.filter(|setting| setting.source == SettingSource::Topic);
    Ok(own.map(|setting| (setting.name, setting.value.into())).collect())
}

impl Delete {
    async fn delete(&self, client: Client) -> Result<(), Failure> {
        self.confirm.ask(&format!("This deletes with all records: {}", self.topics.join(", ")))?;
        let mut steps = self.output.steps();
        for name in &self.topics {
            if let Err(why) = client.delete_topic(name).await {
                return steps.end(Err(why.into()));
            }
            steps.done(&format!("deleted {name}"), json!({ "topic": name, "deleted": true }))?;
        }
        steps.end(Ok(()))
    }
}

/// `KEY=VALUE`, as on the command line everywhere.
pub(super) fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, such as retention.ms=86400000".to_owned()),
    }
}
