//! `tidelog group`: consumer groups, what they have read, and where they go on.

use std::collections::BTreeMap;
use std::error::Error;

use clap::{Args, Subcommand};
use client::{Client, GroupMember, OffsetAt, TopicPartition};
use serde_json::json;

use super::Failure;
use super::confirm::Confirm;
use super::connect::Connect;
use super::output::{Facts, Output, Table};
use super::target::{Target, parse_target};

/// Subcommands of `tidelog group`.
#[derive(Subcommand)]
pub(crate) enum Group {
    /// List groups: name, state, kind
    List(List),
    /// Show what a group has read of each partition, how far it is behind, and who reads it
    Describe(Describe),
    /// Move a group to other offsets; it must have no members
    #[command(after_help = "\
Nothing is changed without --execute: the table shows what would be.

Examples:
  tidelog group reset-offsets billing --topic orders --to start --execute
  tidelog group reset-offsets billing --topic orders:0 --to 42
  tidelog group reset-offsets billing --to 2h                (the first record of the last two hours)
  tidelog group reset-offsets billing --topic orders --by -100")]
    ResetOffsets(Box<ResetOffsets>),
    /// Delete groups with their offsets; they must have no members
    Delete(Delete),
}

/// Arguments of `tidelog group list`.
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

/// Arguments of `tidelog group describe`.
#[derive(Args)]
pub(crate) struct Describe {
    /// Name of the group
    group: String,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

/// Arguments of `tidelog group reset-offsets`.
#[derive(Args)]
#[group(id = "where", required = true, multiple = false, args = ["to", "by"])]
pub(crate) struct ResetOffsets {
    /// Name of the group
    group: String,
    /// A topic, or one of its partitions as TOPIC:PARTITION; may be given several times [default: all that it has read]
    #[arg(long = "topic", value_name = "TOPIC[:PARTITION]", value_parser = parse_place)]
    topics: Vec<Place>,
    /// start, end, an offset, or a time: 2h (ago), 2026-05-01, 2026-05-01T12:30:00Z
    #[arg(long, value_name = "WHERE", value_parser = parse_target)]
    to: Option<Target>,
    /// So many records forward, or back if negative
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    by: Option<i64>,
    /// Do it
    #[arg(long)]
    execute: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

/// Arguments of `tidelog group delete`.
#[derive(Args)]
pub(crate) struct Delete {
    /// Names of the groups
    #[arg(required = true, value_name = "GROUP")]
    groups: Vec<String>,
    #[command(flatten)]
    confirm: Confirm,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

/// A topic, or one partition of it.
#[derive(Clone)]
struct Place {
    topic: String,
    partition: Option<i32>,
}

impl Group {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Group::List(list) => list.connect.run(|client| list.print(client)),
            Group::Describe(describe) => describe.connect.run(|client| describe.print(client)),
            Group::ResetOffsets(reset) => reset.connect.run(|client| reset.run(client)),
            Group::Delete(delete) => delete.connect.run(|client| delete.delete(client)),
        }
    }
}

impl List {
    async fn print(&self, client: Client) -> Result<(), Failure> {
        let mut table = Table::new("groups", &["group", "state", "kind"]);
        for group in client.groups().await? {
            table.row([group.id.into(), group.state.into(), group.kind.into()]);
        }
        Ok(self.output.table(&table)?)
    }
}

impl Describe {
    async fn print(&self, client: Client) -> Result<(), Failure> {
        let group = client.group(&self.group).await?;
        let committed = client.committed(&self.group).await?;
        let mut readers: BTreeMap<&TopicPartition, &GroupMember> = BTreeMap::new();
        for member in &group.members {
            readers.extend(member.partitions.iter().map(|place| (place, member)));
        }
        let mut places: Vec<TopicPartition> = committed.keys().chain(readers.keys().copied()).cloned().collect();
        places.sort();
        places.dedup();
        let ends = offsets_of(&client, &places, OffsetAt::End).await?;
        let headings = ["topic", "partition", "committed", "end", "lag", "client", "host", "member"];
        let mut table = Table::new("partitions", &headings).show(7);
        for place in &places {
            let (committed, end) = (committed.get(place).copied(), ends.get(place).copied());
            let lag = committed.zip(end).map(|(committed, end)| (end - committed).max(0));
            let reader = readers.get(place);
            table.row([
                place.0.as_str().into(),
                place.1.into(),
                committed.into(),
                end.into(),
                lag.into(),
                reader.map(|reader| reader.client_id.as_str()).into(),
                reader.map(|reader| reader.host.as_str()).into(),
                reader.map(|reader| reader.id.as_str()).into(),
            ]);
        }
        let mut facts = Facts::new();
        facts.fact("group", group.id);
        facts.fact("state", group.state);
        facts.fact("assignor", group.assignor);
        facts.fact("coordinator", group.coordinator.0);
        facts.fact("members", group.members.len());
        Ok(self.output.facts(&facts, Some(&table))?)
    }
}

impl Delete {
    async fn delete(&self, client: Client) -> Result<(), Failure> {
        self.confirm.ask(&format!("This deletes with all committed offsets: {}", self.groups.join(", ")))?;
        let mut steps = self.output.steps();
        for group in &self.groups {
            if let Err(why) = client.delete_group(group).await {
                return steps.end(Err(why.into()));
            }
            steps.done(&format!("deleted {group}"), json!({ "group": group, "deleted": true }))?;
        }
        steps.end(Ok(()))
    }
}

impl ResetOffsets {
    async fn run(&self, client: Client) -> Result<(), Failure> {
        let committed = client.committed(&self.group).await?;
        let places = self.places(&client, &committed).await?;
        let starts = offsets_of(&client, &places, OffsetAt::Start).await?;
        let ends = offsets_of(&client, &places, OffsetAt::End).await?;
        let wanted = self.wanted(&client, &places, &committed).await?;

        let mut reset = BTreeMap::new();
        let mut table = Table::new("partitions", &["topic", "partition", "from", "to"]);
        for place in places {
            let (start, end) = (starts.get(&place).copied().unwrap_or(0), ends.get(&place).copied().unwrap_or(0));
            // No record is so young, or the group has read nothing: it waits for what comes.
            let to = wanted.get(&place).copied().unwrap_or(end).clamp(start, end);
            let from = committed.get(&place).copied();
            table.row([place.0.as_str().into(), place.1.into(), from.into(), to.into()]);
            reset.insert(place, to);
        }
        if self.execute {
            client.commit(&self.group, &reset).await?;
        }
        self.output.table(&table)?;
        if !self.execute {
            eprintln!("nothing is changed: add --execute to do it");
        }
        Ok(())
    }

    /// The partitions that are meant.
    async fn places(
        &self,
        client: &Client,
        committed: &BTreeMap<TopicPartition, i64>,
    ) -> Result<Vec<TopicPartition>, Failure> {
        if self.topics.is_empty() {
            if committed.is_empty() {
                return Err(format!("group {} has committed nothing: say which --topic is meant", self.group).into());
            }
            return Ok(committed.keys().cloned().collect());
        }
        let mut places = Vec::new();
        for Place { topic, partition } in &self.topics {
            let found = client.topic(topic).await?;
            let all = found.partitions.iter().map(|partition| partition.index);
            let wanted = all.filter(|index| partition.is_none_or(|partition| partition == *index));
            let before = places.len();
            places.extend(wanted.map(|index| (topic.clone(), index)));
            if places.len() == before {
                let count = found.partitions.len();
                return Err(format!("topic {topic} has no such partition: it has {count}, from 0 on").into());
            }
        }
        places.sort();
        places.dedup();
        Ok(places)
    }

    /// Where they are to go; those that are left out go to the end.
    async fn wanted(
        &self,
        client: &Client,
        places: &[TopicPartition],
        committed: &BTreeMap<TopicPartition, i64>,
    ) -> Result<BTreeMap<TopicPartition, i64>, Failure> {
        if let Some(by) = self.by {
            let moved = |(place, offset): (&TopicPartition, &i64)| (place.clone(), offset.saturating_add(by));
            return Ok(committed.iter().map(moved).collect());
        }
        match self.to {
            Some(Target::Place(at)) => offsets_of(client, places, at).await,
            Some(Target::Offset(offset)) => Ok(places.iter().map(|place| (place.clone(), offset)).collect()),
            None => Ok(BTreeMap::new()),
        }
    }
}

/// The offset in each of the partitions. Those of topics that are gone, and those where no record is so young, are left
/// out.
async fn offsets_of(
    client: &Client,
    places: &[TopicPartition],
    at: OffsetAt,
) -> Result<BTreeMap<TopicPartition, i64>, Failure> {
    let mut by_topic: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, index) in places {
        by_topic.entry(topic).or_default().push(*index);
    }
    let mut found = BTreeMap::new();
    for (name, indexes) in by_topic {
        let topic = match client.topic(name).await {
            Ok(topic) => topic,
            Err(client::ClientError::UnknownTopic { .. }) => continue,
            Err(why) => return Err(why.into()),
        };
        let offsets = client.list_offsets(&topic, &indexes, at).await?;
        found.extend(offsets.into_iter().map(|(index, offset)| ((name.to_owned(), index), offset)));
    }
    Ok(found)
}

fn parse_place(text: &str) -> Result<Place, String> {
    let Some((topic, partition)) = text.split_once(':') else {
        return Ok(Place { topic: text.to_owned(), partition: None });
    };
    match partition.parse() {
        Ok(partition @ 0..) => Ok(Place { topic: topic.to_owned(), partition: Some(partition) }),
        _ => Err("write TOPIC or TOPIC:PARTITION, such as orders:0".to_owned()),
    }
}
