//! `tidelog consume`: the records of a topic, and those to come.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, IsTerminal};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use client::{Client, Fetched, OffsetAt, Reader, ReaderOptions};
use tokio::task::block_in_place;

mod print;
mod start;

use super::Failure;
use super::connect::Connect;
use super::stop::{Stop, output_closed};
use print::{Halt, Printer};
use start::Start;

/// Arguments of `tidelog consume`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tidelog consume greetings --from-beginning
  tidelog consume orders --last 10 --print-key
  tidelog consume orders --from 1h --no-follow --output json | jq .value
  tidelog consume orders --partition 2 --offset 1000 --count 1

It joins no consumer group and commits nothing. Records of one partition come in order.")]
pub(crate) struct Consume {
    /// Name of the topic
    topic: String,
    #[command(flatten)]
    start: Start,
    /// Only this partition; may be given several times [default: all]
    #[arg(long = "partition", short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partitions: Vec<i32>,
    /// End after so many records
    #[arg(long, short = 'n', value_name = "N")]
    count: Option<u64>,
    /// End where the topic ends now, instead of waiting for more
    #[arg(long)]
    no_follow: bool,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connect: Connect,
}

/// What is printed of each record.
#[derive(Args)]
struct Format {
    /// Text prints the value of a record in a line; json prints all of it as an object in a line
    #[arg(long, short, value_enum, default_value_t = Output::Text, env = "TIDELOG_OUTPUT", value_name = "FORMAT")]
    output: Output,
    /// Print when each record was written, in UTC
    #[arg(long)]
    print_timestamp: bool,
    /// Print each record's partition
    #[arg(long)]
    print_partition: bool,
    /// Print each record's offset
    #[arg(long)]
    print_offset: bool,
    /// Print each record's headers, as key=value,key=value
    #[arg(long)]
    print_headers: bool,
    /// Print each record's key
    #[arg(long)]
    print_key: bool,
    /// What stands between the parts of a line [default: a tab]
    #[arg(long, value_name = "TEXT", default_value = "\t", hide_default_value = true)]
    separator: String,
}

/// How records are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

impl Consume {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let consume = Arc::new(self);
        consume.connect.run(|client| consume.clone().consume(client))
    }

    /// Prints in a task of its own: a write to a pipe that nobody empties must not keep it from being stopped.
    async fn consume(self: Arc<Self>, client: Client) -> Result<(), Failure> {
        let mut stop = Stop::new()?;
        let printing = tokio::spawn(async move { self.print(client).await });
        tokio::select! {
            biased;
            () = stop.asked() => Ok(()),
            () = output_closed() => Ok(()),
            done = printing => done?,
        }
    }

    async fn print(&self, client: Client) -> Result<(), Failure> {
        let topic = client.topic(&self.topic).await?;
        let partitions = topic.choose(&self.partitions)?;
        let ends = client.list_offsets(&topic, &partitions, OffsetAt::End).await?;
        let ends: BTreeMap<i32, i64> = ends.into_iter().map(|(partition, end)| (partition, end.offset)).collect();
        let positions = self.start.positions(&client, &topic, &partitions, &ends).await?;
        if self.start.is_default() && !self.no_follow && io::stderr().is_terminal() {
            eprintln!("waiting for new records of {}; --from-beginning shows those that are there", self.topic);
        }
        let reader = Reader::new(client, topic, positions, ReaderOptions::default());
        let ends = if self.no_follow { ends } else { BTreeMap::new() };
        match self.print_all(reader, &ends).await {
            Ok(()) | Err(Halt::Done) => Ok(()),
            // Who closed the pipe has seen enough.
            Err(Halt::Output(why)) if why.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(Halt::Output(why)) => Err(format!("cannot write to standard output: {why}").into()),
            Err(Halt::Client(why)) => Err(why.into()),
        }
    }

    /// Prints what comes, up to the given ends, or without end where there is none.
    async fn print_all(&self, mut reader: Reader, ends: &BTreeMap<i32, i64>) -> Result<(), Halt> {
        let mut printer = Printer::new(&self.topic, &self.format, self.count);
        while !printer.is_done() && !has_reached(&reader, ends) {
            let fetched = reader.next().await?;
            // Blocks while the pipe is full.
            block_in_place(|| print_fetched(&mut printer, &fetched, ends))?;
        }
        Ok(())
    }
}

/// Prints it before more is waited for, and before an error is reported.
fn print_fetched(printer: &mut Printer<'_>, fetched: &[Fetched], ends: &BTreeMap<i32, i64>) -> Result<(), Halt> {
    let printed = fetched.iter().try_for_each(|fetched| {
        let end = ends.get(&fetched.partition()).copied();
        match fetched.for_each(|record| printer.print(fetched.partition(), &record, end)) {
            Err(Halt::Done) => Ok(()),
            printed => printed,
        }
    });
    printer.flush()?;
    printed
}

/// Whether all partitions have an end, and are there.
fn has_reached(reader: &Reader, ends: &BTreeMap<i32, i64>) -> bool {
    reader.positions().iter().all(|(partition, position)| ends.get(partition).is_some_and(|end| position >= end))
}
