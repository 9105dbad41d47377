//! `tidelog produce`: lines from standard input to a topic.
//!
//! Memory is constant: what is not acknowledged is bounded by the producer's buffer, and while that is full standard
//! input is not read.

use std::error::Error;
use std::io::{self, IsTerminal};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use client::{Client, Producer, ProducerOptions, Record};
use memchr::memmem::Finder;
use model::{Random, SystemRandom};
use record::{Compression, Header};
use tokio::io::{AsyncBufReadExt, BufReader};

mod lines;

use super::Failure;
use super::connect::Connect;
use super::stop::Stop;
use lines::{Lines, MAX_LINE_BYTES};

/// What is read of standard input at a time: a few pipes full.
const READ_BYTES: usize = 256 * 1024;

/// Arguments of `tidelog produce`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  echo hello | tidelog produce greetings
  tidelog produce orders --key-separator : < orders.txt      (lines such as 'customer-7:2 apples')
  tidelog produce logs --compression zstd < access.log

It ends when all records are acknowledged: a majority of their replicas have them on disk. Records with the same key \
go to the same partition, as with Kafka's own clients. A topic that is not there is made, if the broker allows it.")]
pub(crate) struct Produce {
    /// Name of the topic
    topic: String,
    /// What stands between key and value in each line [default: lines have no keys]
    #[arg(long, short, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    key_separator: Option<String>,
    /// The key of all records
    #[arg(long, value_name = "TEXT", conflicts_with = "key_separator")]
    key: Option<String>,
    /// A header of all records; may be given several times
    #[arg(long = "header", value_name = "KEY=VALUE", value_parser = parse_header)]
    headers: Vec<(String, String)>,
    /// The partition of all records [default: by key, and without a key all in turn]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,
    /// How batches of records are compressed
    #[arg(long, short, default_value = "none", value_parser = compression())]
    compression: Compression,
    #[command(flatten)]
    connect: Connect,
}

impl Produce {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        self.connect.run(|client| self.produce(client))
    }

    async fn produce(&self, client: Client) -> Result<(), Failure> {
        let mut stop = Stop::new()?;
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
        if io::stdin().is_terminal() {
            tell("one record a line; Ctrl-D ends");
        }
        let mut producer = Producer::start(client, topic, self.options()).await?;
        let read = tokio::select! {
            read = self.send_lines(&mut producer) => read,
            () = stop.asked() => Ok(()),
        };
        // What was read before an error, or before Ctrl-C, is not thrown away; a second Ctrl-C does not wait.
        let flushed = tokio::select! {
            flushed = producer.flush() => flushed,
            () = stop.asked() => Ok(producer.written()),
        };
        let records = producer.written().records;
        match (read, flushed) {
            (Ok(()), Ok(_)) => {
                tell(&format!(
                    "{records} {} written to {}",
                    if records == 1 { "record" } else { "records" },
                    self.topic
                ));
                Ok(())
            }
            (Err(why), _) => Err(format!("{why} ({records} records were written)").into()),
            (_, Err(why)) => Err(format!("{why} ({records} records were written)").into()),
        }
    }

    fn options(&self) -> ProducerOptions {
        let [a, b, c, d, ..] = SystemRandom.bytes();
        ProducerOptions {
            compression: self.compression,
            first_partition: u32::from_be_bytes([a, b, c, d]),
            ..ProducerOptions::default()
        }
    }

    async fn send_lines(&self, producer: &mut Producer) -> Result<(), Failure> {
        let headers: Vec<Header<'_>> = self.headers.iter().map(header).collect();
        let separator = self.key_separator.as_ref().map(Finder::new);
        let mut input = BufReader::with_capacity(READ_BYTES, tokio::io::stdin());
        let mut lines = Lines::default();
        loop {
            let chunk = input.fill_buf().await.map_err(|why| format!("cannot read standard input: {why}"))?;
            let length = chunk.len();
            let mut rest = chunk;
            loop {
                let line = if length == 0 { lines.last() } else { lines.next(&mut rest) };
                let Some(line) = line else { break };
                let (key, value) = self.split(line.bytes, separator.as_ref()).ok_or_else(|| {
                    let separator = self.key_separator.as_deref().unwrap_or_default();
                    format!("line {} has no key: there is no '{separator}' in it", line.number)
                })?;
                let partition = self.partition;
                producer
                    .send(Record { partition, key, value: Some(value), headers: &headers, timestamp: None })
                    .await?;
            }
            if let Some(number) = lines.too_long() {
                return Err(format!("line {number} is longer than {MAX_LINE_BYTES} bytes").into());
            }
            if length == 0 {
                return Ok(());
            }
            input.consume(length);
        }
    }

    fn split<'l>(&'l self, line: &'l [u8], separator: Option<&Finder<'_>>) -> Option<(Option<&'l [u8]>, &'l [u8])> {
        let Some(separator) = separator else { return Some((self.key.as_ref().map(String::as_bytes), line)) };
        let at = separator.find(line)?;
        Some((Some(&line[..at]), &line[at + separator.needle().len()..]))
    }
}

fn header((key, value): &(String, String)) -> Header<'_> {
    Header { key: key.as_bytes(), value: Some(value.as_bytes()) }
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, such as source=shop".to_owned()),
    }
}

fn compression() -> impl TypedValueParser<Value = Compression> {
    let names = PossibleValuesParser::new(Compression::ALL.map(Compression::name));
    names.map(|name| name.parse().expect("one of the codecs' own names"))
}

/// Says something to a person who watches.
fn tell(what: &str) {
    if io::stderr().is_terminal() {
        eprintln!("{what}");
    }
}
