//! DescribeLogDirs (key 35), versions 1 to 5. A broker has one data directory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use model::ErrorCode;
use wire::messages::describe_log_dirs_response::{DescribeLogDirsPartition, DescribeLogDirsTopic};
use wire::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeLogDirsResult, TopicName};

use crate::broker::Broker;
use crate::dispatch::Context;
use crate::text::{string, text};

/// Partitions by topic.
type Asked = BTreeMap<String, BTreeSet<i32>>;

/// Tells what the data directory holds of the partitions asked for; no list asks for all. What is not
/// here is left out.
pub(crate) async fn handle(context: Context, request: DescribeLogDirsRequest) -> DescribeLogDirsResponse {
    let broker = &context.broker;
    let asked = request.topics.map(|topics| {
        let mut asked = Asked::new();
        for topic in topics {
            asked.entry(string(&topic.topic)).or_default().extend(topic.partitions);
        }
        asked
    });
    let dir = data_dir(broker);
    let disk = broker.env.disk.clone();
    let path = dir.clone();
    let (total, usable) = broker.env.blocking(move || (disk.total_bytes(&path), disk.available_bytes(&path))).await;
    let error = match (&total, &usable, broker.journal.failed()) {
        (Ok(_), Ok(_), false) => ErrorCode::None,
        _ => ErrorCode::KafkaStorageError,
    };
    let bytes = |bytes: Option<u64>| bytes.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    let result = DescribeLogDirsResult {
        error_code: error.code(),
        log_dir: text(dir.display().to_string()),
        topics: if error == ErrorCode::None { topics(broker, asked.as_ref()) } else { Vec::new() },
        total_bytes: bytes(total.ok().flatten()),
        usable_bytes: bytes(usable.ok()),
        is_cordoned: false,
    };
    DescribeLogDirsResponse { throttle_time_ms: 0, error_code: 0, results: vec![result] }
}

/// The data directory's path from the root: tools tell directories apart by it.
pub(crate) fn data_dir(broker: &Broker) -> PathBuf {
    let dir = broker.config().data_dir();
    std::path::absolute(&dir).unwrap_or(dir)
}

fn topics(broker: &Broker, asked: Option<&Asked>) -> Vec<DescribeLogDirsTopic> {
    let mut found: BTreeMap<String, Vec<DescribeLogDirsPartition>> = BTreeMap::new();
    for here in broker.shards.load().values() {
        for partition in here.shard.view().all() {
            let (name, index) = (partition.topic.as_str(), partition.id.index);
            if asked.is_none_or(|asked| asked.get(name).is_some_and(|some| some.contains(&index))) {
                let described = DescribeLogDirsPartition::default()
                    .with_partition_index(index)
                    .with_partition_size(i64::try_from(partition.log.size_bytes()).unwrap_or(i64::MAX));
                found.entry(name.to_owned()).or_default().push(described);
            }
        }
    }
    let topic = |(name, mut partitions): (String, Vec<DescribeLogDirsPartition>)| {
        partitions.sort_unstable_by_key(|partition| partition.partition_index);
        DescribeLogDirsTopic::default().with_name(TopicName(text(name))).with_partitions(partitions)
    };
    found.into_iter().map(topic).collect()
}
