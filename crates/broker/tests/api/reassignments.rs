//! AlterPartitionReassignments (key 45), ListPartitionReassignments (key 46), AlterReplicaLogDirs (key 34): moves that
//! one node with one directory has no use for.

use model::ErrorCode;
use wire::messages::alter_partition_reassignments_request::{ReassignablePartition, ReassignableTopic};
use wire::messages::alter_replica_log_dirs_request::{AlterReplicaLogDir, AlterReplicaLogDirTopic};
use wire::messages::list_partition_reassignments_request::ListPartitionReassignmentsTopics;
use wire::messages::{
    AlterPartitionReassignmentsRequest, AlterReplicaLogDirsRequest, BrokerId, ListPartitionReassignmentsRequest,
};

use crate::describe_log_dirs;
use crate::support::requests::{str_bytes, topic_name};
use crate::support::{Target, error};

/// A partition and its new replicas; none calls a move off.
type Move<'a> = (i32, Option<&'a [i32]>);

fn reassign(topics: &[(&str, &[Move<'_>])]) -> AlterPartitionReassignmentsRequest {
    let topics = topics.iter().map(|(name, moves)| {
        let partitions = moves.iter().map(|(index, replicas)| {
            let replicas = replicas.map(|ids| ids.iter().map(|id| BrokerId(*id)).collect());
            ReassignablePartition::default().with_partition_index(*index).with_replicas(replicas)
        });
        ReassignableTopic::default().with_name(topic_name(name)).with_partitions(partitions.collect())
    });
    AlterPartitionReassignmentsRequest::default().with_timeout_ms(30_000).with_topics(topics.collect())
}

pub(crate) async fn a_partition_stays_where_it_is(target: Target) {
    let mut connection = target.connect().await;
    let (topic, nobody) = (target.topic_with("a", 2, &[]).await.name, target.name("nobody"));
    let lists = "The manual partition assignment includes";
    let bad = ErrorCode::InvalidReplicaAssignment;
    let moves: &[(Move<'_>, ErrorCode, Option<&str>)] = &[
        ((0, Some(&[1])), ErrorCode::None, None),
        ((1, None), ErrorCode::NoReassignmentInProgress, None),
        ((0, Some(&[7])), bad, Some(&format!("{lists} broker 7, but no such broker is registered."))),
        ((0, Some(&[])), bad, Some(&format!("{lists} an empty replica list."))),
        ((0, Some(&[1, 1])), bad, Some(&format!("{lists} the broker 1 more than once."))),
        ((99, Some(&[1])), ErrorCode::UnknownTopicOrPartition, Some(&format!("Unable to find partition {topic}:99."))),
    ];
    for version in [0, 1] {
        for (wish, code, message) in moves {
            let response = connection.call(version, &reassign(&[(&topic, &[*wish])])).await;
            let result = &response.responses[0].partitions[0];
            assert_eq!((error(result.error_code), result.error_message.as_deref()), (*code, *message));
        }
        let response = connection.call(version, &reassign(&[(&nobody, &[(0, Some(&[1]))])])).await;
        let result = &response.responses[0].partitions[0];
        let message = format!("Unable to find a topic named {nobody}.");
        assert_eq!(result.error_message.as_deref(), Some(&*message));
    }
}

pub(crate) async fn no_move_is_under_way(target: Target) {
    let mut connection = target.connect().await;
    let name = target.topic("a").await.name;
    let topics = [&*name, "no-such-topic"].map(|name| {
        ListPartitionReassignmentsTopics::default().with_name(topic_name(name)).with_partition_indexes(vec![0, 99])
    });
    for topics in [None, Some(Vec::new()), Some(topics.to_vec())] {
        let request = ListPartitionReassignmentsRequest::default().with_timeout_ms(30_000).with_topics(topics);
        let response = connection.call(0, &request).await;
        assert_eq!((error(response.error_code), response.topics.len()), (ErrorCode::None, 0));
    }
}

pub(crate) async fn the_only_directory_is_the_one_that_is_found(target: Target) {
    let mut connection = target.connect().await;
    let (topic, nobody) = (target.topic("a").await.name, target.name("nobody"));
    let known = connection.ask(4, &describe_log_dirs::request(&[])).await.results[0].log_dir.to_string();
    let unknown = ErrorCode::UnknownTopicOrPartition;
    for (path, wanted) in [
        (&*known, [ErrorCode::None, unknown, unknown]),
        ("/nowhere", [ErrorCode::LogDirNotFound; 3]),
        ("relative", [ErrorCode::LogDirNotFound; 3]),
    ] {
        for version in [1, 2] {
            let topics = [(&topic, vec![0, 99]), (&nobody, vec![0])].map(|(name, partitions)| {
                AlterReplicaLogDirTopic::default().with_name(topic_name(name)).with_partitions(partitions)
            });
            let dir = AlterReplicaLogDir::default().with_path(str_bytes(path)).with_topics(topics.to_vec());
            let request = AlterReplicaLogDirsRequest::default().with_dirs(vec![dir]);
            let mut response = connection.ask(version, &request).await;
            // In which order they are answered is the broker's to choose.
            response.results.sort_by_key(|topic| topic.topic_name.to_string());
            for topic in &mut response.results {
                topic.partitions.sort_by_key(|partition| partition.partition_index);
            }
            target.transcript.note(format!("{response:?}"));
            let partitions = response.results.iter().flat_map(|topic| &topic.partitions);
            let errors: Vec<ErrorCode> = partitions.map(|partition| error(partition.error_code)).collect();
            assert_eq!(errors, wanted);
        }
    }
}

scenarios! {
    a_partition_stays_where_it_is
    no_move_is_under_way
    the_only_directory_is_the_one_that_is_found
}
