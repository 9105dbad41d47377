use super::*;
use crate::{APIS, Support};

fn request(name: &'static str, version: &'static str) -> ApiVersionsRequest {
    ApiVersionsRequest {
        client_software_name: StrBytes::from_static_str(name),
        client_software_version: StrBytes::from_static_str(version),
        ..ApiVersionsRequest::default()
    }
}

fn answer(version: i16, request: &ApiVersionsRequest) -> ApiVersionsResponse {
    let features = [Feature::METADATA.finalized_at(33), Feature::GROUP.finalized_at(1), Feature::KRAFT.finalized_at(0)];
    api_versions_response(version, request, "our-cluster", 1, &features, 5)
}

fn error(version: i16, request: &ApiVersionsRequest) -> ErrorCode {
    let answer = answer(version, request);
    assert_eq!(answer.api_keys.is_empty(), answer.error_code != 0, "an error comes alone");
    ErrorCode::from_code(answer.error_code)
}

#[test]
fn every_served_api_is_advertised_and_no_other() {
    let answer = answer(4, &request("test", "1"));
    let advertised: Vec<i16> = answer.api_keys.iter().map(|api| api.api_key).collect();
    let served = APIS.iter().filter(|api| matches!(api.support, Support::Served { .. }));
    assert_eq!(advertised, served.map(|api| api.key.code()).collect::<Vec<_>>());
}

#[test]
fn produce_is_advertised_from_0_for_librdkafka_but_served_from_3() {
    let answer = answer(4, &request("test", "1"));
    assert_eq!((answer.api_keys[0].min_version, answer.api_keys[0].max_version), (0, 13));
    assert!(!ApiKey::Produce.serves(2));
}

#[test]
fn a_version_that_is_not_served_is_told_the_range() {
    let answer = unsupported_api_versions_response();
    assert_eq!(answer.error_code, 35);
    let ranges: Vec<_> = answer.api_keys.iter().map(|api| (api.api_key, api.min_version, api.max_version)).collect();
    assert_eq!(ranges, [(18, 0, 5)]);
}

#[test]
fn names_and_versions_of_client_software_are_checked_from_version_3() {
    for (name, version) in [("apache-kafka-java", "4.4.0"), ("a", "1"), ("librdkafka", "v2.15.0-RC1")] {
        assert_eq!(error(3, &request(name, version)), ErrorCode::None, "{name} {version}");
    }
    for (name, version) in [("", "1"), ("a", ""), ("-a", "1"), ("a", "1."), ("a b", "1"), ("a", "1_2"), ("ä", "1")] {
        assert_eq!(error(3, &request(name, version)), ErrorCode::InvalidRequest, "{name} {version}");
        assert_eq!(error(2, &request(name, version)), ErrorCode::None, "{name} {version}");
    }
}

#[test]
fn a_client_that_means_another_broker_must_bootstrap_anew() {
    let meaning = |cluster: Option<&'static str>, node_id| ApiVersionsRequest {
        cluster_id: cluster.map(StrBytes::from_static_str),
        node_id,
        ..request("test", "1")
    };
    assert_eq!(error(5, &meaning(None, -1)), ErrorCode::None);
    assert_eq!(error(5, &meaning(Some("our-cluster"), 1)), ErrorCode::None);
    assert_eq!(error(5, &meaning(Some("our-cluster"), 2)), ErrorCode::RebootstrapRequired);
    assert_eq!(error(5, &meaning(Some("another"), 1)), ErrorCode::RebootstrapRequired);
    assert_eq!(error(5, &meaning(Some("our-cluster"), -1)), ErrorCode::InvalidRequest);
    assert_eq!(error(5, &meaning(None, 1)), ErrorCode::InvalidRequest);
}

#[test]
fn features_that_start_at_0_are_kept_from_old_clients() {
    let names = |version| {
        let answer = answer(version, &request("test", "1"));
        let supported = answer.supported_features.iter().map(|feature| feature.name.to_string()).collect::<Vec<_>>();
        let finalized =
            answer.finalized_features.iter().map(|feature| (feature.name.to_string(), feature.max_version_level));
        (supported.len(), finalized.map(|(_, level)| level).collect::<Vec<_>>(), answer.finalized_features_epoch)
    };
    assert_eq!(names(3), (1, vec![33, 1], 5));
    assert_eq!(names(4), (3, vec![33, 1], 5));
}

#[test]
fn old_versions_have_no_place_for_features_and_say_so_silently() {
    for version in 0..=5 {
        crate::encode_response(version, 1, answer(version, &request("test", "1"))).unwrap();
    }
}
