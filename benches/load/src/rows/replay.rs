//! Reading everything once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, LocalSet};

use super::{How, TOPIC, fill, share};
use crate::Failure;
use crate::contender::Started;
use crate::exchange::Exchange;
use crate::figures::Figures;
use crate::requests::{fetch, fetched};

const CONNECTIONS: usize = 4;

pub(super) async fn run(broker: &mut Started, how: &How) -> Result<Figures, Failure> {
    fill(broker, how.replay_bytes).await?;
    let mut total = Total::default();
    let (begun, before) = (Instant::now(), broker.usage());
    let address = broker.address();
    let all = LocalSet::new();
    let read = all.run_until(async {
        let mut tasks = JoinSet::new();
        for number in 0..CONNECTIONS {
            let exchange = Exchange::connect(&address).await?;
            tasks.spawn_local(read_all(exchange, share(number, CONNECTIONS)));
        }
        while let Some(read) = tasks.join_next().await {
            total.add(read??);
        }
        Ok::<(), Failure>(())
    });
    read.await?;
    let usage = broker.usage().zip(before).map(|(after, before)| after - before);
    Ok(Figures::new(begun.elapsed(), total.records, total.bytes, total.latencies).used(usage))
}

#[derive(Default)]
struct Total {
    records: u64,
    bytes: u64,
    latencies: Vec<Duration>,
}

impl Total {
    fn add(&mut self, other: Total) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.latencies.extend(other.latencies);
    }
}

/// Reads these partitions until none gives anything more.
async fn read_all(mut exchange: Exchange, partitions: Vec<i32>) -> Result<Total, Failure> {
    let mut offsets: BTreeMap<i32, i64> = partitions.into_iter().map(|partition| (partition, 0)).collect();
    let mut total = Total::default();
    while !offsets.is_empty() {
        let from: Vec<(i32, i64)> = offsets.iter().map(|(partition, offset)| (*partition, *offset)).collect();
        exchange.send(&fetch(TOPIC, &from)?).await?;
        let (answer, sent) = exchange.receive().await?;
        total.latencies.push(sent.elapsed());
        for part in fetched(answer)? {
            total.records += part.records;
            total.bytes += part.bytes;
            match part.next {
                Some(next) => offsets.insert(part.partition, next),
                None => offsets.remove(&part.partition),
            };
        }
    }
    Ok(total)
}
