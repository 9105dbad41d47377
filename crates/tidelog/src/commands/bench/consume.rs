//! Reading, with the time each answer is waited for.

use std::collections::BTreeMap;
use std::time::Instant;

use client::{Client, ClientError, OffsetAt, Producer, ProducerOptions, Reader, ReaderOptions, Record};
use tokio::task::JoinSet;

use super::super::Failure;
use super::super::stop::Stop;
use super::Consume;
use super::report::{Latencies, Report};
use super::topic::{BenchTopic, payload};

/// What one connection has read.
struct Read {
    records: u64,
    bytes: u64,
    latencies: Latencies,
}

impl Consume {
    pub(super) async fn measure(&self, client: Client) -> Result<(), Failure> {
        let topic = BenchTopic::open(&client, &self.common).await?;
        let outcome = self.run(&client, &topic).await;
        topic.close(outcome).await?.print(self.common.output).map_err(Failure::from)
    }

    async fn run(&self, client: &Client, topic: &BenchTopic) -> Result<Report, Failure> {
        let mut stop = Stop::new()?;
        tokio::select! {
            biased;
            () = stop.asked() => Err("stopped before there was a result".into()),
            report = self.fill_and_read(client, topic) => report,
        }
    }

    async fn fill_and_read(&self, client: &Client, topic: &BenchTopic) -> Result<Report, Failure> {
        if topic.is_own {
            self.fill(client, topic).await?;
        }
        let shares = self.shares(client, topic).await?;
        let mut clients = Vec::new();
        for _ in &shares {
            let client = client.another();
            // Knows where the brokers are before the clock runs.
            clients.push((client.topic(&topic.topic.name).await?, client));
        }
        let begin = Instant::now();
        let mut running = JoinSet::new();
        for ((topic, client), (starts, ends)) in clients.into_iter().zip(shares) {
            let reader = Reader::new(client, topic, starts, ReaderOptions::default());
            running.spawn(read_to(reader, ends));
        }
        let mut all = Read { records: 0, bytes: 0, latencies: Latencies::new() };
        while let Some(read) = running.join_next().await {
            let read = read??;
            all.records += read.records;
            all.bytes += read.bytes;
            all.latencies.add(&read.latencies);
        }
        Ok(Report {
            topic: topic.topic.name.clone(),
            records: all.records,
            record_bytes: all.bytes.checked_div(all.records).unwrap_or(0),
            took: begin.elapsed(),
            missed: None,
            latencies: all.latencies,
            latency_is: "how long each answer of the broker was waited for",
        })
    }

    async fn fill(&self, client: &Client, topic: &BenchTopic) -> Result<(), Failure> {
        let options = ProducerOptions { compression: self.common.compression, ..ProducerOptions::default() };
        let mut producer = Producer::start(client.clone(), topic.topic.clone(), options).await?;
        let value = payload(self.common.record_bytes);
        for _ in 0..self.records {
            producer.send(Record { value: Some(&value), ..Record::default() }).await?;
        }
        producer.flush().await?;
        Ok(())
    }

    /// Where each connection begins and ends in its share of the partitions.
    async fn shares(&self, client: &Client, topic: &BenchTopic) -> Result<Vec<(Offsets, Offsets)>, Failure> {
        let partitions = topic.topic.choose(&[])?;
        let starts = client.list_offsets(&topic.topic, &partitions, OffsetAt::Start).await?;
        let ends = client.list_offsets(&topic.topic, &partitions, OffsetAt::End).await?;
        let connections = (self.common.connections as usize).min(partitions.len());
        let mut shares = vec![(Offsets::new(), Offsets::new()); connections];
        for (place, partition) in partitions.iter().enumerate() {
            let (share_starts, share_ends) = &mut shares[place % connections];
            share_starts.insert(*partition, starts[partition]);
            share_ends.insert(*partition, ends[partition]);
        }
        Ok(shares)
    }
}

/// By partition.
type Offsets = BTreeMap<i32, i64>;

async fn read_to(mut reader: Reader, ends: Offsets) -> Result<Read, ClientError> {
    let mut read = Read { records: 0, bytes: 0, latencies: Latencies::new() };
    while reader.positions().iter().any(|(partition, position)| position < &ends[partition]) {
        let asked = Instant::now();
        let fetched = reader.next().await?;
        read.latencies.record(asked.elapsed());
        for fetched in fetched {
            fetched.for_each(|record| {
                read.records += 1;
                read.bytes += record.value.map_or(0, <[u8]>::len) as u64;
                Ok::<(), ClientError>(())
            })?;
        }
    }
    Ok(read)
}
