//! Fetch (key 1).

use std::time::Duration;

use model::ErrorCode;
use record::{BatchBuilder, BatchView, Compression};
use tokio::time::Instant;
use uuid::Uuid;
use wire::messages::fetch_response::PartitionData;
use wire::messages::{FetchRequest, FetchResponse, ProduceRequest};

use crate::support::records::{batch, fill};
use crate::support::requests::{append, delete_records, fetch, fetch_many, produce};
use crate::support::{Target, Topic, error};

const NEWEST: i16 = 18;

fn only(response: &FetchResponse) -> &PartitionData {
    assert_eq!((response.responses.len(), response.responses[0].partitions.len()), (1, 1));
    &response.responses[0].partitions[0]
}

fn code(response: &FetchResponse) -> ErrorCode {
    error(only(response).error_code)
}

/// The offsets of the records of a partition, batch by batch.
fn offsets(partition: &PartitionData) -> Vec<(i64, i64)> {
    let records = partition.records.clone().unwrap_or_default();
    let (mut rest, mut found) = (&records[..], Vec::new());
    while !rest.is_empty() {
        let (batch, behind) = BatchView::split_first(rest).unwrap();
        found.push((batch.head().base_offset(), batch.head().last_offset()));
        rest = behind;
    }
    found
}

pub(crate) async fn every_version_reads_from_the_batch_that_holds_the_offset(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a", "b"], &["c", "d"], &["e"]]).await;
    for version in 4..=NEWEST {
        let response = connection.call(version, &fetch(version, &topic, 0, 3)).await;
        let partition = only(&response);
        assert_eq!(error(partition.error_code), ErrorCode::None);
        assert_eq!(offsets(partition), [(2, 3), (4, 4)], "version {version}");
        assert_eq!((partition.high_watermark, partition.last_stable_offset), (5, 5));
    }
}

pub(crate) async fn the_end_of_a_log_gives_nothing(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for isolation in [0, 1] {
        for version in [4, 11, 12, NEWEST] {
            let response =
                connection.call(version, &fetch(version, &topic, 0, 0).with_isolation_level(isolation)).await;
            assert_eq!(code(&response), ErrorCode::None);
            assert_eq!(only(&response).records.as_deref().unwrap_or_default(), b"");
        }
    }
    append(&mut connection, &topic, 0, &[&["a"]]).await;
    let response = connection.call(NEWEST, &fetch(NEWEST, &topic, 0, 1)).await;
    assert_eq!((code(&response), offsets(only(&response))), (ErrorCode::None, vec![]));
}

pub(crate) async fn aborted_transactions_are_listed_for_readers_of_committed_records_alone(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a"]]).await;
    for version in [4, 12, NEWEST] {
        for (isolation, listed) in [(0, false), (1, true)] {
            for offset in [0, 1, 7] {
                let request = fetch(version, &topic, 0, offset).with_isolation_level(isolation);
                let response = connection.call(version, &request).await;
                assert_eq!(only(&response).aborted_transactions.is_some(), listed && offset < 7);
            }
        }
    }
}

pub(crate) async fn an_offset_out_of_range_is_told(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a", "b"], &["c"]]).await;
    connection.ask(2, &delete_records(&topic.name, 0, 1)).await;
    for (offset, expected) in [
        (0, ErrorCode::OffsetOutOfRange),
        (1, ErrorCode::None),
        (3, ErrorCode::None),
        (4, ErrorCode::OffsetOutOfRange),
        (-1, ErrorCode::OffsetOutOfRange),
    ] {
        for version in [4, NEWEST] {
            let response = connection.call(version, &fetch(version, &topic, 0, offset)).await;
            assert_eq!(code(&response), expected, "offset {offset}");
            let (end, told) = if expected == ErrorCode::None { (3, 1) } else { (-1, -1) };
            let partition = only(&response);
            assert_eq!((partition.high_watermark, partition.last_stable_offset), (end, end), "where it ends");
            assert_eq!(partition.log_start_offset, if version < 5 { -1 } else { told }, "where it begins");
        }
    }
}

pub(crate) async fn what_is_not_there_is_unknown(target: Target) {
    let topic = target.topic("a").await;
    let nobody = Topic { name: target.name("nobody"), id: Uuid::from_u128(77) };
    let mut connection = target.connect().await;
    for (version, topic, partition, expected) in [
        (4, &nobody, 0, ErrorCode::UnknownTopicOrPartition),
        (12, &nobody, 0, ErrorCode::UnknownTopicOrPartition),
        (12, &topic, 1, ErrorCode::UnknownTopicOrPartition),
        (12, &topic, -1, ErrorCode::UnknownTopicOrPartition),
        (13, &nobody, 0, ErrorCode::UnknownTopicId),
        (13, &topic, 1, ErrorCode::UnknownTopicOrPartition),
        (NEWEST, &Topic { id: Uuid::nil(), ..topic.clone() }, 0, ErrorCode::UnknownTopicId),
    ] {
        let response = connection.call(version, &fetch(version, topic, partition, 0)).await;
        assert_eq!(code(&response), expected, "version {version}, partition {partition}");
        assert_eq!(only(&response).aborted_transactions, Some(vec![]));
    }
}

pub(crate) async fn an_error_is_not_waited_for(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let patient = |request: FetchRequest| request.with_max_wait_ms(600_000).with_min_bytes(1);
    let begun = Instant::now();
    for offset in [0, 5] {
        let partition = if offset == 0 { 1 } else { 0 };
        let response = connection.call(NEWEST, &patient(fetch(NEWEST, &topic, partition, offset))).await;
        assert_ne!(code(&response), ErrorCode::None);
    }
    assert!(begun.elapsed() < Duration::from_secs(60));
}

pub(crate) async fn a_fetch_waits_for_its_whole_time(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a"]]).await;
    for (offset, min_bytes) in [(1, 1), (0, 100_000)] {
        let request = fetch(NEWEST, &topic, 0, offset).with_max_wait_ms(300).with_min_bytes(min_bytes);
        let begun = Instant::now();
        let response = connection.call(NEWEST, &request).await;
        assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
        assert_eq!(offsets(only(&response)).is_empty(), offset == 1, "what is there is given in the end");
    }
}

pub(crate) async fn a_fetch_that_waits_is_woken_by_what_it_waits_for(target: Target) {
    let topic = target.topic("a").await;
    let (mut reader, mut writer) = (target.connect().await, target.connect().await);
    let one = i32::try_from(batch(&["a"]).len()).unwrap();
    let begun = Instant::now();
    reader.send(NEWEST, &fetch(NEWEST, &topic, 0, 0).with_max_wait_ms(600_000).with_min_bytes(2 * one)).await;
    append(&mut writer, &topic, 0, &[&["a"], &["b"]]).await;
    let response = reader.receive::<FetchRequest>(NEWEST).await;
    assert_eq!(offsets(only(&response)), [(0, 0), (1, 1)], "one batch is less than it waits for");
    assert!(begun.elapsed() < Duration::from_secs(60));
}

pub(crate) async fn a_fetch_of_several_partitions_is_woken_by_any(target: Target) {
    let topic = target.topic_with("a", 3, &[]).await;
    let (mut reader, mut writer) = (target.connect().await, target.connect().await);
    let wanted = [(&topic, 0, 0), (&topic, 1, 0), (&topic, 2, 0)];
    let begun = Instant::now();
    reader.send(NEWEST, &fetch_many(NEWEST, &wanted).with_max_wait_ms(600_000).with_min_bytes(1)).await;
    append(&mut writer, &topic, 2, &[&["a"]]).await;
    let response = reader.hear::<FetchRequest>(NEWEST).await;
    let found: Vec<_> = response.responses.iter().flat_map(|topic| &topic.partitions).map(offsets).collect();
    assert_eq!(found.concat(), [(0, 0)]);
    assert!(begun.elapsed() < Duration::from_secs(60));
}

pub(crate) async fn a_wait_holds_up_its_own_connection_only(target: Target) {
    let topic = target.topic("a").await;
    let (mut reader, mut other) = (target.connect().await, target.connect().await);
    reader.send(NEWEST, &fetch(NEWEST, &topic, 0, 0).with_max_wait_ms(300).with_min_bytes(1)).await;
    reader.send(13, &produce(13, &topic, 9, batch(&["x"]))).await;
    let response = other.call(NEWEST, &fetch(NEWEST, &topic, 0, 0)).await;
    assert_eq!(code(&response), ErrorCode::None);
    reader.receive::<FetchRequest>(NEWEST).await;
    reader.receive::<ProduceRequest>(13).await;
}

pub(crate) async fn one_batch_comes_whole_however_large(target: Target) {
    let topic = target.topic_with("a", 2, &[]).await;
    let mut connection = target.connect().await;
    let large = "x".repeat(100_000);
    append(&mut connection, &topic, 0, &[&[&large], &["b"]]).await;
    append(&mut connection, &topic, 1, &[&[&large]]).await;
    let found = |response: &FetchResponse| -> Vec<_> {
        response.responses.iter().flat_map(|topic| &topic.partitions).map(offsets).collect()
    };
    for max_bytes in [0, 1, 100] {
        for version in [4, NEWEST] {
            let request = fetch_many(version, &[(&topic, 0, 0), (&topic, 1, 0)]).with_max_bytes(max_bytes);
            let response = connection.call(version, &request).await;
            assert_eq!(found(&response), [vec![(0, 0)], vec![]], "one in all, of the first partition");
        }
    }
    let mut request = fetch_many(NEWEST, &[(&topic, 0, 0), (&topic, 1, 0)]);
    for topic in &mut request.topics {
        topic.partitions[0].partition_max_bytes = 1;
    }
    let response = connection.call(NEWEST, &request).await;
    assert_eq!(found(&response), [vec![(0, 0)], vec![]], "only the first that has any is exempt");
}

pub(crate) async fn an_epoch_that_is_over_is_fenced(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a"]]).await;
    let current = connection.current_epoch(&topic).await;
    for (epoch, expected) in [
        (current, ErrorCode::None),
        (-1, ErrorCode::None),
        (current + 1, ErrorCode::UnknownLeaderEpoch),
        (current - 1, if current == 0 { ErrorCode::None } else { ErrorCode::FencedLeaderEpoch }),
    ] {
        let mut request = fetch(NEWEST, &topic, 0, 0);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        assert_eq!(code(&connection.call(NEWEST, &request).await), expected);
    }
}

pub(crate) async fn a_log_that_diverges_is_told_where(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a"]]).await;
    let current = connection.current_epoch(&topic).await;
    for (offset, last_epoch, expected, diverging) in [
        (1, current, ErrorCode::None, (-1, -1)),
        (5, current, ErrorCode::None, (current, 1)),
        (0, current + 1, ErrorCode::OffsetOutOfRange, (-1, -1)),
        (1, current + 1, ErrorCode::OffsetOutOfRange, (-1, -1)),
    ] {
        for version in [12, NEWEST] {
            let mut request = fetch(version, &topic, 0, offset);
            request.topics[0].partitions[0].last_fetched_epoch = last_epoch;
            let response = connection.call(version, &request).await;
            let told = &only(&response).diverging_epoch;
            assert_eq!((code(&response), (told.epoch, told.end_offset)), (expected, diverging), "offset {offset}");
        }
    }
}

pub(crate) async fn any_negative_epoch_is_none(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a"]]).await;
    for epoch in [-1, -2, i32::MIN] {
        let mut request = fetch(NEWEST, &topic, 0, 0);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        assert_eq!(code(&connection.call(NEWEST, &request).await), ErrorCode::None);
        let mut request = fetch(NEWEST, &topic, 0, 0);
        request.topics[0].partitions[0].last_fetched_epoch = epoch;
        assert_eq!(code(&connection.call(NEWEST, &request).await), ErrorCode::None);
    }
}

pub(crate) async fn of_a_partition_listed_twice_the_last_counts(target: Target) {
    let topic = target.topic_with("a", 2, &[]).await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a"], &["b"]]).await;
    for version in [4, 12, NEWEST] {
        for epoch in [-1, 0] {
            let wanted = [(&topic, 0, 0), (&topic, 1, 0), (&topic, 0, 1)];
            let request = fetch_many(version, &wanted).with_session_epoch(epoch);
            let response = connection.call(version, &request).await;
            let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
            let found: Vec<_> = partitions.map(|found| (found.partition_index, offsets(found))).collect();
            assert_eq!(found, [(0, vec![(1, 1)]), (1, vec![])], "version {version}");
        }
    }
}

pub(crate) async fn zstd_is_given_to_every_version(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let zstd = fill(BatchBuilder::new().compression(Compression::Zstd), &["x"]);
    connection.ask(13, &produce(13, &topic, 0, zstd)).await;
    for version in [4, 9, 10] {
        let response = connection.call(version, &fetch(version, &topic, 0, 0)).await;
        assert_eq!((code(&response), offsets(only(&response))), (ErrorCode::None, vec![(0, 0)]), "version {version}");
    }
}

scenarios! {
    every_version_reads_from_the_batch_that_holds_the_offset
    the_end_of_a_log_gives_nothing
    aborted_transactions_are_listed_for_readers_of_committed_records_alone
    an_offset_out_of_range_is_told
    what_is_not_there_is_unknown
    an_error_is_not_waited_for
    a_fetch_waits_for_its_whole_time
    a_fetch_that_waits_is_woken_by_what_it_waits_for
    a_fetch_of_several_partitions_is_woken_by_any
    a_wait_holds_up_its_own_connection_only
    one_batch_comes_whole_however_large
    an_epoch_that_is_over_is_fenced
    a_log_that_diverges_is_told_where
    any_negative_epoch_is_none
    of_a_partition_listed_twice_the_last_counts
    zstd_is_given_to_every_version
}
