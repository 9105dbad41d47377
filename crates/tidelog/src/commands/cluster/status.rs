//! `tidelog cluster status`: how the cluster is, and what is wrong with it.

use std::error::Error;

use clap::Args;
use client::{Client, ClusterBroker, Quorum};
use model::BrokerId;
use serde_json::Value;

use super::health::{Problem, Seen};
use crate::commands::Failure;
use crate::commands::connect::Connect;
use crate::commands::output::{Facts, Output, Table, count, print_text};

/// Partitions that are shown one by one; programs see all.
const MOST_SHOWN: usize = 20;

/// Arguments of `tidelog cluster status`.
#[derive(Args)]
pub(crate) struct Status {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

impl Status {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        self.connect.run(|client| print_status(client, self.output))
    }
}

async fn print_status(client: Client, output: Output) -> Result<(), Failure> {
    let seen = look(&client).await?;
    let problems = seen.problems();
    let mut facts = Facts::new();
    facts.fact("cluster", seen.cluster.id.as_str());
    facts.fact("healthy", problems.is_empty());
    facts.fact("controller", seen.controller.as_ref().and_then(|group| group.leader).map(|id| id.0));
    let voters = seen.controller.iter().flat_map(|group| &group.voters).map(|voter| voter.id.0);
    facts.fact("controller voters", voters.collect::<Vec<i32>>());
    let tables = [brokers(&seen), shards(&seen), lacking(&seen, output), problem_table(&problems)];
    let shown = if output.is_json() { &tables[..] } else { &tables[..3] };
    output.facts(&facts, shown)?;
    if problems.is_empty() {
        return Ok(());
    }
    if !output.is_json() {
        let lines = problems.iter().map(|Problem { what, remedy }| format!("\n! {what}\n  {remedy}\n"));
        print_text(&lines.collect::<String>())?;
    }
    let number = i64::try_from(problems.len()).unwrap_or(i64::MAX);
    Err(format!("the cluster has {}", count(number, "problem")).into())
}

/// Asks for all there is to know.
pub(super) async fn look(client: &Client) -> Result<Seen, Failure> {
    let cluster = client.describe_cluster().await?;
    let controller = match cluster.controller {
        Some(_) => Some(client.controller().await?),
        None => None,
    };
    Ok(Seen {
        topics: client.topics().await?,
        shards: client.shards().await?,
        drained: client.drained_brokers().await?,
        cluster,
        controller,
    })
}

fn brokers(seen: &Seen) -> Table {
    let mut table = Table::new("brokers", &["broker", "state", "address", "rack", "leads", "carries", "votes"]);
    let there = seen.cluster.brokers.iter().map(|broker| (broker, true));
    let away = seen.cluster.away.iter().map(|broker| (broker, false));
    let mut all: Vec<(&ClusterBroker, bool)> = there.chain(away).collect();
    all.sort_by_key(|(broker, _)| broker.id);
    for (broker, is_there) in all {
        let (leads, carries) = seen.load(broker.id);
        let state = match (is_there, seen.drained.contains(&broker.id)) {
            (true, false) => "serves",
            (true, true) if carries == 0 && !seen.votes(broker.id) => "drained",
            (true, true) => "draining",
            (false, false) => "away",
            (false, true) => "away, drained",
        };
        table.row([
            broker.id.0.into(),
            state.into(),
            broker.address.to_string().into(),
            broker.rack.clone().into(),
            leads.into(),
            carries.into(),
            seen.votes(broker.id).into(),
        ]);
    }
    table
}

/// Where the members of each shard are; of the one that is furthest behind, how many entries.
fn shards(seen: &Seen) -> Table {
    let mut table = Table::new("shards", &["shard", "leader", "term", "members", "learners", "lag"]);
    let ids = |members: &[client::QuorumMember]| members.iter().map(|member| member.id.0).collect::<Vec<i32>>();
    for shard in &seen.shards {
        let Quorum { group, leader, term, voters, observers } = shard;
        let lag = shard.members().map(|member| member.lag).max_by_key(|lag| lag.unwrap_or(i64::MAX)).flatten();
        table.row([
            (*group).into(),
            leader.map(|id| id.0).into(),
            (*term).into(),
            ids(voters).into(),
            ids(observers).into(),
            lag.into(),
        ]);
    }
    table
}

fn lacking(seen: &Seen, output: Output) -> Table {
    let mut table = Table::new("under replicated partitions", &["partition", "leader", "not in sync"]);
    let most = if output.is_json() { usize::MAX } else { MOST_SHOWN };
    for partition in seen.lacking().take(most) {
        let missing: Vec<i32> = partition.missing.iter().map(|id: &BrokerId| id.0).collect();
        let name = format!("{}-{}", partition.topic, partition.index);
        table.row([name.into(), partition.leader.map(|id| id.0).into(), missing.into()]);
    }
    let more = seen.lacking().count().saturating_sub(most);
    if more > 0 {
        table.row([format!("and {more} more").into(), Value::Null, Value::Null]);
    }
    table
}

fn problem_table(problems: &[Problem]) -> Table {
    let mut table = Table::new("problems", &["problem", "remedy"]);
    for Problem { what, remedy } in problems {
        table.row([what.as_str().into(), remedy.as_str().into()]);
    }
    table
}
