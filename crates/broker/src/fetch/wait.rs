//! Waiting until there is enough to answer a fetch with.

use std::sync::Arc;

use shard::{Partition, Wait};
use tokio::time::{Instant, timeout_at};

use super::read::{Limits, Read, Wanted, read_all};
use crate::broker::Broker;

/// Reads until `min_bytes` are there, an error is, or the deadline has come; then answers with what
/// there is.
pub(crate) async fn read_enough(
    broker: &Broker,
    wanted: &[Wanted],
    limits: Limits,
    min_bytes: usize,
    deadline: Instant,
) -> Vec<Read> {
    let mut read = read_all(broker, wanted.iter(), limits);
    if is_enough(&read, min_bytes) || Instant::now() >= deadline {
        return read;
    }
    let partitions: Vec<Arc<Partition>> = read.iter().filter_map(|read| read.partition.clone()).collect();
    let wait = Wait::on(partitions);
    // What was appended between the first look and the wait woke nobody: look again.
    loop {
        read = read_all(broker, wanted.iter(), limits);
        if is_enough(&read, min_bytes) || timeout_at(deadline, wait.changed()).await.is_err() {
            return read;
        }
    }
}

fn is_enough(read: &[Read], min_bytes: usize) -> bool {
    let bytes: usize = read.iter().map(Read::bytes).sum();
    bytes >= min_bytes || read.iter().any(|read| read.error.is_some() || read.diverging.is_some())
}
