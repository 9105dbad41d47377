//! Retention: the shard leader finds what is too old or too much, and proposes new log starts.

use std::sync::Arc;
use std::time::Duration;

use shard::Stage;
use shard::entry::{self, AdvanceStart, LogStart};

use crate::broker::{Broker, ShardHere};

/// Enforces retention every `log.retention.check.interval.ms`, until the broker stops.
pub(crate) async fn run(broker: Arc<Broker>) {
    let period = Duration::from_millis(broker.config().log_retention_check_interval_ms().max(1) as u64);
    loop {
        tokio::select! {
            biased;
            () = broker.stop.requested() => return,
            () = tokio::time::sleep(period) => {}
        }
        for here in broker.shards.load_full().values() {
            if here.leading_term(broker.id()).is_some() {
                enforce(&broker, here).await;
            }
        }
    }
}

async fn enforce(broker: &Broker, here: &ShardHere) {
    let now_ms = broker.env.clock.now_ms();
    let image = broker.image();
    let mut partitions = Vec::new();
    for partition in here.shard.view().all() {
        let Some(topic) = image.topic_by_id(partition.id.topic) else { continue };
        if partition.stage() != Stage::Serving {
            continue;
        }
        let config = &broker.topics.settings(topic).config;
        if !config.cleanup_policy.delete {
            continue;
        }
        let start = partition.log.retention_start(now_ms, config.retention_ms, config.retention_bytes);
        partitions.extend(start.map(|offset| LogStart { id: partition.id, offset }));
    }
    if partitions.is_empty() {
        return;
    }
    let moves = entry::advance_start(now_ms, &AdvanceStart { partitions });
    if let Err(why) = here.shard.submit(moves).await {
        tracing::warn!(shard = %here.shard.id(), %why, "retention was not enforced, to be tried again");
    }
}
