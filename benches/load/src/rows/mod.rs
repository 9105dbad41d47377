//! What is measured.

mod closed;
mod paced;
mod replay;
mod start;

use std::time::Duration;

use client::{Address, Client, NewTopic, Options};
use tokio::runtime::Runtime;

use crate::Failure;
use crate::contender::{Contender, Durability, Started};
use crate::exchange::Exchange;
use crate::figures::Figures;
use crate::requests::{check_produced, produce};
use closed::Closed;

/// A line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Row {
    /// Closed loop: 4 connections, 5 requests in flight each, 16 records of 1 KiB in a request, 8 partitions
    Batches16k,
    /// Closed loop: the same with 256 records in a request
    Batches256k,
    /// Closed loop: 100 connections, 1 request in flight each, 1 record of 1 KiB in a request, 8 partitions
    Single100,
    /// Closed loop: the same on 1 connection
    Single1,
    /// 10,000 requests a second at fixed times, on 10 connections, 1 record of 1 KiB each, 8 partitions
    Paced,
    /// Closed loop: 4 connections that read 8 partitions once, 1 MiB of each at a time, all in the page cache
    Replay,
    /// From process start to the first acknowledged record, on an empty directory; the best of many
    Start,
    /// The same after kill -9 of a broker that was saturated for as long as other rows warm up
    Restart,
}

/// For how long, and how much.
pub(crate) struct How {
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
    pub(crate) replay_bytes: u64,
}

/// Of every row.
const PARTITIONS: i32 = 8;
const TOPIC: &str = "load";

impl Row {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Row::Batches16k => "batches-16k",
            Row::Batches256k => "batches-256k",
            Row::Single100 => "single-100",
            Row::Single1 => "single-1",
            Row::Paced => "paced",
            Row::Replay => "replay",
            Row::Start => "start",
            Row::Restart => "restart",
        }
    }

    pub(crate) fn measure(
        self,
        runtime: &Runtime,
        contender: &Contender,
        durability: Option<Durability>,
        how: &How,
    ) -> Result<Figures, Failure> {
        if let Row::Start = self {
            return start::first_starts(runtime, contender, durability, how);
        }
        let mut broker = contender.start(durability)?;
        runtime.block_on(make_topic(&broker.address()))?;
        match self {
            Row::Paced => paced::run(&mut broker, how),
            Row::Replay => runtime.block_on(replay::run(&mut broker, how)),
            Row::Restart => start::after_kills(runtime, &mut broker, how),
            _ => runtime.block_on(self.load().run(&mut broker, how)),
        }
    }

    fn load(self) -> Closed {
        match self {
            Row::Batches256k => Closed { connections: 4, in_flight: 5, records: 256 },
            Row::Single100 => Closed { connections: 100, in_flight: 1, records: 1 },
            Row::Single1 => Closed { connections: 1, in_flight: 1, records: 1 },
            _ => Closed { connections: 4, in_flight: 5, records: 16 },
        }
    }
}

/// Asks for the topic, as clients do that find it made by that.
async fn ask_for_topic(address: &str) -> Result<(), Failure> {
    client(address)?.topic_or_create(TOPIC).await?;
    Ok(())
}

pub(crate) fn client(address: &str) -> Result<Client, Failure> {
    let bootstrap: Address = address.parse()?;
    Ok(Client::new(vec![bootstrap], Options::default()))
}

/// Makes the topic, unless it is there, and waits until all its partitions take records.
async fn make_topic(address: &str) -> Result<(), Failure> {
    let client = client(address)?;
    if client.topic(TOPIC).await.is_err() {
        let topic = NewTopic { name: TOPIC.to_owned(), partitions: Some(PARTITIONS), ..NewTopic::default() };
        client.create_topic(&topic).await?;
    }
    for partition in 0..PARTITIONS {
        until_acknowledged(address, partition).await?;
    }
    Ok(())
}

async fn until_acknowledged(address: &str, partition: i32) -> Result<(), Failure> {
    until_acknowledged_in(address, TOPIC, partition).await
}

/// Sends one record again and again, until it is acknowledged.
pub(crate) async fn until_acknowledged_in(address: &str, topic: &str, partition: i32) -> Result<(), Failure> {
    const LIMIT: Duration = Duration::from_secs(60);
    const PAUSE: Duration = Duration::from_millis(1);
    let frame = produce(topic, partition, 1)?;
    let attempts = async {
        loop {
            let attempt = async {
                let mut exchange = Exchange::connect(address).await?;
                exchange.send(&frame).await?;
                check_produced(exchange.receive().await?.0)
            };
            match attempt.await {
                Ok(()) => return,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    tokio::time::timeout(LIMIT, attempts).await.map_err(|_| "no record was acknowledged within a minute".into())
}

/// The partitions that a connection is for: its share, or one of them if there are more connections.
fn share(connection: usize, connections: usize) -> Vec<i32> {
    let (own, step) = (connection as i32 % PARTITIONS, connections as i32);
    (own..PARTITIONS).step_by(step as usize).collect()
}

/// Loads the broker with batches for a while, or until so many bytes are written.
async fn fill(broker: &mut Started, bytes: u64) -> Result<(), Failure> {
    Row::Batches256k.load().write(&broker.address(), bytes).await
}
