//! Waiting until there is enough to answer a fetch with.

use std::sync::Arc;

use model::ErrorCode;
use shard::{Partition, Wait};
use tokio::time::{Instant, timeout_at};

use super::read::{Read, Reader, Wanted, is_cold, read_all};
use crate::broker::Broker;

/// Reads until `min_bytes` are there, an error is, or the deadline has come; then answers with what
/// there is.
pub(crate) async fn read_enough(
    broker: &Arc<Broker>,
    wanted: &Arc<[Wanted]>,
    reader: &Reader,
    min_bytes: usize,
    deadline: Instant,
) -> Vec<Read> {
    let mut read = read_once(broker, wanted, reader).await;
    if !is_enough(&read, min_bytes) && Instant::now() < deadline {
        let partitions: Vec<Arc<Partition>> = read.iter().filter_map(|read| read.partition.clone()).collect();
        let wait = Wait::on(partitions);
        // What was appended between the first look and the wait woke nobody: look again.
        loop {
            read = read_once(broker, wanted, reader).await;
            if is_enough(&read, min_bytes) || timeout_at(deadline, wait.changed()).await.is_err() {
                break;
            }
        }
    }
    sent_back(read, min_bytes)
}

/// Reads on this thread what is in memory for sure, and off the async threads what may not be.
async fn read_once(broker: &Arc<Broker>, wanted: &Arc<[Wanted]>, reader: &Reader) -> Vec<Read> {
    if !is_cold(broker, wanted, reader) {
        return read_all(broker, wanted, reader);
    }
    let (at, cold, reader) = (broker.clone(), wanted.clone(), reader.clone());
    broker.env.blocking(move || read_all(&at, &cold, &reader)).await
}

/// A follower that has not come to where a consumer is, and has nothing else for it, sends it to the leader: that has
/// what is wanted, or knows that there is no such offset.
fn sent_back(read: Vec<Read>, min_bytes: usize) -> Vec<Read> {
    let bytes: usize = read.iter().map(Read::bytes).sum();
    if bytes > 0 && bytes >= min_bytes {
        return read;
    }
    let send = |read: Read| if read.is_ahead { Read::failed(ErrorCode::OffsetNotAvailable) } else { read };
    read.into_iter().map(send).collect()
}

fn is_enough(read: &[Read], min_bytes: usize) -> bool {
    let bytes: usize = read.iter().map(Read::bytes).sum();
    let is_news = |read: &Read| read.error.is_some() || read.diverging.is_some() || read.preferred.is_some();
    bytes >= min_bytes || read.iter().any(is_news)
}
