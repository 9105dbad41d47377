//! Fetch (key 1), in sessions (KIP-227).

use model::ErrorCode;
use uuid::Uuid;
use wire::messages::fetch_request::ForgottenTopic;
use wire::messages::{FetchRequest, FetchResponse};

use crate::support::requests::{append, fetch_many, topic_name};
use crate::support::{Connection, Target, Topic, error};

const NEWEST: i16 = 18;

/// The topics of an answer, each by its partitions' numbers, errors and sizes.
fn told(response: &FetchResponse) -> Vec<(i32, ErrorCode, usize)> {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    let told = partitions.map(|partition| {
        let bytes = partition.records.as_ref().map_or(0, bytes::Bytes::len);
        (partition.partition_index, error(partition.error_code), bytes)
    });
    told.collect()
}

fn in_session(request: FetchRequest, id: i32, epoch: i32) -> FetchRequest {
    request.with_session_id(id).with_session_epoch(epoch)
}

/// A session of some partitions, as the first answer gives it.
async fn begin(connection: &mut Connection, version: i16, wanted: &[(&Topic, i32, i64)]) -> i32 {
    let response = connection.call(version, &in_session(fetch_many(version, wanted), 0, 0)).await;
    assert_eq!(response.error_code, 0);
    assert_ne!(response.session_id, 0, "a session was asked for");
    assert_eq!(told(&response).len(), wanted.len(), "the first answer is whole");
    response.session_id
}

pub(crate) async fn a_session_tells_what_is_new(target: Target) {
    let topic = target.topic_with("a", 2, &[]).await;
    let mut connection = target.connect().await;
    for version in [7, 12, 13, NEWEST] {
        let mut wanted = Vec::new();
        for partition in 0..2 {
            let request = crate::support::requests::list_offsets(&topic.name, partition, -1);
            wanted.push(connection.ask(7, &request).await.topics[0].partitions[0].offset);
        }
        let session = begin(&mut connection, version, &[(&topic, 0, wanted[0]), (&topic, 1, wanted[1])]).await;
        let nothing = connection.call(version, &in_session(fetch_many(version, &[]), session, 1)).await;
        assert_eq!((told(&nothing), nothing.session_id), (vec![], session), "nothing is new");
        append(&mut connection, &topic, 1, &[&["x"]]).await;
        let news = connection.call(version, &in_session(fetch_many(version, &[]), session, 2)).await;
        assert_eq!(told(&news), [(1, ErrorCode::None, 72)]);
        let again = connection.call(version, &in_session(fetch_many(version, &[]), session, 3)).await;
        assert_eq!(told(&again), [(1, ErrorCode::None, 72)], "the client still stands where it stood");
        let moved = fetch_many(version, &[(&topic, 1, wanted[1] + 1)]);
        let moved = connection.call(version, &in_session(moved, session, 4)).await;
        assert_eq!(told(&moved), [], "now it has read it");
    }
}

pub(crate) async fn a_session_forgets_and_takes_up_partitions(target: Target) {
    let topic = target.topic_with("a", 3, &[]).await;
    let mut connection = target.connect().await;
    for partition in 0..3 {
        append(&mut connection, &topic, partition, &[&["x"]]).await;
    }
    for version in [7, NEWEST] {
        let session = begin(&mut connection, version, &[(&topic, 0, 0), (&topic, 1, 0)]).await;
        let forgotten = ForgottenTopic::default().with_partitions(vec![0]);
        let forgotten = match version {
            ..13 => forgotten.with_topic(topic_name(&topic.name)),
            13.. => forgotten.with_topic_id(topic.id),
        };
        let request = fetch_many(version, &[(&topic, 2, 0)]).with_forgotten_topics_data(vec![forgotten]);
        let response = connection.ask(version, &in_session(request, session, 1)).await;
        let mut told = told(&response);
        told.sort_by_key(|(partition, ..)| *partition);
        assert_eq!(told, [(1, ErrorCode::None, 72), (2, ErrorCode::None, 72)]);
    }
}

pub(crate) async fn sessions_and_epochs_that_are_not_there_are_told(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for version in [7, NEWEST] {
        let session = begin(&mut connection, version, &[(&topic, 0, 0)]).await;
        for (id, epoch, expected) in [
            (session, 2, ErrorCode::InvalidFetchSessionEpoch),
            (session, 0x7fff_ffff, ErrorCode::InvalidFetchSessionEpoch),
            (0, 1, ErrorCode::FetchSessionIdNotFound),
            (-5, 1, ErrorCode::FetchSessionIdNotFound),
            (session, 1, ErrorCode::None),
            (session, 1, ErrorCode::InvalidFetchSessionEpoch),
            (session, 2, ErrorCode::None),
        ] {
            let response = connection.call(version, &in_session(fetch_many(version, &[]), id, epoch)).await;
            assert_eq!(error(response.error_code), expected, "id {id}, epoch {epoch}");
            assert!(response.responses.is_empty());
        }
    }
}

pub(crate) async fn a_session_is_closed_by_its_client(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for (closing, wanted) in [(-1, vec![]), (-1, vec![(&topic, 0, 0)]), (0, vec![(&topic, 0, 0)])] {
        let session = begin(&mut connection, NEWEST, &[(&topic, 0, 0)]).await;
        let response = connection.call(NEWEST, &in_session(fetch_many(NEWEST, &wanted), session, closing)).await;
        assert_eq!((error(response.error_code), told(&response).len()), (ErrorCode::None, wanted.len()));
        assert_eq!(response.session_id != 0, closing == 0, "epoch 0 begins another");
        let gone = connection.call(NEWEST, &in_session(fetch_many(NEWEST, &[]), session, 1)).await;
        assert_eq!(error(gone.error_code), ErrorCode::FetchSessionIdNotFound);
    }
}

pub(crate) async fn a_session_may_be_of_nothing_and_a_fetch_of_none(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let response = connection.call(NEWEST, &fetch_many(NEWEST, &[(&topic, 0, 0)])).await;
    assert_eq!((response.session_id, told(&response).len()), (0, 1));
    let response = connection.call(NEWEST, &in_session(fetch_many(NEWEST, &[]), 0, 0)).await;
    assert_eq!((error(response.error_code), response.responses.len()), (ErrorCode::None, 0));
    assert_ne!(response.session_id, 0, "partitions may come later");
}

pub(crate) async fn a_session_by_name_is_not_one_by_id(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for (begun, continued) in [(12, 13), (13, 12)] {
        let session = begin(&mut connection, begun, &[(&topic, 0, 0)]).await;
        for wanted in [vec![(&topic, 0, 0)], vec![]] {
            let request = in_session(fetch_many(continued, &wanted), session, 1);
            let response = connection.call(continued, &request).await;
            assert_eq!(error(response.error_code), ErrorCode::FetchSessionTopicIdError);
        }
    }
}

pub(crate) async fn a_session_keeps_what_it_cannot_find(target: Target) {
    let topic = target.topic("a").await;
    let nobody = Topic { name: target.name("nobody"), id: Uuid::from_u128(77) };
    let mut connection = target.connect().await;
    for version in [12, NEWEST] {
        let session = begin(&mut connection, version, &[(&topic, 0, 0), (&nobody, 0, 0)]).await;
        for epoch in 1..3 {
            let response = connection.call(version, &in_session(fetch_many(version, &[]), session, epoch)).await;
            target.transcript.note(format!("{:?}", told(&response)));
            let expected = if version < 13 { ErrorCode::UnknownTopicOrPartition } else { ErrorCode::UnknownTopicId };
            assert_eq!(told(&response), [(0, expected, 0)], "an error is told each time");
        }
    }
}

pub(crate) async fn a_topic_made_anew_is_another_to_a_session(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let session = begin(&mut connection, NEWEST, &[(&topic, 0, 0)]).await;
    target.delete(&topic).await;
    let gone = connection.call(NEWEST, &in_session(fetch_many(NEWEST, &[]), session, 1)).await;
    assert_ne!(told(&gone)[0].1, ErrorCode::None);
    let anew = target.topic("a").await;
    assert_ne!(anew.id, topic.id);
    let unknown = connection.call(NEWEST, &in_session(fetch_many(NEWEST, &[]), session, 2)).await;
    assert_ne!(told(&unknown)[0].1, ErrorCode::None, "the id is the old one's");
    let both = connection.call(NEWEST, &in_session(fetch_many(NEWEST, &[(&anew, 0, 0)]), session, 3)).await;
    let well = told(&both).into_iter().filter(|(_, error, _)| *error == ErrorCode::None);
    assert_eq!((told(&both).len(), well.count()), (2, 1));
}

scenarios! {
    a_session_tells_what_is_new
    a_session_forgets_and_takes_up_partitions
    sessions_and_epochs_that_are_not_there_are_told
    a_session_is_closed_by_its_client
    a_session_may_be_of_nothing_and_a_fetch_of_none
    a_session_by_name_is_not_one_by_id
    a_session_keeps_what_it_cannot_find
    a_topic_made_anew_is_another_to_a_session
}
