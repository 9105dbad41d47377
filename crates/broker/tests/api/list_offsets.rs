//! ListOffsets (key 2).

use model::ErrorCode;
use record::BatchBuilder;
use wire::messages::ListOffsetsResponse;

use crate::support::records::fill;
use crate::support::requests::{append, delete_records, list_offsets, produce};
use crate::support::{Connection, Target, Topic, error};

const NEWEST: i16 = 11;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

/// Error, offset and timestamp of the only partition.
fn found(response: &ListOffsetsResponse) -> (ErrorCode, i64, i64) {
    let partition = &response.topics[0].partitions[0];
    (error(partition.error_code), partition.offset, partition.timestamp)
}

/// Appends one record for each timestamp, each in a batch of its own.
async fn append_at(connection: &mut Connection, topic: &Topic, times: &[i64]) {
    for time in times {
        let batch = BatchBuilder::new().record(*time, Some(b"key"), Some(b"x")).build().unwrap();
        connection.ask(13, &produce(13, topic, 0, batch)).await;
    }
}

pub(crate) async fn every_version_finds_start_and_end(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a", "b"], &["c"]]).await;
    connection.ask(2, &delete_records(&topic.name, 0, 1)).await;
    for version in 1..=NEWEST {
        let latest = connection.call(version, &list_offsets(&topic.name, 0, LATEST)).await;
        assert_eq!(found(&latest), (ErrorCode::None, 3, -1));
        let earliest = connection.call(version, &list_offsets(&topic.name, 0, EARLIEST)).await;
        assert_eq!(found(&earliest), (ErrorCode::None, 1, -1));
    }
}

pub(crate) async fn each_special_time_has_its_first_version(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a", "b"], &["c"]]).await;
    for (special, since) in
        [(MAX_TIMESTAMP, 7), (EARLIEST_LOCAL, 8), (LATEST_TIERED, 9), (EARLIEST_PENDING_UPLOAD, 11), (-7, 12)]
    {
        for version in 1..=NEWEST {
            let response = connection.call(version, &list_offsets(&topic.name, 0, special)).await;
            let expected = if version < since { ErrorCode::UnsupportedVersion } else { ErrorCode::None };
            assert_eq!(found(&response).0, expected, "{special}, version {version}");
        }
    }
    let at =
        async |special: i64| found(&target.connect().await.ask(NEWEST, &list_offsets(&topic.name, 0, special)).await);
    assert_eq!(at(EARLIEST_LOCAL).await, (ErrorCode::None, 0, -1));
    assert_eq!(at(LATEST_TIERED).await, (ErrorCode::None, -1, -1), "nothing is ever tiered");
    assert_eq!(at(EARLIEST_PENDING_UPLOAD).await, (ErrorCode::None, -1, -1));
}

pub(crate) async fn an_empty_log_starts_and_ends_at_0(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for version in [1, 3, 4, NEWEST] {
        for (time, offset) in [(LATEST, 0), (EARLIEST, 0), (0, -1), (1_000_000, -1)] {
            let response = connection.call(version, &list_offsets(&topic.name, 0, time)).await;
            assert_eq!(found(&response), (ErrorCode::None, offset, -1), "time {time}");
            let epoch = if offset < 0 || version < 4 { -1 } else { 0 };
            assert_eq!(response.topics[0].partitions[0].leader_epoch, epoch, "time {time}");
        }
    }
    for special in [MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, EARLIEST_PENDING_UPLOAD] {
        connection.call(NEWEST, &list_offsets(&topic.name, 0, special)).await;
    }
}

pub(crate) async fn the_first_record_at_or_after_a_time_is_found(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append_at(&mut connection, &topic, &[1000, 3000, 2000, 5000]).await;
    connection.ask(13, &produce(13, &topic, 0, fill(BatchBuilder::new(), &["at 1000000", "at 1000001"]))).await;
    for (time, expected) in [
        (0, (0, 1000)),
        (1000, (0, 1000)),
        (1001, (1, 3000)),
        (3001, (3, 5000)),
        (5001, (4, 1_000_000)),
        (1_000_001, (5, 1_000_001)),
        (1_000_002, (-1, -1)),
    ] {
        for version in [1, 4, NEWEST] {
            let response = connection.call(version, &list_offsets(&topic.name, 0, time)).await;
            assert_eq!(found(&response), (ErrorCode::None, expected.0, expected.1), "time {time}");
        }
    }
}

pub(crate) async fn a_time_is_not_found_below_the_log_start(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append_at(&mut connection, &topic, &[1000, 3000, 2000]).await;
    connection.ask(2, &delete_records(&topic.name, 0, 1)).await;
    for time in [0, 1000, 2500] {
        let response = connection.call(NEWEST, &list_offsets(&topic.name, 0, time)).await;
        assert_eq!(found(&response), (ErrorCode::None, 1, 3000), "time {time}");
    }
}

pub(crate) async fn the_newest_record_is_found(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append_at(&mut connection, &topic, &[1000, 9000, 2000]).await;
    for version in [7, NEWEST] {
        let response = connection.call(version, &list_offsets(&topic.name, 0, MAX_TIMESTAMP)).await;
        assert_eq!(found(&response), (ErrorCode::None, 1, 9000));
    }
    append_at(&mut connection, &topic, &[9000]).await;
    let response = connection.call(NEWEST, &list_offsets(&topic.name, 0, MAX_TIMESTAMP)).await;
    assert_eq!(found(&response), (ErrorCode::None, 1, 9000), "the first of equals");
    let two = BatchBuilder::new().record(9500, None, Some(b"x")).record(9400, None, Some(b"y")).build().unwrap();
    connection.ask(13, &produce(13, &topic, 0, two)).await;
    let response = connection.call(NEWEST, &list_offsets(&topic.name, 0, MAX_TIMESTAMP)).await;
    assert_eq!(found(&response), (ErrorCode::None, 4, 9500), "a record, not a batch");
}

pub(crate) async fn the_newest_record_may_lie_below_the_log_start(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append_at(&mut connection, &topic, &[1000, 9000, 2000, 3000]).await;
    for start in [1, 2, 3] {
        connection.ask(2, &delete_records(&topic.name, 0, start)).await;
        let response = connection.call(NEWEST, &list_offsets(&topic.name, 0, MAX_TIMESTAMP)).await;
        assert_eq!(found(&response), (ErrorCode::None, 1, 9000), "start {start}");
        assert_eq!(response.topics[0].partitions[0].leader_epoch, 0);
    }
}

pub(crate) async fn what_is_not_there_is_unknown(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for version in [1, 6, NEWEST] {
        for (name, partition) in [(&target.name("nobody"), 0), (&topic.name, 1), (&topic.name, -1)] {
            for time in [LATEST, 0] {
                let response = connection.call(version, &list_offsets(name, partition, time)).await;
                assert_eq!(found(&response), (ErrorCode::UnknownTopicOrPartition, -1, -1));
            }
        }
    }
}

pub(crate) async fn an_epoch_that_is_over_is_fenced(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let current = connection.current_epoch(&topic).await;
    for (epoch, expected) in
        [(current, ErrorCode::None), (-1, ErrorCode::None), (current + 1, ErrorCode::UnknownLeaderEpoch)]
    {
        for time in [LATEST, EARLIEST, 0] {
            let mut request = list_offsets(&topic.name, 0, time);
            request.topics[0].partitions[0].current_leader_epoch = epoch;
            assert_eq!(found(&connection.call(NEWEST, &request).await).0, expected);
        }
    }
}

pub(crate) async fn a_partition_asked_for_twice_is_an_error(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let mut request = list_offsets(&topic.name, 0, LATEST);
    let again = request.topics[0].partitions[0].clone();
    request.topics[0].partitions.push(again);
    for version in [1, NEWEST] {
        let response = connection.call(version, &request).await;
        assert_eq!(found(&response), (ErrorCode::InvalidRequest, -1, -1));
        assert_eq!(response.topics[0].partitions.len(), 1, "it is answered once");
    }
}

pub(crate) async fn committed_records_end_where_the_log_does(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    append(&mut connection, &topic, 0, &[&["a"]]).await;
    for version in [2, NEWEST] {
        let request = list_offsets(&topic.name, 0, LATEST).with_isolation_level(1);
        assert_eq!(found(&connection.call(version, &request).await), (ErrorCode::None, 1, -1));
    }
}

scenarios! {
    every_version_finds_start_and_end
    each_special_time_has_its_first_version
    an_empty_log_starts_and_ends_at_0
    the_first_record_at_or_after_a_time_is_found
    a_time_is_not_found_below_the_log_start
    the_newest_record_is_found
    the_newest_record_may_lie_below_the_log_start
    what_is_not_there_is_unknown
    an_epoch_that_is_over_is_fenced
    a_partition_asked_for_twice_is_an_error
    committed_records_end_where_the_log_does
}
