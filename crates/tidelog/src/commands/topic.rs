//! `tidelog topic`: making, listing, describing and deleting topics.

use std::error::Error;

use clap::{Args, Subcommand};
use client::{Client, NewTopic, OffsetAt};
use model::ErrorCode;

use super::Failure;
use super::connect::Connect;
use super::table::{self, Facts, Table};

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
    connect: Connect,
}

/// Arguments of `tidelog topic list`.
#[derive(Args)]
pub(crate) struct List {
    /// Also topics that brokers write themselves
    #[arg(long)]
    internal: bool,
    #[command(flatten)]
    connect: Connect,
}

/// Arguments of `tidelog topic describe`.
#[derive(Args)]
pub(crate) struct Describe {
    /// Name of the topic
    topic: String,
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
    connect: Connect,
}

impl Topic {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Topic::Create(create) => create.connect.run(|client| create.create(client)),
            Topic::List(list) => list.connect.run(|client| print_all(client, list.internal)),
            Topic::Describe(describe) => describe.connect.run(|client| print_one(client, &describe.topic)),
            Topic::Delete(delete) => delete.connect.run(|client| delete_all(client, &delete.topics)),
        }
    }
}

impl Create {
    async fn create(&self, client: Client) -> Result<(), Failure> {
        for name in &self.topics {
            let new = NewTopic {
                name: name.clone(),
                partitions: self.partitions,
                replication_factor: self.replication_factor,
                settings: self.settings.clone(),
            };
            match client.create_topic(&new).await {
                Ok((partitions, replicas)) => {
                    let (partitions, replicas) = (count(partitions, "partition"), count(replicas, "replica"));
                    table::print_line(&format!("created {name}: {partitions}, {replicas}"))?;
                }
                Err(why) if self.if_not_exists && why.code() == Some(ErrorCode::TopicAlreadyExists) => {
                    table::print_line(&format!("{name} is there already"))?;
                }
                Err(why) => return Err(why.into()),
            }
        }
        Ok(())
    }
}

async fn print_all(client: Client, internal: bool) -> Result<(), Failure> {
    let mut table = Table::new(&["topic", "partitions", "replicas"]);
    for topic in client.topics().await?.into_iter().filter(|topic| internal || !topic.is_internal) {
        let replicas = topic.partitions.first().map_or(0, |partition| partition.replicas.len());
        table.row([topic.name, topic.partitions.len().to_string(), replicas.to_string()]);
    }
    Ok(table::print(None, Some(&table))?)
}

async fn print_one(client: Client, name: &str) -> Result<(), Failure> {
    let topic = client.topic(name).await?;
    let all: Vec<i32> = topic.partitions.iter().map(|partition| partition.index).collect();
    let starts = client.list_offsets(&topic, &all, OffsetAt::Start).await?;
    let ends = client.list_offsets(&topic, &all, OffsetAt::End).await?;
    let mut table = Table::new(&["partition", "leader", "replicas", "in sync", "start", "end"]);
    for partition in &topic.partitions {
        let offset = |of: Option<&client::OffsetFound>| of.map_or_else(String::new, |found| found.offset.to_string());
        table.row([
            partition.index.to_string(),
            partition.leader.map_or("none".to_owned(), |leader| leader.to_string()),
            table::list(&partition.replicas),
            table::list(&partition.in_sync),
            offset(starts.get(&partition.index)),
            offset(ends.get(&partition.index)),
        ]);
    }
    let mut facts = Facts::new();
    facts.fact("topic", &topic.name);
    facts.fact("id", topic.id);
    facts.fact("partitions", topic.partitions.len());
    facts.fact("settings", own_settings(&client, name).await?);
    Ok(table::print(Some(&facts), Some(&table))?)
}

/// What the topic itself was told, without what it takes from the broker.
async fn own_settings(client: &Client, topic: &str) -> Result<String, Failure> {
    let settings = client.topic_settings(topic).await?.into_iter().filter(|setting| setting.is_own);
    let settings = settings.map(|setting| format!("{}={}", setting.name, setting.value.unwrap_or_default()));
    Ok(settings.collect::<Vec<_>>().join(" "))
}

async fn delete_all(client: Client, names: &[String]) -> Result<(), Failure> {
    for name in names {
        client.delete_topic(name).await?;
        table::print_line(&format!("deleted {name}"))?;
    }
    Ok(())
}

fn count(number: impl Into<i64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, such as retention.ms=86400000".to_owned()),
    }
}
