//! `tidelog topic delete-records`

use std::error::Error;

use clap::Args;
use client::{Client, OffsetAt};

use super::super::Failure;
use super::super::confirm::Confirm;
use super::super::connect::Connect;
use super::super::output::{Output, Table, count};
use super::super::target::{Target, parse_target};

/// Arguments of `tidelog topic delete-records`.
#[derive(Args)]
pub(crate) struct DeleteRecords {
    /// Name of the topic
    topic: String,
    /// The first record that stays: an offset, end, or a time: 2h (ago), 2026-05-01, 2026-05-01T12:30:00Z
    #[arg(long, value_name = "WHERE", value_parser = parse_target)]
    before: Target,
    /// Only of this partition; may be given several times [default: all]
    #[arg(long = "partition", short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partitions: Vec<i32>,
    #[command(flatten)]
    confirm: Confirm,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

impl DeleteRecords {
    pub(super) fn run(&self) -> Result<(), Box<dyn Error>> {
        self.connect.run(|client| self.delete(client))
    }

    async fn delete(&self, client: Client) -> Result<(), Failure> {
        let topic = client.topic(&self.topic).await?;
        let partitions = topic.choose(&self.partitions)?;
        let starts = client.list_offsets(&topic, &partitions, OffsetAt::Start).await?;
        let ends = client.list_offsets(&topic, &partitions, OffsetAt::End).await?;
        let mut before = match self.before {
            Target::Offset(offset) => partitions.iter().map(|partition| (*partition, offset)).collect(),
            Target::Place(at) => {
                // Where no record is so young, all are older.
                let mut found = ends.clone();
                found.extend(client.list_offsets(&topic, &partitions, at).await?);
                found
            }
        };
        for (partition, offset) in &mut before {
            let (start, end) = (starts[partition], ends[partition]);
            if *offset > end {
                let name = &topic.name;
                return Err(format!("{name}-{partition} has no offset {offset}: it ends at {end}").into());
            }
            *offset = (*offset).max(start);
        }
        let number: i64 = before.iter().map(|(partition, offset)| offset - starts[partition]).sum();
        let offsets = count(number, "offset");
        self.confirm.ask(&format!("This deletes the first {offsets} of {}, with their records.", topic.name))?;
        let now = client.delete_records(&topic, &before).await?;
        let mut table = Table::new("partitions", &["partition", "start was", "start", "end"]);
        for partition in partitions {
            let start = now.get(&partition).copied();
            table.row([partition.into(), starts[&partition].into(), start.into(), ends[&partition].into()]);
        }
        Ok(self.output.table(&table)?)
    }
}
