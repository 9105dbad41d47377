//! FindCoordinator (key 10), versions 0 to 6; from 4 on for several keys (KIP-699). The first to ask
//! for a group's coordinator has `__consumer_offsets` created.

use model::{ErrorCode, TopicName};
use wire::StrBytes;
use wire::messages::find_coordinator_response::Coordinator;
use wire::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};

use crate::dispatch::Context;

/// `key_type` of a group; 1 is a transactional id, 2 a share partition: not served yet.
const GROUP: i8 = 0;

/// Names the broker that coordinates each key.
pub(crate) async fn handle(context: Context, request: FindCoordinatorRequest) -> FindCoordinatorResponse {
    if request.key_type == GROUP {
        create_offsets_topic(&context).await;
    }
    if context.version >= 4 {
        let keys = request.coordinator_keys.into_iter();
        let coordinators = keys.map(|key| find(&context, request.key_type, key)).collect();
        return FindCoordinatorResponse::default().with_coordinators(coordinators);
    }
    let found = find(&context, request.key_type, request.key);
    FindCoordinatorResponse::default()
        .with_error_code(found.error_code)
        .with_error_message(found.error_message)
        .with_node_id(found.node_id)
        .with_host(found.host)
        .with_port(found.port)
}

async fn create_offsets_topic(context: &Context) {
    let missing = context.broker.image().topic(TopicName::CONSUMER_OFFSETS).is_none();
    if missing && let Ok(name) = TopicName::parse(TopicName::CONSUMER_OFFSETS) {
        context.broker.create_automatically(vec![name]).await;
        context.broker.start_coordinators();
    }
}

fn find(context: &Context, key_type: i8, key: StrBytes) -> Coordinator {
    let broker = &context.broker;
    let image = broker.image();
    let found = match key_type {
        GROUP => leader_of(context, &key),
        1 | 2 => Err((ErrorCode::UnsupportedVersion, "Only groups have coordinators on this version of the broker.")),
        _ => Err((ErrorCode::InvalidRequest, "Unknown coordinator type.")),
    };
    let found = found.and_then(|leader| {
        let endpoint = broker.endpoint(&image, &context.peer.listener, leader);
        endpoint.ok_or((ErrorCode::CoordinatorNotAvailable, "The coordinator has no address on this listener."))
    });
    match found {
        Ok(endpoint) => Coordinator::default()
            .with_key(key)
            .with_node_id(BrokerId(endpoint.id.0))
            .with_host(StrBytes::from_string(endpoint.host))
            .with_port(i32::from(endpoint.port)),
        Err((error, message)) => Coordinator::default()
            .with_key(key)
            .with_node_id(BrokerId(-1))
            .with_port(-1)
            .with_error_code(error.code())
            .with_error_message(Some(StrBytes::from_static_str(message))),
    }
}

fn leader_of(context: &Context, group: &str) -> Result<model::BrokerId, (ErrorCode, &'static str)> {
    let unavailable = (ErrorCode::CoordinatorNotAvailable, "The coordinator is not available.");
    let image = context.broker.image();
    let topic = image.topic(TopicName::CONSUMER_OFFSETS).ok_or(unavailable)?;
    let partition = context.broker.group_partition(group).ok_or(unavailable)?;
    context.broker.leader_of(topic, partition).map(|(leader, _)| leader).ok_or(unavailable)
}
