//! Making what a coordinator decided durable: a batch for its partition of `__consumer_offsets`.

use std::future::Future;
use std::pin::Pin;

use coordinator::{Write, WriteId};
use model::{ErrorCode, PartitionId};
use record::BatchBuilder;
use shard::entry::AppendEntry;
use shard::{Outcome, Shard};

/// The outcome of a write, on its way.
pub(super) type Written = Pin<Box<dyn Future<Output = (WriteId, Result<(), ErrorCode>)> + Send>>;

/// Queues a write behind those before it.
pub(super) async fn write(shard: &Shard, partition: PartitionId, term: u64, now_ms: i64, write: Write) -> Written {
    let id = write.id;
    if !shard.health().accepts_writes() {
        return Box::pin(async move { (id, Err(ErrorCode::KafkaStorageError)) });
    }
    let mut batch = BatchBuilder::new();
    for (key, value) in &write.records {
        batch.push(now_ms, Some(key), value.as_deref(), &[]);
    }
    let proposed = match batch.build() {
        Ok(batch) => {
            let mut entry = AppendEntry::default();
            entry.push(partition, &batch);
            shard.propose(entry.encode_in_term(now_ms, term)).await.map_err(|why| why.code())
        }
        Err(why) => {
            tracing::error!(group = write.group, %why, "a group's records do not make a batch");
            Err(ErrorCode::UnknownServerError)
        }
    };
    Box::pin(async move {
        let outcome = match proposed {
            Ok(proposal) => proposal.await.map(|(_, outcome)| outcome).map_err(|why| why.code()),
            Err(code) => Err(code),
        };
        (id, result(outcome))
    })
}

fn result(outcome: Result<Outcome, ErrorCode>) -> Result<(), ErrorCode> {
    match outcome? {
        Outcome::Appended(results) => results.into_iter().try_for_each(|result| result.map(drop).map_err(moved)),
        Outcome::Refused(code) => Err(code),
        _ => Ok(()),
    }
}

/// Whoever asked is to look for the coordinator anew.
fn moved(code: ErrorCode) -> ErrorCode {
    match code {
        ErrorCode::NotLeaderOrFollower => ErrorCode::NotCoordinator,
        other => other,
    }
}
