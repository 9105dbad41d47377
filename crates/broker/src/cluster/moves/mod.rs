//! Partitions on their way from one shard to another: the leader of the shard that they go to fetches them.
//!
//! Its batches go through that shard's log, as records of clients do, so that a majority has them and a new leader
//! goes on where the one before it was. When little is left, the old shard lets the partition go, which takes no more
//! records from then on; the rest is fetched, the new shard adopts it, and the cluster image says so. Clients find
//! out by the error that they get, which they retry.

mod carry;
mod rate;
mod source;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use controller::Move;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use model::PartitionId;
use tokio::time::{sleep, timeout};

use super::throttle::Meter;
use crate::broker::{Broker, ShardHere};
use carry::Carrier;

pub(crate) use source::Question;

/// Partitions that are fetched at a time: each has an answer of a megabyte in flight.
const AT_A_TIME: usize = 4;

/// How often to look without being told, and how long to wait after a failure.
const PERIOD: Duration = Duration::from_millis(500);

/// Fetches what comes to the shards that this broker leads, until it stops.
pub(crate) async fn run(broker: Arc<Broker>) {
    let mut images = broker.controller.watch();
    let mut carried = FuturesUnordered::new();
    let mut under_way = BTreeSet::new();
    let meter = Arc::new(Meter::default());
    loop {
        let image = images.borrow_and_update().clone();
        for (partition, to) in image.moves() {
            let here = broker.shards.load().get(&to.to).cloned();
            let leads = |here: &ShardHere| here.leading_term(broker.id()).is_some();
            if let Some(here) = here.filter(leads)
                && under_way.len() < AT_A_TIME
                && under_way.insert(partition)
            {
                carried.push(carry(broker.clone(), here, partition, to, meter.clone()));
            }
        }
        tokio::select! {
            biased;
            () = broker.stop.requested() => return,
            Some(partition) = carried.next() => drop(under_way.remove(&partition)),
            changed = timeout(PERIOD, images.changed()) => if matches!(changed, Ok(Err(_))) { return },
        }
    }
}

/// Carries one partition to its shard, or says why it could not; gives back the partition.
async fn carry(
    broker: Arc<Broker>,
    here: ShardHere,
    partition: PartitionId,
    to: Move,
    meter: Arc<Meter>,
) -> PartitionId {
    if let Err(why) = Carrier::new(&broker, &here, partition, to, &meter).carry().await {
        tracing::warn!(%partition, to = %to.to, why, "a partition does not move on, to be tried again");
        sleep(PERIOD).await;
    }
    partition
}
