//! FindCoordinator (key 10), versions 0 to 6; from 4 on for several keys (KIP-699). The first to ask
//! for a group's coordinator has `__consumer_offsets` created.

use model::{ErrorCode, TopicName};
use wire::StrBytes;
use wire::messages::find_coordinator_response::Coordinator;
use wire::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};

use crate::dispatch::Context;
use crate::error::Close;

/// Values of `key_type`. Only groups have coordinators yet.
const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const SHARE_PARTITION: i8 = 2;

/// Since this version a request may name share partitions (KIP-932).
const SHARES_SINCE: i16 = 6;

/// Since this version a request has several keys.
const MANY_SINCE: i16 = 4;

/// What Kafka says to a kind of key that it does not know.
const MALFORMED: &str = "This most likely occurs because of a request being malformed by the client library or the \
     message was sent to an incompatible broker. See the broker logs for more details.";

/// Names the broker that coordinates each key. A broker that is cut off names none but itself.
pub(crate) async fn handle(
    context: Context,
    request: FindCoordinatorRequest,
) -> Result<FindCoordinatorResponse, Close> {
    if request.key_type == GROUP {
        create_offsets_topic(&context).await;
    }
    if context.version >= MANY_SINCE {
        let keys = request.coordinator_keys.into_iter();
        let coordinators = keys.map(|key| find(&context, request.key_type, key)).collect::<Result<_, Close>>()?;
        return Ok(FindCoordinatorResponse::default().with_coordinators(coordinators));
    }
    let found = find(&context, request.key_type, request.key)?;
    let is_found = found.error_code == ErrorCode::None.code();
    let message = if is_found { Some(StrBytes::from_static_str("NONE")) } else { found.error_message };
    let response = FindCoordinatorResponse::default()
        .with_error_code(found.error_code)
        .with_error_message(message)
        .with_node_id(found.node_id)
        .with_host(found.host)
        .with_port(found.port);
    Ok(response)
}

async fn create_offsets_topic(context: &Context) {
    let missing = context.broker.image().topic(TopicName::CONSUMER_OFFSETS).is_none();
    if missing && let Ok(name) = TopicName::parse(TopicName::CONSUMER_OFFSETS) {
        context.broker.create_automatically(vec![name]).await;
        context.broker.start_coordinators();
    }
}

fn find(context: &Context, key_type: i8, key: StrBytes) -> Result<Coordinator, Close> {
    let broker = &context.broker;
    let image = broker.image();
    let found = match key_type {
        GROUP => leader_of(context, &key),
        SHARE_PARTITION if (MANY_SINCE..SHARES_SINCE).contains(&context.version) => {
            Err((ErrorCode::InvalidRequest, ""))
        }
        SHARE_PARTITION if context.version < SHARES_SINCE => Err((ErrorCode::InvalidRequest, MALFORMED)),
        TRANSACTION | SHARE_PARTITION => {
            Err((ErrorCode::UnsupportedVersion, "Only groups have coordinators on this version of the broker."))
        }
        _ => Err((ErrorCode::InvalidRequest, MALFORMED)),
    };
    if key_type == GROUP && found.ok() != Some(broker.id()) && broker.is_cut_off(&image) {
        return Err(Close::CutOff);
    }
    let found = found.and_then(|leader| {
        let endpoint = broker.endpoint(&image, &context.peer.listener, leader);
        endpoint.ok_or((ErrorCode::CoordinatorNotAvailable, "The coordinator has no address on this listener."))
    });
    let coordinator = match found {
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
    };
    Ok(coordinator)
}

fn leader_of(context: &Context, group: &str) -> Result<model::BrokerId, (ErrorCode, &'static str)> {
    let unavailable = (ErrorCode::CoordinatorNotAvailable, "The coordinator is not available.");
    let image = context.broker.image();
    let topic = image.topic(TopicName::CONSUMER_OFFSETS).ok_or(unavailable)?;
    let partition = context.broker.group_partition(group).ok_or(unavailable)?;
    context.broker.leader_of(&image, topic, partition).ok_or(unavailable)
}
