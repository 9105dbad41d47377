//! Produce (key 0) by idempotent producers (KIP-98).

use bytes::Bytes;
use model::ErrorCode;
use record::BatchBuilder;

use crate::produce::{NEWEST, refusal};
use crate::support::Target;
use crate::support::records::{SOME_TIME, fill};
use crate::support::requests::{produce, produced};

/// A batch of an idempotent producer, with a record for each value.
fn batch_of(producer: i64, epoch: i16, sequence: i32, values: &[&str]) -> Bytes {
    fill(BatchBuilder::new().producer(producer, epoch, sequence), values)
}

pub(crate) async fn an_idempotent_batch_sent_again_is_answered_and_not_appended(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for n in 0..6 {
        let sent = batch_of(5000, 0, 2 * n, &["x", "y"]);
        assert_eq!(refusal(&mut connection, &topic, sent).await.0, ErrorCode::None);
    }
    for n in 1..6 {
        let again = connection.call(NEWEST, &produce(NEWEST, &topic, 0, batch_of(5000, 0, 2 * n, &["x", "y"]))).await;
        assert_eq!(produced(&again), (ErrorCode::None, i64::from(2 * n)));
        let timestamp = again.responses[0].partition_responses[0].log_append_time_ms;
        assert_eq!(timestamp, SOME_TIME + 1, "Kafka tells its greatest timestamp");
    }
    let forgotten = refusal(&mut connection, &topic, batch_of(5000, 0, 0, &["x", "y"])).await.0;
    assert_eq!(forgotten, ErrorCode::OutOfOrderSequenceNumber, "five batches are remembered");
}

pub(crate) async fn a_gap_in_a_sequence_is_refused(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for (sequence, expected) in [
        (0, ErrorCode::None),
        (2, ErrorCode::OutOfOrderSequenceNumber),
        (1, ErrorCode::None),
        (1, ErrorCode::None),
        (3, ErrorCode::OutOfOrderSequenceNumber),
    ] {
        let found = refusal(&mut connection, &topic, batch_of(5001, 0, sequence, &["x"])).await.0;
        assert_eq!(found, expected, "sequence {sequence}");
    }
}

pub(crate) async fn an_unknown_producer_may_begin_anywhere(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    assert_eq!(refusal(&mut connection, &topic, batch_of(5002, 3, 42, &["x"])).await.0, ErrorCode::None);
    assert_eq!(refusal(&mut connection, &topic, batch_of(5002, 3, 43, &["x"])).await.0, ErrorCode::None);
}

pub(crate) async fn a_producer_of_an_older_epoch_is_fenced(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for (epoch, sequence, expected) in [
        (1, 0, ErrorCode::None),
        (0, 1, ErrorCode::InvalidProducerEpoch),
        (2, 1, ErrorCode::OutOfOrderSequenceNumber),
        (2, 0, ErrorCode::None),
        (1, 1, ErrorCode::InvalidProducerEpoch),
    ] {
        for version in [9, NEWEST] {
            let request = produce(version, &topic, 0, batch_of(5003, epoch, sequence, &["x"]));
            let found = produced(&connection.call(version, &request).await).0;
            assert_eq!(found, expected, "epoch {epoch}, sequence {sequence}, version {version}");
        }
    }
}

pub(crate) async fn a_producers_epoch_is_not_negative(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for (id, epoch, sequence, expected) in [
        (5005, -7, 0, ErrorCode::InvalidProducerEpoch),
        (5005, -7, -1, ErrorCode::InvalidRecord),
        (5005, 0, -1, ErrorCode::InvalidRecord),
        (5005, -1, 0, ErrorCode::None),
        (-1, -7, -7, ErrorCode::None),
        (-2, 0, 0, ErrorCode::None),
    ] {
        let found = refusal(&mut connection, &topic, batch_of(id, epoch, sequence, &["x"])).await.0;
        assert_eq!(found, expected, "id {id}, epoch {epoch}, sequence {sequence}");
    }
}

pub(crate) async fn sequences_wrap_around(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for sequence in [i32::MAX - 1, 0, 2] {
        let sent = batch_of(5004, 0, sequence, &["x", "y"]);
        assert_eq!(refusal(&mut connection, &topic, sent).await.0, ErrorCode::None, "{sequence}");
    }
}

scenarios! {
    an_idempotent_batch_sent_again_is_answered_and_not_appended
    a_gap_in_a_sequence_is_refused
    an_unknown_producer_may_begin_anywhere
    a_producer_of_an_older_epoch_is_fenced
    a_producers_epoch_is_not_negative
    sequences_wrap_around
}
