//! DescribeCluster (key 60), versions 0 to 2 (KIP-700, KIP-919, KIP-1073).

use model::ErrorCode;
use wire::StrBytes;
use wire::messages::describe_cluster_response::DescribeClusterBroker;
use wire::messages::{BrokerId, DescribeClusterRequest, DescribeClusterResponse};

use crate::dispatch::Context;
use crate::operations::Operations;
use crate::text::text;

/// `endpoint_type` of a broker's listener.
const BROKERS: i8 = 1;

/// `endpoint_type` of a controller's listener, which there is none of here.
const CONTROLLERS: i8 = 2;

/// Answers with the brokers as this listener's clients reach them.
pub(crate) async fn handle(context: Context, request: DescribeClusterRequest) -> DescribeClusterResponse {
    match request.endpoint_type {
        BROKERS => {}
        CONTROLLERS => {
            let why =
                "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER";
            return refused(ErrorCode::MismatchedEndpointType, why.to_owned());
        }
        other => return refused(ErrorCode::UnsupportedEndpointType, format!("Unsupported endpoint type {other}")),
    }
    let image = context.broker.image();
    let brokers = image.brokers().filter(|broker| !broker.fenced || request.include_fenced_brokers);
    let brokers = brokers.filter_map(|broker| {
        let place = broker.listeners.get(&context.peer.listener.name)?;
        let described = DescribeClusterBroker::default()
            .with_broker_id(BrokerId(broker.id.0))
            .with_host(StrBytes::from_string(place.host.clone()))
            .with_port(i32::from(place.port))
            .with_rack(broker.rack.clone().map(StrBytes::from_string));
        // A field of version 2, in which alone they are asked for.
        Some(if broker.fenced { described.with_is_fenced(true) } else { described })
    });
    DescribeClusterResponse::default()
        .with_endpoint_type(BROKERS)
        .with_cluster_id(StrBytes::from_string(image.cluster_id().to_owned()))
        .with_controller_id(BrokerId(context.broker.controller.leader().map_or(-1, |leader| leader.0)))
        .with_brokers(brokers.collect())
        .with_cluster_authorized_operations(Operations::CLUSTER.if_asked(request.include_cluster_authorized_operations))
}

fn refused(error: ErrorCode, why: String) -> DescribeClusterResponse {
    DescribeClusterResponse::default().with_error_code(error.code()).with_error_message(Some(text(why)))
}
