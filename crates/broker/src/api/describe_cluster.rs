//! DescribeCluster (key 60), versions 0 to 2 (KIP-700, KIP-919, KIP-1073).

use model::ErrorCode;
use wire::StrBytes;
use wire::messages::describe_cluster_response::DescribeClusterBroker;
use wire::messages::{BrokerId, DescribeClusterRequest, DescribeClusterResponse};

use crate::dispatch::Context;

/// `endpoint_type` of a broker's listener; 2 would be a controller's.
const BROKERS: i8 = 1;

/// Answers with the brokers as this listener's clients reach them.
pub(crate) async fn handle(context: Context, request: DescribeClusterRequest) -> DescribeClusterResponse {
    if request.endpoint_type != BROKERS {
        let message = "This is a broker's listener; its endpoint type is 1.";
        return DescribeClusterResponse::default()
            .with_error_code(ErrorCode::MismatchedEndpointType.code())
            .with_error_message(Some(StrBytes::from_static_str(message)));
    }
    let image = context.broker.image();
    let brokers = context.broker.endpoints(&image, &context.peer.listener).map(|broker| {
        DescribeClusterBroker::default()
            .with_broker_id(BrokerId(broker.id.0))
            .with_host(StrBytes::from_string(broker.host))
            .with_port(i32::from(broker.port))
            .with_rack(broker.rack.map(StrBytes::from_string))
    });
    DescribeClusterResponse::default()
        .with_endpoint_type(BROKERS)
        .with_cluster_id(StrBytes::from_string(image.cluster_id().to_owned()))
        .with_controller_id(BrokerId(context.broker.controller.leader().map_or(-1, |leader| leader.0)))
        .with_brokers(brokers.collect())
}
