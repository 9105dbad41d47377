//! SyncGroup (key 14), versions 0 to 5. Answered when the leader's assignment is durable.

use bytes::Bytes;
use coordinator::{Reply, Request, SyncReply, SyncRequest};
use model::ErrorCode;
use wire::messages::{SyncGroupRequest, SyncGroupResponse};

use crate::dispatch::Context;
use crate::text::{string, text};

/// Since this version a member must name its protocol and the protocol's type (KIP-559).
const NAMES_PROTOCOL_SINCE: i16 = 5;

/// Gives a member its assignment.
pub(crate) async fn handle(context: Context, request: SyncGroupRequest) -> SyncGroupResponse {
    let names_both = request.protocol_type.is_some() && request.protocol_name.is_some();
    if context.version >= NAMES_PROTOCOL_SINCE && !names_both {
        return respond(SyncReply::error(ErrorCode::InconsistentGroupProtocol));
    }
    let assignments = request.assignments.into_iter();
    let sync = Request::Sync(SyncRequest {
        group: request.group_id.to_string(),
        member_id: request.member_id.to_string(),
        instance_id: request.group_instance_id.as_ref().map(string),
        generation: request.generation_id,
        protocol_type: request.protocol_type.as_ref().map(string),
        protocol: request.protocol_name.as_ref().map(string),
        // Copied: they live as long as the generation, the request's frame must not.
        assignments: assignments.map(|a| (a.member_id.to_string(), Bytes::copy_from_slice(&a.assignment))).collect(),
    });
    respond(match context.broker.ask_group(sync).await {
        Ok(Reply::Sync(synced)) => synced,
        Ok(_) => SyncReply::error(ErrorCode::UnknownServerError),
        Err(error) => SyncReply::error(error),
    })
}

fn respond(synced: SyncReply) -> SyncGroupResponse {
    SyncGroupResponse::default()
        .with_error_code(synced.error.code())
        .with_protocol_type(synced.protocol_type.map(text))
        .with_protocol_name(synced.protocol.map(text))
        .with_assignment(synced.assignment)
}
