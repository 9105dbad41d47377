//! FindCoordinator (key 10).

use model::ErrorCode;
use wire::messages::{FindCoordinatorRequest, MetadataRequest};

use crate::support::requests::str_bytes;
use crate::support::{Target, error};

const NEWEST: i16 = 6;

/// The `key_type` of a share partition.
const SHARE: i8 = 2;

fn request(version: i16, keys: &[&str]) -> FindCoordinatorRequest {
    match version {
        ..4 => FindCoordinatorRequest::default().with_key(str_bytes(keys[0])),
        4.. => FindCoordinatorRequest::default().with_coordinator_keys(keys.iter().map(|key| str_bytes(key)).collect()),
    }
}

pub(crate) async fn every_version_finds_a_groups_coordinator(target: Target) {
    let group = target.name("g");
    let mut connection = target.coordinator(&group).await;
    let metadata = connection.ask(12, &MetadataRequest::default().with_topics(Some(vec![]))).await;
    let broker = &metadata.brokers[0];
    for version in 0..=NEWEST {
        let response = connection.call(version, &request(version, &[&group])).await;
        let found = &response.coordinators[0];
        assert_eq!((error(found.error_code), found.node_id), (ErrorCode::None, broker.node_id));
        assert_eq!((&found.host, found.port), (&broker.host, broker.port));
        assert_eq!(found.key.as_str(), if version < 4 { "" } else { &*group });
        let message = if (1..4).contains(&version) { "NONE" } else { "" };
        assert_eq!(found.error_message.as_deref().unwrap_or_default(), message, "version {version}");
    }
}

pub(crate) async fn several_keys_are_answered_one_by_one(target: Target) {
    let (one, two) = (target.name("one"), target.name("two"));
    let mut connection = target.coordinator(&one).await;
    for version in 4..=NEWEST {
        let response = connection.call(version, &request(version, &[&one, &two, &one])).await;
        let keys: Vec<&str> = response.coordinators.iter().map(|found| found.key.as_str()).collect();
        assert_eq!(keys, [&*one, &*two, &*one]);
        assert!(response.coordinators.iter().all(|found| found.error_code == 0));
    }
    assert!(connection.call(NEWEST, &request(NEWEST, &[])).await.coordinators.is_empty());
}

pub(crate) async fn a_group_without_a_name_has_a_coordinator(target: Target) {
    let mut connection = target.coordinator(&target.name("g")).await;
    for version in [0, 3, 4, NEWEST] {
        connection.call(version, &request(version, &[""])).await;
    }
}

pub(crate) async fn a_kind_that_is_not_known_is_refused(target: Target) {
    let mut connection = target.coordinator(&target.name("g")).await;
    for version in [1, 4, NEWEST] {
        for kind in [3, -1] {
            let response = connection.call(version, &request(version, &["a"]).with_key_type(kind)).await;
            let refused = &response.coordinators[0];
            assert_eq!(error(refused.error_code), ErrorCode::InvalidRequest);
            let message = refused.error_message.as_deref().unwrap_or_default();
            assert!(message.starts_with("This most likely occurs because of a request being malformed"), "{message}");
        }
    }
    for version in [1, 5] {
        let response = connection.call(version, &request(version, &["a"]).with_key_type(SHARE)).await;
        assert_eq!(
            error(response.coordinators[0].error_code),
            ErrorCode::InvalidRequest,
            "share groups came with version 6"
        );
    }
}

scenarios! {
    every_version_finds_a_groups_coordinator
    several_keys_are_answered_one_by_one
    a_group_without_a_name_has_a_coordinator
    a_kind_that_is_not_known_is_refused
}
