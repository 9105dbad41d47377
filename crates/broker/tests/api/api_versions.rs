//! ApiVersions (key 18).

use model::ErrorCode;
use wire::messages::{ApiVersionsRequest, ApiVersionsResponse, MetadataRequest};
use wire::{APIS, ApiKey, StrBytes};

use crate::support::requests::str_bytes;
use crate::support::{Connection, Target, error};

const NEWEST: i16 = 5;

fn request(version: i16) -> ApiVersionsRequest {
    let word = |word: &'static str| if version < 3 { StrBytes::default() } else { StrBytes::from_static_str(word) };
    ApiVersionsRequest {
        client_software_name: word("scenario"),
        client_software_version: word("1.0"),
        ..ApiVersionsRequest::default()
    }
}

/// Kafka serves these only where a plug-in takes what clients push.
const WITH_A_PLUG_IN: [ApiKey; 2] = [ApiKey::GetTelemetrySubscriptions, ApiKey::PushTelemetry];

/// What is served whatever is plugged in.
fn served() -> impl Iterator<Item = &'static wire::Api> {
    APIS.iter().filter(|api| api.served().is_some() && !WITH_A_PLUG_IN.contains(&api.key))
}

/// Asks, and puts only what is said of this API into the transcript: Kafka serves more APIs.
async fn ask(
    target: &Target,
    connection: &mut Connection,
    version: i16,
    request: &ApiVersionsRequest,
) -> ApiVersionsResponse {
    let mut response = connection.ask(version, request).await;
    let listed = response.api_keys.len();
    response.api_keys.retain(|api| served().any(|ours| ours.key.code() == api.api_key));
    response.api_keys.sort_by_key(|api| api.api_key);
    let found: Vec<_> = response.api_keys.iter().map(|api| (api.api_key, api.min_version, api.max_version)).collect();
    target.transcript.note(format!("{version} {} {} {found:?}", response.error_code, listed == 0));
    response
}

fn range(response: &ApiVersionsResponse, key: ApiKey) -> Option<(i16, i16)> {
    let api = response.api_keys.iter().find(|api| api.api_key == key.code())?;
    Some((api.min_version, api.max_version))
}

pub(crate) async fn every_version_lists_what_is_served(target: Target) {
    let mut connection = target.connect().await;
    for version in 0..=NEWEST {
        let response = ask(&target, &mut connection, version, &request(version)).await;
        assert_eq!(error(response.error_code), ErrorCode::None);
        for api in served() {
            let versions = api.advertised().unwrap();
            assert_eq!(range(&response, api.key), Some((versions.min, versions.max)), "{}", api.name);
        }
        assert_eq!(range(&response, ApiKey::Produce), Some((0, 13)), "librdkafka looks for version 0");
    }
}

pub(crate) async fn features_are_listed_with_their_epoch(target: Target) {
    let mut connection = target.connect().await;
    for version in 3..=NEWEST {
        let response = connection.ask(version, &request(version)).await;
        assert!(response.finalized_features_epoch >= 0);
        assert!(response.supported_features.iter().any(|feature| feature.name.as_str() == "metadata.version"));
        let begins_at_0 = response.supported_features.iter().any(|feature| feature.min_version == 0);
        assert!(!begins_at_0 || version > 3, "version 3 has no place for features that begin at 0");
        assert!(!response.zk_migration_ready);
    }
}

pub(crate) async fn a_version_that_is_not_served_is_answered_in_version_0(target: Target) {
    for version in [6_i16, 99, -1] {
        let mut connection = target.connect().await;
        let header = [&18_i16.to_be_bytes()[..], &version.to_be_bytes(), &7_i32.to_be_bytes(), &[0xff, 0xff, 0]];
        let body = header.concat();
        connection.send_bytes(&i32::try_from(body.len()).unwrap().to_be_bytes()).await;
        connection.send_bytes(&body).await;
        let frame = connection.next_frame().await.expect("an answer");
        assert_eq!(&frame[..4], 7_i32.to_be_bytes());
        let response = wire::decode_response::<ApiVersionsRequest>(0, frame).unwrap();
        target.transcript.note(format!("{response:?}"));
        assert_eq!(error(response.error_code), ErrorCode::UnsupportedVersion);
        assert_eq!((response.api_keys.len(), range(&response, ApiKey::ApiVersions)), (1, Some((0, NEWEST))));
        // The same connection goes on, with a version that is served.
        connection.expect_answers_from(1);
        let response = connection.ask(3, &request(3)).await;
        assert_eq!(error(response.error_code), ErrorCode::None);
    }
}

pub(crate) async fn names_of_software_are_checked(target: Target) {
    let mut connection = target.connect().await;
    for (name, number, expected) in [
        ("a", "1", ErrorCode::None),
        ("apache-kafka-java", "4.4.0", ErrorCode::None),
        ("A.b-9", "v1", ErrorCode::None),
        ("", "1", ErrorCode::InvalidRequest),
        ("a", "", ErrorCode::InvalidRequest),
        ("-a", "1", ErrorCode::InvalidRequest),
        ("a-", "1", ErrorCode::InvalidRequest),
        ("a b", "1", ErrorCode::InvalidRequest),
        ("a_b", "1", ErrorCode::InvalidRequest),
        ("\u{e4}", "1", ErrorCode::InvalidRequest),
        ("a", "1.", ErrorCode::InvalidRequest),
    ] {
        for version in [3, 4, NEWEST] {
            let request = ApiVersionsRequest {
                client_software_name: str_bytes(name),
                client_software_version: str_bytes(number),
                ..ApiVersionsRequest::default()
            };
            let response = ask(&target, &mut connection, version, &request).await;
            assert_eq!(error(response.error_code), expected, "{name:?} {number:?}");
        }
    }
}

pub(crate) async fn a_client_that_means_another_broker_is_told(target: Target) {
    let mut connection = target.connect().await;
    let metadata = connection.ask(12, &MetadataRequest::default().with_topics(Some(vec![]))).await;
    let cluster = metadata.cluster_id.unwrap();
    let another = str_bytes("anotherClusterAnotherCl");
    for (cluster_id, node_id, expected) in [
        (None, -1, ErrorCode::None),
        (Some(cluster.clone()), 1, ErrorCode::None),
        (Some(cluster.clone()), 2, ErrorCode::RebootstrapRequired),
        (Some(another.clone()), 1, ErrorCode::RebootstrapRequired),
        (Some(another), 2, ErrorCode::RebootstrapRequired),
        (Some(cluster), -1, ErrorCode::InvalidRequest),
        (None, 1, ErrorCode::InvalidRequest),
        (Some(StrBytes::default()), 1, ErrorCode::RebootstrapRequired),
        (None, -2, ErrorCode::InvalidRequest),
    ] {
        let request = ApiVersionsRequest { cluster_id: cluster_id.clone(), node_id, ..request(5) };
        let response = ask(&target, &mut connection, 5, &request).await;
        assert_eq!(error(response.error_code), expected, "{cluster_id:?} {node_id}");
        assert_eq!(response.api_keys.is_empty(), expected != ErrorCode::None);
    }
}

scenarios! {
    every_version_lists_what_is_served
    features_are_listed_with_their_epoch
    a_version_that_is_not_served_is_answered_in_version_0
    names_of_software_are_checked
    a_client_that_means_another_broker_is_told
}
