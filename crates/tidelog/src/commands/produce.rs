//! `tidelog produce`: records from files or standard input to a topic.
//!
//! Memory is constant: what is not acknowledged is bounded by the producer's buffer, and while that is full nothing is
//! read.

use std::error::Error;
use std::io::{self, IsTerminal};

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use client::{Acks, Client, Producer, ProducerOptions, Topic};
use model::{Random, SystemRandom};
use record::Compression;
use tokio::io::{AsyncBufReadExt, BufReader};

mod input;
mod json;
mod lines;
mod parse;
mod progress;

use super::Failure;
use super::connect::Connect;
use super::output::{Facts, Output, count, tell};
use super::stop::Stop;
use input::Input;
use lines::{Lines, MAX_LINE_BYTES};
use parse::Parser;
use progress::Progress;

/// What is read of an input at a time: a few pipes full.
const READ_BYTES: usize = 256 * 1024;

/// Arguments of `tidelog produce`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  echo hello | tidelog produce greetings
  tidelog produce orders orders.txt --key-separator :         (lines such as 'customer-7:2 apples')
  tidelog produce logs *.log --compression zstd --header host=web-1
  tidelog produce pictures --whole cat.jpg dog.jpg
  tidelog consume orders -b --no-follow -o json | tidelog produce copy --input json

It ends when all records are acknowledged: a majority of their replicas have them on disk. Records with the same key \
go to the same partition, as with Kafka's own clients. A topic that is not there is made, if the broker allows it.")]
pub(crate) struct Produce {
    /// Name of the topic
    topic: String,
    /// What is read, one after the other; - is standard input [default: standard input]
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    #[command(flatten)]
    shape: Shape,
    /// Write each file as one record, as it is
    #[arg(long, conflicts_with_all = ["key_separator", "headers_separator", "null", "input"])]
    whole: bool,
    /// The partition of all records [default: by key, and without a key all in turn]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,
    /// How batches of records are compressed: none, gzip, snappy, lz4, zstd
    #[arg(long, short, default_value = "none", value_parser = compression(), value_name = "CODEC", hide_possible_values = true)]
    compression: Compression,
    /// Who has to have a record before it counts as written: all in-sync replicas, 1 the leader, 0 nobody
    #[arg(long, value_enum, default_value_t = AcksOf::All, value_name = "all|1|0", hide_possible_values = true)]
    acks: AcksOf,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

/// How records are found in what is read.
#[derive(Args)]
struct Shape {
    /// text: a line is a record; json: a line is an object, as `tidelog consume --output json` prints it
    #[arg(long, short, value_enum, default_value_t = Format::Text, value_name = "FORMAT", hide_possible_values = true)]
    input: Format,
    /// What stands between key and value in each line [default: lines have no keys]
    #[arg(long, short, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    key_separator: Option<String>,
    /// What stands behind the headers at the beginning of each line; they are key=value,key=value
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    headers_separator: Option<String>,
    /// A key or value that is this text is none: such a value is a tombstone
    #[arg(long, value_name = "TEXT")]
    null: Option<String>,
    /// The key of all records
    #[arg(long, value_name = "TEXT", conflicts_with = "key_separator")]
    key: Option<String>,
    /// A header of all records; may be given several times
    #[arg(long = "header", value_name = "KEY=VALUE", value_parser = parse_header)]
    headers: Vec<(String, String)>,
    /// Write each record of JSON to the partition that it names
    #[arg(long, conflicts_with = "partition")]
    keep_partitions: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AcksOf {
    All,
    #[value(name = "1")]
    One,
    #[value(name = "0")]
    Zero,
}

impl From<AcksOf> for Acks {
    fn from(acks: AcksOf) -> Self {
        match acks {
            AcksOf::All => Acks::All,
            AcksOf::One => Acks::Leader,
            AcksOf::Zero => Acks::None,
        }
    }
}

impl Produce {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        self.connect.run(|client| self.produce(client))
    }

    async fn produce(&self, client: Client) -> Result<(), Failure> {
        let mut stop = Stop::new()?;
        // Before anything is made or sent: a name may be misspelt.
        let inputs = input::open_all(&self.files).await?;
        let topic = self.topic(&client).await?;
        if self.files.is_empty() && io::stdin().is_terminal() && !self.whole {
            tell("one record a line; Ctrl-D ends");
        }
        let mut producer = Producer::start(client, topic, self.options()).await?;
        let mut progress = Progress::new(&inputs);
        let read = tokio::select! {
            read = self.send_all(inputs, &mut producer, &mut progress) => read,
            () = stop.asked() => Ok(()),
        };
        // What was read before an error, or before Ctrl-C, is not thrown away; a second Ctrl-C does not wait.
        let flushed = tokio::select! {
            flushed = producer.flush() => flushed,
            () = stop.asked() => Ok(producer.written()),
        };
        progress.end();
        let records = producer.written().records;
        match (read, flushed) {
            (Ok(()), Ok(_)) => self.report(records),
            (Err(why), _) => Err(format!("{why} ({records} records were written)").into()),
            (_, Err(why)) => Err(format!("{why} ({records} records were written)").into()),
        }
    }

    async fn topic(&self, client: &Client) -> Result<Topic, Failure> {
        let topic = match client.topic(&self.topic).await {
            Err(client::ClientError::UnknownTopic { .. }) => {
                let made = client.topic_or_create(&self.topic).await?;
                tell(&format!("made the topic {}, since there was none", self.topic));
                made
            }
            found => found?,
        };
        if let Some(partition) = self.partition {
            topic.partition(partition)?;
        }
        Ok(topic)
    }

    fn options(&self) -> ProducerOptions {
        let [a, b, c, d, ..] = SystemRandom.bytes();
        ProducerOptions {
            acks: self.acks.into(),
            compression: self.compression,
            first_partition: u32::from_be_bytes([a, b, c, d]),
            ..ProducerOptions::default()
        }
    }

    /// Programs are told by standard output, people where they watch.
    fn report(&self, records: u64) -> Result<(), Failure> {
        if self.output.is_json() {
            let mut facts = Facts::new();
            facts.fact("topic", self.topic.as_str());
            facts.fact("records", records);
            return Ok(self.output.facts(&facts, None)?);
        }
        let records = count(i64::try_from(records).unwrap_or(i64::MAX), "record");
        tell(&format!("{records} written to {}", self.topic));
        Ok(())
    }

    async fn send_all(
        &self,
        inputs: Vec<Input>,
        producer: &mut Producer,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let parser = Parser::new(&self.shape, self.partition);
        for input in inputs {
            match self.whole {
                true => {
                    let name = input.name.clone();
                    let value = input.read_whole().await?;
                    let parsed = parser.whole(&value);
                    let sent = producer.send(parsed.record(&parser.headers(&parsed))).await;
                    sent.map_err(|why| format!("{name}: {why}"))?;
                    progress.read(value.len(), producer);
                }
                false => send_lines(input, &parser, producer, progress).await?,
            }
        }
        Ok(())
    }
}

async fn send_lines(
    input: Input,
    parser: &Parser<'_>,
    producer: &mut Producer,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let name = input.name;
    let mut input = BufReader::with_capacity(READ_BYTES, input.bytes);
    let mut lines = Lines::default();
    loop {
        let chunk = input.fill_buf().await.map_err(|why| format!("cannot read {name}: {why}"))?;
        let length = chunk.len();
        let mut rest = chunk;
        loop {
            let line = if length == 0 { lines.last() } else { lines.next(&mut rest) };
            let Some(line) = line else { break };
            let place = |why: String| format!("{}line {} {why}", of_file(&name), line.number);
            let Some(parsed) = parser.parse(line.bytes).map_err(place)? else { continue };
            producer.send(parsed.record(&parser.headers(&parsed))).await?;
        }
        progress.read(length, producer);
        if let Some(number) = lines.too_long() {
            return Err(format!("{}line {number} is longer than {MAX_LINE_BYTES} bytes", of_file(&name)).into());
        }
        if length == 0 {
            return Ok(());
        }
        input.consume(length);
    }
}

/// Nothing for standard input, where there is only one.
fn of_file(name: &str) -> String {
    if name == input::STANDARD_INPUT { String::new() } else { format!("{name}: ") }
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, such as source=shop".to_owned()),
    }
}

pub(super) fn compression() -> impl TypedValueParser<Value = Compression> {
    let names = PossibleValuesParser::new(Compression::ALL.map(Compression::name));
    names.map(|name| name.parse().expect("one of the codecs' own names"))
}
