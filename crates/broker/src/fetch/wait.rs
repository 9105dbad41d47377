//! Waiting until there is enough to answer a fetch with.

use std::sync::Arc;

use shard::{Partition, Wait};
use tokio::time::{Instant, timeout_at};

use super::read::{Limits, Read, Wanted, is_cold, read_all};
use crate::broker::Broker;

/// Reads until `min_bytes` are there, an error is, or the deadline has come; then answers with what
/// there is.
pub(crate) async fn read_enough(
    broker: &Arc<Broker>,
    wanted: &Arc<[Wanted]>,
    limits: Limits,
    min_bytes: usize,
    deadline: Instant,
) -> Vec<Read> {
    let mut read = read_once(broker, wanted, limits).await;
    if is_enough(&read, min_bytes) || Instant::now() >= deadline {
        return read;
    }
    let partitions: Vec<Arc<Partition>> = read.iter().filter_map(|read| read.partition.clone()).collect();
    let wait = Wait::on(partitions);
    // What was appended between the first look and the wait woke nobody: look again.
    loop {
        read = read_once(broker, wanted, limits).await;
        if is_enough(&read, min_bytes) || timeout_at(deadline, wait.changed()).await.is_err() {
            return read;
        }
    }
}

/// Reads on this thread what is in memory for sure, and off the async threads what may not be.
async fn read_once(broker: &Arc<Broker>, wanted: &Arc<[Wanted]>, limits: Limits) -> Vec<Read> {
    if !is_cold(broker, wanted, limits.version) {
        return read_all(broker, wanted, limits);
    }
    let (reader, cold) = (broker.clone(), wanted.clone());
    broker.env.blocking(move || read_all(&reader, &cold, limits)).await
}

fn is_enough(read: &[Read], min_bytes: usize) -> bool {
    let bytes: usize = read.iter().map(Read::bytes).sum();
    bytes >= min_bytes || read.iter().any(|read| read.error.is_some() || read.diverging.is_some())
}
