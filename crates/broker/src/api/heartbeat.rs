//! Heartbeat (key 12), versions 0 to 4.

use coordinator::HeartbeatRequest as Beat;
use wire::messages::{HeartbeatRequest, HeartbeatResponse};

use crate::dispatch::Context;
use crate::text::string;

/// Keeps a member alive, and tells it of a rebalance.
pub(crate) async fn handle(context: Context, request: HeartbeatRequest) -> HeartbeatResponse {
    let error = context.broker.heartbeat(&Beat {
        group: request.group_id.to_string(),
        member_id: request.member_id.to_string(),
        instance_id: request.group_instance_id.as_ref().map(string),
        generation: request.generation_id,
    });
    HeartbeatResponse::default().with_error_code(error.code())
}
