//! DescribeCluster (key 60).

use model::ErrorCode;
use wire::messages::{DescribeClusterRequest, MetadataRequest};

use crate::support::{Target, error};

const NEWEST: i16 = 2;

pub(crate) async fn every_version_names_the_brokers(target: Target) {
    let mut connection = target.connect().await;
    let metadata = connection.ask(12, &MetadataRequest::default().with_topics(Some(vec![]))).await;
    for version in 0..=NEWEST {
        let response = connection.call(version, &DescribeClusterRequest::default()).await;
        assert_eq!(error(response.error_code), ErrorCode::None);
        assert_eq!(Some(&response.cluster_id), metadata.cluster_id.as_ref());
        assert_eq!(response.controller_id.0, 1);
        let ids: Vec<i32> = response.brokers.iter().map(|broker| broker.broker_id.0).collect();
        assert_eq!(ids, [1]);
        assert_eq!(response.brokers[0].host, metadata.brokers[0].host);
        assert_eq!(response.brokers[0].port, metadata.brokers[0].port);
    }
}

pub(crate) async fn fenced_brokers_may_be_asked_for(target: Target) {
    let mut connection = target.connect().await;
    let request = DescribeClusterRequest::default().with_include_fenced_brokers(true);
    let response = connection.call(NEWEST, &request).await;
    assert_eq!((response.brokers.len(), response.brokers[0].is_fenced), (1, false));
}

pub(crate) async fn what_a_client_may_do_is_told_if_it_asks(target: Target) {
    let mut connection = target.connect().await;
    for version in 0..=NEWEST {
        for asks in [false, true] {
            let request = DescribeClusterRequest::default().with_include_cluster_authorized_operations(asks);
            let response = connection.call(version, &request).await;
            assert_eq!(response.cluster_authorized_operations != i32::MIN, asks);
        }
    }
}

pub(crate) async fn only_brokers_are_told_here(target: Target) {
    let mut connection = target.connect().await;
    for version in 1..=NEWEST {
        let controllers =
            "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER";
        for (endpoint_type, expected, message) in [
            (2, ErrorCode::MismatchedEndpointType, controllers),
            (0, ErrorCode::UnsupportedEndpointType, "Unsupported endpoint type 0"),
            (7, ErrorCode::UnsupportedEndpointType, "Unsupported endpoint type 7"),
            (-1, ErrorCode::UnsupportedEndpointType, "Unsupported endpoint type -1"),
        ] {
            let request = DescribeClusterRequest::default().with_endpoint_type(endpoint_type);
            let response = connection.call(version, &request).await;
            assert_eq!((error(response.error_code), response.error_message.as_deref()), (expected, Some(message)));
        }
    }
}

scenarios! {
    every_version_names_the_brokers
    fenced_brokers_may_be_asked_for
    what_a_client_may_do_is_told_if_it_asks
    only_brokers_are_told_here
}
