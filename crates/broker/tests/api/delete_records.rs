//! DeleteRecords (key 21).

use model::ErrorCode;
use wire::messages::DeleteRecordsResponse;

use crate::support::requests::{append, delete_records, list_offsets};
use crate::support::{Target, error};

const NEWEST: i16 = 2;

fn only(response: &DeleteRecordsResponse) -> (ErrorCode, i64) {
    let partition = &response.topics[0].partitions[0];
    (error(partition.error_code), partition.low_watermark)
}

pub(crate) async fn every_version_moves_the_log_start(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a", "b"], &["c", "d"]]).await;
    for version in 0..=NEWEST {
        let offset = i64::from(version) + 1;
        let response = connection.call(version, &delete_records(&topic.name, 0, offset)).await;
        assert_eq!(only(&response), (ErrorCode::None, offset));
        let start = connection.call(7, &list_offsets(&topic.name, 0, -2)).await;
        assert_eq!(start.topics[0].partitions[0].offset, offset);
    }
}

pub(crate) async fn minus_1_deletes_everything(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a", "b"]]).await;
    for _ in 0..2 {
        assert_eq!(only(&connection.call(NEWEST, &delete_records(&topic.name, 0, -1)).await), (ErrorCode::None, 2));
    }
    append(&mut connection, &topic, 0, &[&["c"]]).await;
    let end = connection.call(7, &list_offsets(&topic.name, 0, -1)).await;
    assert_eq!(end.topics[0].partitions[0].offset, 3, "offsets go on");
}

pub(crate) async fn a_log_start_never_moves_back(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a", "b", "c"]]).await;
    for (offset, start) in [(2, 2), (1, 2), (0, 2), (3, 3)] {
        let response = connection.call(NEWEST, &delete_records(&topic.name, 0, offset)).await;
        assert_eq!(only(&response), (ErrorCode::None, start), "offset {offset}");
    }
}

pub(crate) async fn each_partition_of_many_stands_by_itself(target: Target) {
    let topic = target.topic_with("a", 6, &[]).await;
    let mut connection = target.connect().await;
    for partition in 0..6 {
        append(&mut connection, &topic, partition, &[&["a", "b", "c"]]).await;
    }
    let mut request = delete_records(&topic.name, 0, 1);
    for (partition, offset) in [(1, 2), (2, 9), (3, -1), (4, 0), (5, 3), (17, 1)] {
        let more = delete_records(&topic.name, partition, offset).topics.remove(0).partitions;
        request.topics[0].partitions.extend(more);
    }
    let mut response = connection.ask(NEWEST, &request).await;
    // In which order they are answered is the broker's to choose.
    let answers = &mut response.topics[0].partitions;
    answers.sort_by_key(|answer| answer.partition_index);
    target.transcript.note(format!("{answers:?}"));
    let answers = answers.iter().map(|answer| (answer.partition_index, error(answer.error_code), answer.low_watermark));
    let wanted = [
        (0, ErrorCode::None, 1),
        (1, ErrorCode::None, 2),
        (2, ErrorCode::OffsetOutOfRange, -1),
        (3, ErrorCode::None, 3),
        (4, ErrorCode::None, 0),
        (5, ErrorCode::None, 3),
        (17, ErrorCode::UnknownTopicOrPartition, -1),
    ];
    assert_eq!(answers.collect::<Vec<_>>(), wanted);
}

pub(crate) async fn offsets_out_of_range_are_refused(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a"]]).await;
    for offset in [2, -2, i64::MAX] {
        let response = connection.call(NEWEST, &delete_records(&topic.name, 0, offset)).await;
        assert_eq!(only(&response), (ErrorCode::OffsetOutOfRange, -1), "offset {offset}");
    }
}

pub(crate) async fn what_is_not_there_is_unknown(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for (name, partition) in [(&target.name("nobody"), 0), (&topic.name, 1), (&topic.name, -1)] {
        let response = connection.call(NEWEST, &delete_records(name, partition, 0)).await;
        assert_eq!(only(&response), (ErrorCode::UnknownTopicOrPartition, -1));
    }
}

pub(crate) async fn a_topic_that_only_compacts_keeps_its_records(target: Target) {
    let mut connection = target.connect().await;
    for (suffix, policy, expected) in
        [("compact", "compact", (ErrorCode::PolicyViolation, -1)), ("both", "compact,delete", (ErrorCode::None, 1))]
    {
        let topic = target.topic_with(suffix, 1, &[("cleanup.policy", policy)]).await;
        append(&mut connection, &topic, 0, &[&["a"]]).await;
        assert_eq!(only(&connection.call(NEWEST, &delete_records(&topic.name, 0, 1)).await), expected);
    }
}

pub(crate) async fn internal_topics_keep_their_records(target: Target) {
    target.coordinator(&target.name("g")).await;
    let response = target.connect().await.call(NEWEST, &delete_records("__consumer_offsets", 0, 0)).await;
    assert_eq!(only(&response), (ErrorCode::InvalidTopicException, -1));
}

pub(crate) async fn of_a_partition_listed_twice_the_last_counts(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a", "b", "c", "d"]]).await;
    for (offsets, expected) in
        [([2, 1], (ErrorCode::None, 1)), ([9, 3], (ErrorCode::None, 3)), ([4, 9], (ErrorCode::OffsetOutOfRange, -1))]
    {
        let [first, second] = offsets.map(|offset| delete_records(&topic.name, 0, offset));
        let (mut in_one_topic, mut in_two) = (first.clone(), first);
        in_one_topic.topics[0].partitions.extend(second.topics[0].partitions.clone());
        in_two.topics.extend(second.topics);
        for request in [in_one_topic, in_two] {
            let response = connection.call(NEWEST, &request).await;
            assert_eq!((response.topics.len(), response.topics[0].partitions.len()), (1, 1));
            assert_eq!(only(&response), expected, "{offsets:?}");
        }
    }
}

scenarios! {
    every_version_moves_the_log_start
    minus_1_deletes_everything
    a_log_start_never_moves_back
    each_partition_of_many_stands_by_itself
    offsets_out_of_range_are_refused
    what_is_not_there_is_unknown
    a_topic_that_only_compacts_keeps_its_records
    internal_topics_keep_their_records
    of_a_partition_listed_twice_the_last_counts
}
