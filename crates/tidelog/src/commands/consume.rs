//! `tidelog consume`: the records of topics, and those to come.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use client::{Client, OffsetAt, ReaderOptions, Readers, Topic, TopicPartition};
use tokio::sync::watch;
use tokio::task::block_in_place;
use tokio::time::timeout;

mod format;
mod member;
mod pattern;
mod print;
mod start;

use super::Failure;
use super::connect::Connect;
use super::output::tell;
use super::stop::{Stop, output_closed};
use super::target::parse_time;
use format::Format;
use print::{Halt, Printer};
use start::Start;

/// How long a member that is to end may take to write out what it has read, and to leave its group.
const LEAVE_LIMIT: Duration = Duration::from_secs(2);

/// Arguments of `tidelog consume`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tidelog consume greetings --from-beginning
  tidelog consume orders --last 10 --print-key
  tidelog consume orders --from 1h --no-follow --output json | jq .value
  tidelog consume orders --partition 2 --offset 1000 --count 1
  tidelog consume orders payments --format '%t %p:%o %k %s\\n'
  tidelog consume orders --group billing --from-beginning
  tidelog consume orders -b --no-follow -o json | tidelog produce copy --input json

Without --group it joins no consumer group and commits nothing. With it, it shares the partitions with the other \
members, begins where the group has got to (or where it is told, if the group has not read the partition yet), and \
commits what is printed: records are printed again if it dies in between. Records of one partition come in order.")]
pub(crate) struct Consume {
    /// Names of the topics
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    #[command(flatten)]
    start: Start,
    /// End before the first record of this time or later, or where the topic ends now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<i64>,
    /// End after so many records
    #[arg(long, short = 'n', value_name = "N")]
    count: Option<u64>,
    /// End where the topic ends now, instead of waiting for more
    #[arg(long)]
    no_follow: bool,
    /// Only this partition; may be given several times [default: all]
    #[arg(long = "partition", short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partitions: Vec<i32>,
    /// Read as a member of this consumer group
    #[arg(long, short, value_name = "GROUP", conflicts_with_all = ["partitions", "offset", "last"])]
    group: Option<String>,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connect: Connect,
}

/// Ends and beginnings by partition.
type Places = BTreeMap<TopicPartition, i64>;

impl Consume {
    pub(crate) fn run(mut self) -> Result<(), Box<dyn Error>> {
        self.topics.sort();
        self.topics.dedup();
        let consume = Arc::new(self);
        consume.connect.run(|client| consume.clone().consume(client))
    }

    /// Prints in a task of its own: a write to a pipe that nobody empties must not keep it from being stopped.
    async fn consume(self: Arc<Self>, client: Client) -> Result<(), Failure> {
        let mut stop = Stop::new()?;
        let (end, ended) = watch::channel(false);
        let is_member = self.group.is_some();
        let mut printing = tokio::spawn(async move { self.print(client, ended).await });
        tokio::select! {
            biased;
            () = stop.asked() => {}
            () = output_closed() => {}
            done = &mut printing => return done?,
        }
        end.send_replace(true);
        if !is_member {
            return Ok(());
        }
        // Left for the group to notice if it is still not out, or is asked once more.
        tokio::select! {
            biased;
            () = stop.asked() => Ok(()),
            done = timeout(LEAVE_LIMIT, printing) => done.unwrap_or(Ok(Ok(())))?,
        }
    }

    async fn print(&self, client: Client, ended: watch::Receiver<bool>) -> Result<(), Failure> {
        let printed = match &self.group {
            Some(group) => self.print_as_member(client, group, ended).await,
            None => self.print_alone(client).await,
        };
        match printed {
            Ok(()) | Err(Halt::Done) => Ok(()),
            // Who closed the pipe has seen enough.
            Err(Halt::Output(why)) if why.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(Halt::Output(why)) => Err(format!("cannot write to standard output: {why}").into()),
            Err(Halt::Client(why)) => Err(why.into()),
            Err(Halt::Asked(why)) => Err(why),
        }
    }

    async fn print_alone(&self, client: Client) -> Result<(), Halt> {
        let mut topics = Vec::new();
        let mut ends = Places::new();
        for name in &self.topics {
            let topic = client.topic(name).await?;
            let partitions = topic.choose(&self.partitions)?;
            let (positions, topic_ends) = self.range(&client, &topic, &partitions).await?;
            ends.extend(topic_ends);
            topics.push((topic, positions));
        }
        if self.start.is_default() && !self.is_bounded() {
            let names = self.topics.join(", ");
            tell(&format!("waiting for new records of {names}; --from-beginning shows those that are there"));
        }
        let mut at: Places = topics.iter().flat_map(|(topic, positions)| places(topic, positions)).collect();
        let mut printer = Printer::new(self.format.style(), self.count);
        let mut readers = Readers::start(&client, topics, ReaderOptions::default());
        while !printer.is_done() && !self.has_reached(&at, &ends) {
            let fetched = readers.next().await?;
            // Blocks while the pipe is full.
            block_in_place(|| printer.print(&fetched, &ends))?;
            at.extend(
                fetched
                    .iter()
                    .map(|fetched| ((fetched.topic().to_owned(), fetched.partition()), fetched.next_offset())),
            );
        }
        Ok(())
    }

    /// Where to begin in a topic's partitions, and where to end, if there is an end.
    async fn range(
        &self,
        client: &Client,
        topic: &Topic,
        partitions: &[i32],
    ) -> Result<(BTreeMap<i32, i64>, Places), Halt> {
        let ends = client.list_offsets(topic, partitions, OffsetAt::End).await?;
        let positions = self.start.positions(client, topic, partitions, &ends).await?;
        let mut until = ends;
        if let Some(moment) = self.until {
            until.extend(client.list_offsets(topic, partitions, OffsetAt::Timestamp(moment)).await?);
        }
        Ok((positions, if self.is_bounded() { places(topic, &until).collect() } else { Places::new() }))
    }

    /// Whether it ends without being stopped, and without a count.
    fn is_bounded(&self) -> bool {
        self.no_follow || self.until.is_some()
    }

    fn has_reached(&self, at: &Places, ends: &Places) -> bool {
        self.is_bounded() && at.iter().all(|(place, at)| ends.get(place).is_none_or(|end| at >= end))
    }
}

fn places(topic: &Topic, offsets: &BTreeMap<i32, i64>) -> impl Iterator<Item = (TopicPartition, i64)> {
    offsets.iter().map(|(partition, offset)| ((topic.name.clone(), *partition), *offset))
}
