//! JoinGroup (key 11), versions 0 to 9. Answered when the join phase of the rebalance ends.

use coordinator::{JoinReply, JoinRequest, Protocol, Reply, Request};
use model::ErrorCode;
use wire::StrBytes;
use wire::messages::join_group_response::JoinGroupResponseMember;
use wire::messages::{JoinGroupRequest, JoinGroupResponse};

use crate::dispatch::Context;
use crate::text::{string, text};

/// The first version in which a new member is told its id before it joins (KIP-394).
const MEMBER_ID_REQUIRED_SINCE: i16 = 4;
/// The first version in which a member may be told to skip the assignment (KIP-814).
const SKIP_ASSIGNMENT_SINCE: i16 = 9;
/// Until here a protocol type or name cannot be null.
const PROTOCOL_NULLABLE_SINCE: i16 = 7;

/// Lets a member join.
pub(crate) async fn handle(context: Context, request: JoinGroupRequest) -> JoinGroupResponse {
    let member_id = request.member_id.to_string();
    let join = Request::Join(JoinRequest {
        group: request.group_id.to_string(),
        member_id: member_id.clone(),
        instance_id: request.group_instance_id.as_ref().map(string),
        client_id: context.client_id.as_ref().map(string).unwrap_or_default(),
        client_host: format!("/{}", context.peer.address.ip()),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: if context.version == 0 { -1 } else { request.rebalance_timeout_ms },
        protocol_type: request.protocol_type.to_string(),
        protocols: request.protocols.into_iter().map(protocol).collect(),
        member_id_required: context.version >= MEMBER_ID_REQUIRED_SINCE,
        can_skip_assignment: context.version >= SKIP_ASSIGNMENT_SINCE,
        reason: request.reason.as_ref().map(string),
    });
    let joined = match context.broker.ask_group(join).await {
        Ok(Reply::Join(joined)) => joined,
        Ok(_) => JoinReply::error(ErrorCode::UnknownServerError, &member_id),
        Err(error) => JoinReply::error(error, &member_id),
    };
    let or_empty = |value: Option<String>| match value {
        None if context.version < PROTOCOL_NULLABLE_SINCE => Some(StrBytes::default()),
        value => value.map(text),
    };
    let members = joined.members.into_iter().map(|member| {
        JoinGroupResponseMember::default()
            .with_member_id(text(member.member_id))
            .with_group_instance_id(member.instance_id.map(text))
            .with_metadata(member.metadata)
    });
    JoinGroupResponse::default()
        .with_error_code(joined.error.code())
        .with_generation_id(joined.generation)
        .with_protocol_type(joined.protocol_type.map(text))
        .with_protocol_name(or_empty(joined.protocol))
        .with_leader(text(joined.leader))
        .with_skip_assignment(joined.skip_assignment)
        .with_member_id(text(joined.member_id))
        .with_members(members.collect())
}

/// Metadata is copied: it lives as long as the member, the request's frame must not.
fn protocol(of: wire::messages::join_group_request::JoinGroupRequestProtocol) -> Protocol {
    Protocol { name: of.name.to_string(), metadata: bytes::Bytes::copy_from_slice(&of.metadata) }
}
