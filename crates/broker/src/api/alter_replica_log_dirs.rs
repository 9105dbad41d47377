//! AlterReplicaLogDirs (key 34), versions 1 and 2. A broker has one data directory: what is to be there
//! is there, and no other is found.

use std::path::Path;

use model::ErrorCode;
use wire::messages::alter_replica_log_dirs_response::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult,
};
use wire::messages::{AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse};

use super::describe_log_dirs::data_dir;
use crate::dispatch::Context;
use crate::distinct::grouped;

/// Answers for each partition named, by the directory that it is to move to.
pub(crate) async fn handle(context: Context, request: AlterReplicaLogDirsRequest) -> AlterReplicaLogDirsResponse {
    let image = context.broker.image();
    let dir = data_dir(&context.broker);
    let mut outcomes = Vec::new();
    for wish in request.dirs {
        let is_here = Path::new(wish.path.as_str()) == dir;
        for topic in wish.topics {
            for index in topic.partitions {
                let exists = image.topic(&topic.name).is_some_and(|topic| topic.partition(index).is_some());
                let error = match (is_here, exists) {
                    (false, _) => ErrorCode::LogDirNotFound,
                    (true, true) => ErrorCode::None,
                    (true, false) => ErrorCode::UnknownTopicOrPartition,
                };
                outcomes.push((topic.name.clone(), (index, error)));
            }
        }
    }
    let results = grouped(outcomes).into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(index, error)| {
            AlterReplicaLogDirPartitionResult::default().with_partition_index(index).with_error_code(error.code())
        });
        AlterReplicaLogDirTopicResult::default().with_topic_name(name).with_partitions(partitions.collect())
    });
    AlterReplicaLogDirsResponse::default().with_results(results.collect())
}
