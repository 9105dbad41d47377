//! What is no request at all, or none that is served: the connection is closed, and nobody else is hurt.

use wire::messages::{ApiVersionsRequest, MetadataRequest};

use crate::support::Target;
use crate::support::requests::metadata;

/// A frame: its length, and what it holds.
fn frame(body: &[u8]) -> Vec<u8> {
    [&i32::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
}

/// The header of a request, version 1, without a client id.
fn header(api: i16, version: i16) -> Vec<u8> {
    [&api.to_be_bytes()[..], &version.to_be_bytes(), &7_i32.to_be_bytes(), &(-1_i16).to_be_bytes()].concat()
}

/// Sends bytes to a connection of their own, which is to be closed, while another goes on.
async fn expect_closed(target: &Target, what: &str, bytes: &[u8]) {
    let mut other = target.connect().await;
    let mut connection = target.connect().await;
    target.transcript.note(what);
    connection.send_bytes(bytes).await;
    connection.expect_close().await;
    other.ask(0, &ApiVersionsRequest::default()).await;
}

pub(crate) async fn apis_that_are_not_there_close_the_connection(target: Target) {
    for api in [4, 5, 6, 7, 52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73, 82, 200, -1, i16::MIN] {
        expect_closed(&target, &format!("api {api}"), &frame(&header(api, 0))).await;
    }
}

pub(crate) async fn versions_that_are_not_served_close_the_connection(target: Target) {
    for api in wire::APIS.iter().filter(|api| api.served().is_some() && api.key != wire::ApiKey::ApiVersions) {
        let served = api.served().unwrap();
        for version in [served.min - 1, served.max + 1, i16::MAX] {
            let what = format!("{} {version}", api.name);
            expect_closed(&target, &what, &frame(&header(api.key.code(), version))).await;
        }
    }
}

pub(crate) async fn frames_that_end_too_early_close_the_connection(target: Target) {
    let whole = header(3, 1);
    for length in 0..whole.len() {
        expect_closed(&target, &format!("{length} bytes of a header"), &frame(&whole[..length])).await;
    }
    for body in [&[][..], &[0, 0], &[0, 0, 0, 1], &[0, 0, 0, 1, 0, 9, b'x']] {
        let bytes = [&whole[..], body].concat();
        expect_closed(&target, &format!("a body of {} bytes", body.len()), &frame(&bytes)).await;
    }
}

pub(crate) async fn frames_of_impossible_lengths_close_the_connection(target: Target) {
    for length in [-1, i32::MIN, 104_857_601, i32::MAX] {
        expect_closed(&target, &format!("length {length}"), &length.to_be_bytes()).await;
    }
}

pub(crate) async fn counts_beyond_the_frame_close_the_connection(target: Target) {
    for count in [2, 1_000_000, i32::MAX] {
        let bytes = [&header(3, 1)[..], &count.to_be_bytes()].concat();
        expect_closed(&target, &format!("{count} topics"), &frame(&bytes)).await;
    }
}

pub(crate) async fn bytes_behind_a_request_are_passed_over(target: Target) {
    let mut connection = target.connect().await;
    let bytes = [&header(3, 1)[..], &0_i32.to_be_bytes(), b"and more"].concat();
    connection.send_bytes(&frame(&bytes)).await;
    let answered = connection.next_frame().await.is_some();
    target.transcript.note(format!("answered: {answered}"));
}

pub(crate) async fn what_was_asked_before_is_answered_before_the_end(target: Target) {
    let mut connection = target.connect().await;
    for _ in 0..3 {
        connection.send(1, &MetadataRequest::default().with_topics(Some(vec![]))).await;
    }
    connection.send_bytes(&frame(&header(200, 0))).await;
    for _ in 0..3 {
        connection.receive::<MetadataRequest>(1).await;
    }
    connection.expect_close().await;
}

pub(crate) async fn a_request_that_comes_byte_by_byte_is_answered(target: Target) {
    let mut connection = target.connect().await;
    for byte in frame(&[&header(3, 1)[..], &0_i32.to_be_bytes()].concat()) {
        connection.send_bytes(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert!(connection.next_frame().await.is_some());
}

pub(crate) async fn a_client_needs_no_id(target: Target) {
    let mut connection = target.connect().await;
    let bare = [&header(3, 1)[..], &0_i32.to_be_bytes()].concat();
    connection.send_bytes(&frame(&bare)).await;
    assert_eq!(&connection.next_frame().await.unwrap()[..4], 7_i32.to_be_bytes());
    connection.expect_answers_from(1);
    connection.ask(12, &metadata(&[])).await;
}

scenarios! {
    apis_that_are_not_there_close_the_connection
    versions_that_are_not_served_close_the_connection
    frames_that_end_too_early_close_the_connection
    frames_of_impossible_lengths_close_the_connection
    counts_beyond_the_frame_close_the_connection
    bytes_behind_a_request_are_passed_over
    what_was_asked_before_is_answered_before_the_end
    a_request_that_comes_byte_by_byte_is_answered
    a_client_needs_no_id
}
