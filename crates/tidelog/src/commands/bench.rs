//! `tidelog bench`: a small honest load test.

use std::error::Error;
use std::time::Duration;

use clap::{Args, Subcommand};
use record::Compression;

mod consume;
mod produce;
mod report;
mod topic;

use super::connect::Connect;
use super::output::Output;
use super::produce::{AcksOf, compression};
use super::time::parse_duration;

/// Connections of one run: each has a thread of its own.
const MAX_CONNECTIONS: i64 = 256;

/// The largest record: what brokers take unless told otherwise.
const MAX_RECORD_BYTES: i64 = 1_000_000;

/// Subcommands of `tidelog bench`.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Measure how fast records are written, and how long each waits for its acknowledgement
    #[command(after_help = "\
Examples:
  tidelog bench produce                                   (as fast as it goes)
  tidelog bench produce --rate 10000 --duration 30s
  tidelog bench produce --record-bytes 100 --connections 8 --partitions 8 --output json

With --rate the latency of a record is counted from when it was due, not from when it could be sent: a broker that \
stalls is charged with all that should have been sent meanwhile (no coordinated omission). Records that were due and \
not sent before the end are counted as missed. Without --rate it is counted from when a record is handed over, and is \
mostly the time that it waits in this client's buffer: look at the rate then, and for latencies give a rate.

Client and broker share the machine if both run on it. Values are random bytes, which do not compress.")]
    Produce(Produce),
    /// Measure how fast records are read
    #[command(after_help = "\
Examples:
  tidelog bench consume
  tidelog bench consume --topic orders --connections 4

Latency is how long each answer of the broker was waited for; the next is asked for while records are looked at. Each \
batch is checked and each record looked at, as a consumer does. Partitions are spread over the connections.")]
    Consume(Consume),
}

/// What both have.
#[derive(Args)]
struct Common {
    /// An existing topic [default: one of its own, removed at the end]
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// Partitions of its own topic
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..=1000), conflicts_with = "topic")]
    partitions: i32,
    /// Replicas of its own topic [default: the broker's default.replication.factor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i16).range(1..), conflicts_with = "topic")]
    replication_factor: Option<i16>,
    /// Bytes in each value
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=MAX_RECORD_BYTES))]
    record_bytes: u32,
    /// Connections, each with a client of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=MAX_CONNECTIONS))]
    connections: u32,
    /// How batches of records are compressed: none, gzip, snappy, lz4, zstd
    #[arg(long, default_value = "none", value_parser = compression(), value_name = "CODEC", hide_possible_values = true)]
    compression: Compression,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connect: Connect,
}

/// Arguments of `tidelog bench produce`.
#[derive(Args)]
pub(crate) struct Produce {
    /// Records a second, of all connections together; 0 is as fast as it goes
    #[arg(long, value_name = "N", default_value_t = 0)]
    rate: u32,
    /// How long to measure
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    duration: Duration,
    /// How long to write before it is measured
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_duration)]
    warm_up: Duration,
    /// Who has to have a record before it counts as written: all in-sync replicas, 1 the leader, 0 nobody
    #[arg(long, value_enum, default_value_t = AcksOf::All, value_name = "all|1|0", hide_possible_values = true)]
    acks: AcksOf,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `tidelog bench consume`.
#[derive(Args)]
pub(crate) struct Consume {
    /// Records that are written to its own topic first
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "topic")]
    records: u64,
    #[command(flatten)]
    common: Common,
}

impl Bench {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Bench::Produce(produce) => produce.common.connect.run(|client| produce.measure(client)),
            Bench::Consume(consume) => consume.common.connect.run(|client| consume.measure(client)),
        }
    }
}
