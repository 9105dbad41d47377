//! What Kafka's own classes wrote, we read and write again to the byte.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use bytes::{Buf, Bytes};
use wire::messages::*;
use wire::{ApiKey, Incoming, decode, decode_response, encode_request, encode_response, parse_request};

mod golden_file;
#[macro_use]
mod served_apis;
use golden_file::{Golden, of};

fn request_comes_back<M: Request>(golden: &Golden) {
    let request: M = decode(golden.version, golden.body.clone()).unwrap_or_else(|error| panic!("{golden}: {error}"));
    let frame = encode_request(golden.version, 7, Some("client"), &request).unwrap().to_bytes();
    let Ok(Incoming::Request(header, body)) = parse_request(frame.slice(4..)) else { panic!("{golden}") };
    assert_eq!((header.api, header.version, header.correlation_id), (M::API, golden.version, 7), "{golden}");
    assert_eq!(header.client_id.as_deref(), Some("client"), "{golden}");
    assert_eq!(body, golden.body, "{golden}");
}

fn response_comes_back<M: Request>(golden: &Golden)
where
    M::Response: Response,
{
    let response = read_response::<M>(golden);
    let frame = encode_response(golden.version, 7, response).unwrap_or_else(|error| panic!("{golden}: {error}"));
    assert_eq!(body_of(M::API, golden.version, frame.to_bytes()), golden.body, "{golden}");
}

fn read_response<M: Request>(golden: &Golden) -> M::Response {
    let header: &[u8] = if M::API.response_header_version(golden.version) == 1 { &[0; 5] } else { &[0; 4] };
    let frame = Bytes::from([header, &golden.body].concat());
    decode_response::<M>(golden.version, frame).unwrap_or_else(|error| panic!("{golden}: {error}"))
}

/// What stands behind length and header.
fn body_of(api: ApiKey, version: i16, mut frame: Bytes) -> Bytes {
    assert_eq!(frame.get_i32() as usize, frame.len(), "the length is that of the frame");
    frame.advance(if api.response_header_version(version) == 1 { 5 } else { 4 });
    frame
}

/// A handler fills in all it knows, in the newest form; every served version can be written.
fn newest_response_fits_every_version<M: Request>()
where
    M::Response: Response + Clone,
{
    let served = M::API.api().served().expect("only served APIs are asked for");
    let newest = of(M::API.name(), "response").into_iter().rfind(|golden| golden.filling == "full").unwrap();
    assert_eq!(newest.version, served.max);
    let response = read_response::<M>(&newest);
    for version in served.iter() {
        let frame = encode_response(version, 7, response.clone()).unwrap_or_else(|error| panic!("{error}"));
        let body = body_of(M::API, version, frame.to_bytes());
        read_response::<M>(&Golden { version, body, ..newest.clone() });
    }
}

macro_rules! each_served_api {
    ($($test:ident $api:ident $request:ident;)*) => {
        $(#[test]
        fn $test() {
            let api = <$request as Request>::API;
            for golden in of(api.name(), "request").iter().filter(|golden| api.serves(golden.version)) {
                request_comes_back::<$request>(golden);
            }
            for golden in of(api.name(), "response").iter().filter(|golden| api.serves(golden.version)) {
                response_comes_back::<$request>(golden);
            }
            newest_response_fits_every_version::<$request>();
        })*

        #[test]
        fn every_served_api_is_tested() {
            let tested = [$(<$request as Request>::API),*];
            for api in wire::APIS.iter().filter(|api| api.served().is_some()) {
                assert!(tested.contains(&api.key), "{} has no golden test", api.name);
            }
        }
    };
}

with_served_apis! { each_served_api }

#[test]
fn records_and_strings_point_into_the_frame() {
    for golden in of("Produce", "request").iter().filter(|golden| golden.filling == "full") {
        let request: ProduceRequest = decode(golden.version, golden.body.clone()).unwrap();
        let frame = golden.body.as_ptr_range();
        let topic = &request.topic_data[0];
        let records = topic.partition_data[0].records.as_ref().unwrap();
        assert!(frame.contains(&records.as_ptr()), "{golden}");
        assert!(frame.contains(&request.transactional_id.as_ref().unwrap().as_ptr()), "{golden}");
    }
}

/// Names and ids of topics stand side by side in the types; the version decides which is written.
#[test]
fn a_handler_may_give_both_the_name_and_the_id_of_a_topic() {
    let (name, id) = (|| TopicName(wire::StrBytes::from_static_str("orders")), uuid::Uuid::from_u128(7));
    let produced = produce_response::TopicProduceResponse::default().with_name(name()).with_topic_id(id);
    let committed = offset_commit_response::OffsetCommitResponseTopic::default().with_name(name()).with_topic_id(id);
    let fetched = offset_fetch_response::OffsetFetchResponseTopics::default().with_name(name()).with_topic_id(id);
    let group = offset_fetch_response::OffsetFetchResponseGroup::default().with_topics(vec![fetched]);
    let deleted = delete_topics_response::DeletableTopicResult::default().with_name(Some(name())).with_topic_id(id);
    let described = metadata_response::MetadataResponseTopic::default().with_name(Some(name())).with_topic_id(id);
    let created = create_topics_response::CreatableTopicResult::default().with_name(name()).with_topic_id(id);
    every_version_writes(ProduceResponse::default().with_responses(vec![produced]));
    every_version_writes(OffsetCommitResponse::default().with_topics(vec![committed]));
    every_version_writes(OffsetFetchResponse::default().with_groups(vec![group]));
    every_version_writes(DeleteTopicsResponse::default().with_responses(vec![deleted]));
    every_version_writes(MetadataResponse::default().with_topics(vec![described]));
    every_version_writes(CreateTopicsResponse::default().with_topics(vec![created]));
}

fn every_version_writes<R: Response + Clone>(response: R) {
    for version in R::API.api().served().unwrap().iter() {
        encode_response(version, 7, response.clone()).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_client_may_give_both_the_name_and_the_id_of_a_topic() {
    let (name, id) = (|| TopicName(wire::StrBytes::from_static_str("orders")), uuid::Uuid::from_u128(7));
    let produced = produce_request::TopicProduceData::default().with_name(name()).with_topic_id(id);
    let asked = fetch_request::FetchTopic::default().with_topic(name()).with_topic_id(id);
    let committed = offset_commit_request::OffsetCommitRequestTopic::default().with_name(name()).with_topic_id(id);
    let fetched = offset_fetch_request::OffsetFetchRequestTopics::default().with_name(name()).with_topic_id(id);
    let group = offset_fetch_request::OffsetFetchRequestGroup::default().with_topics(Some(vec![fetched]));
    every_version_asks(ProduceRequest::default().with_topic_data(vec![produced]));
    every_version_asks(FetchRequest::default().with_topics(vec![asked]));
    every_version_asks(OffsetCommitRequest::default().with_topics(vec![committed]));
    every_version_asks(OffsetFetchRequest::default().with_groups(vec![group]));
}

fn every_version_asks<M: Request>(request: M) {
    for version in M::API.api().served().unwrap().iter() {
        encode_request(version, 7, None, &request).unwrap_or_else(|error| panic!("{error}"));
    }
}
