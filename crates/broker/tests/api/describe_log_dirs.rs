//! DescribeLogDirs (key 35).

use model::ErrorCode;
use wire::messages::DescribeLogDirsRequest;
use wire::messages::describe_log_dirs_request::DescribableLogDirTopic;

use crate::support::requests::{append, topic_name};
use crate::support::{Target, error};

const NEWEST: i16 = 5;

pub(crate) fn request(topics: &[(&str, &[i32])]) -> DescribeLogDirsRequest {
    let topics = topics.iter().map(|(name, partitions)| {
        DescribableLogDirTopic::default().with_topic(topic_name(name)).with_partitions(partitions.to_vec())
    });
    DescribeLogDirsRequest::default().with_topics(Some(topics.collect()))
}

pub(crate) async fn every_version_tells_what_is_there_of_what_was_asked_for(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic_with("a", 3, &[]).await;
    append(&mut connection, &topic, 1, &[&["some text"]]).await;
    let nobody = target.name("nobody");
    for version in 1..=NEWEST {
        let response = connection.ask(version, &request(&[(&topic.name, &[0, 1, 99]), (&nobody, &[0])])).await;
        assert_eq!((response.error_code, response.results.len()), (0, 1));
        let directory = &response.results[0];
        assert_eq!((error(directory.error_code), directory.is_cordoned), (ErrorCode::None, false));
        assert!(directory.log_dir.starts_with('/'));
        assert_eq!(directory.topics.len(), 1);
        let mut partitions = directory.topics[0].partitions.clone();
        partitions.sort_by_key(|partition| partition.partition_index);
        let found: Vec<_> = partitions.iter().map(|one| (one.partition_index, one.partition_size > 0)).collect();
        assert_eq!(found, [(0, false), (1, true)]);
        assert_eq!(directory.usable_bytes > 0, version >= 4);
    }
}

pub(crate) async fn null_asks_for_all_and_an_empty_list_for_none(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    let all = connection.ask(NEWEST, &DescribeLogDirsRequest::default().with_topics(None)).await;
    assert!(all.results[0].topics.iter().any(|found| found.name.as_str() == topic.name));
    let none = connection.ask(NEWEST, &request(&[])).await;
    assert!(none.results[0].topics.is_empty());
}

scenarios! {
    every_version_tells_what_is_there_of_what_was_asked_for
    null_asks_for_all_and_an_empty_list_for_none
}
