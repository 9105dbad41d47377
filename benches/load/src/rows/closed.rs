//! Closed loops: each connection sends as answers come, with so many requests in flight.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

use super::{How, TOPIC, share};
use crate::Failure;
use crate::contender::Started;
use crate::exchange::Exchange;
use crate::figures::Figures;
use crate::requests::{VALUE_BYTES, check_produced, produce};

/// The shape of a load.
#[derive(Clone, Copy)]
pub(super) struct Closed {
    pub(super) connections: usize,
    pub(super) in_flight: usize,
    /// In each request, which is one batch for one partition.
    pub(super) records: usize,
}

/// Answers since the measurement began: how long each took.
type Latencies = Rc<RefCell<Vec<Duration>>>;

impl Closed {
    pub(super) async fn run(self, broker: &mut Started, how: &How) -> Result<Figures, Failure> {
        let latencies = Latencies::default();
        let address = broker.address();
        let measure = async {
            sleep(how.warm_up).await;
            latencies.borrow_mut().clear();
            let (begun, before) = (Instant::now(), broker.usage());
            sleep(how.measured).await;
            let (elapsed, after) = (begun.elapsed(), broker.usage());
            let latencies = latencies.take();
            let records = (latencies.len() * self.records) as u64;
            let usage = after.zip(before).map(|(after, before)| after - before);
            Figures::new(elapsed, records, records * VALUE_BYTES as u64, latencies).used(usage)
        };
        let local = LocalSet::new();
        local
            .run_until(async {
                tokio::select! {
                    figures = measure => Ok(figures),
                    failed = self.send(&address, &latencies, u64::MAX) => Err(failed.err().unwrap_or("no load".into())),
                }
            })
            .await
    }

    /// Writes so many bytes of records, and waits until all are acknowledged.
    pub(super) async fn write(self, address: &str, bytes: u64) -> Result<(), Failure> {
        let requests = bytes.div_ceil((self.records * VALUE_BYTES) as u64);
        LocalSet::new().run_until(self.send(address, &Latencies::default(), requests)).await
    }

    /// Sends so many requests in all.
    async fn send(self, address: &str, latencies: &Latencies, requests: u64) -> Result<(), Failure> {
        let mut tasks = JoinSet::new();
        for connection in 0..self.connections {
            let exchange = Exchange::connect(address).await?;
            let partitions = share(connection, self.connections);
            let frames: Result<Vec<Bytes>, Failure> =
                partitions.into_iter().map(|partition| produce(TOPIC, partition, self.records)).collect();
            let share = requests.div_ceil(self.connections as u64);
            tasks.spawn_local(exchange_all(exchange, frames?, self.in_flight, share, latencies.clone()));
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    }
}

async fn exchange_all(
    mut exchange: Exchange,
    frames: Vec<Bytes>,
    in_flight: usize,
    requests: u64,
    latencies: Latencies,
) -> Result<(), Failure> {
    let mut sent = 0;
    for (answered, frame) in (0..requests).zip(frames.iter().cycle().skip(in_flight)) {
        // All that may be in flight, at first; then one for each that was answered.
        while sent < requests && sent < answered + in_flight as u64 && sent < in_flight as u64 {
            exchange.send(&frames[sent as usize % frames.len()]).await?;
            sent += 1;
        }
        let (answer, sent_at) = exchange.receive().await?;
        latencies.borrow_mut().push(sent_at.elapsed());
        check_produced(answer)?;
        if sent < requests {
            exchange.send(frame).await?;
            sent += 1;
        }
    }
    Ok(())
}
