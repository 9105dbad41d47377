//! LeaveGroup (key 13), versions 0 to 5; from 3 on for several members (KIP-345).

use coordinator::{LeaveReply, LeaveRequest, LeavingMember, Reply, Request};
use model::ErrorCode;
use wire::messages::leave_group_response::MemberResponse;
use wire::messages::{LeaveGroupRequest, LeaveGroupResponse};

use crate::dispatch::Context;
use crate::text::{string, text};

/// Takes members out of a group.
pub(crate) async fn handle(context: Context, request: LeaveGroupRequest) -> LeaveGroupResponse {
    let members = match context.version {
        ..3 => vec![LeavingMember { member_id: request.member_id.to_string(), ..LeavingMember::default() }],
        3.. => request.members.into_iter().map(leaving).collect(),
    };
    let leave = Request::Leave(LeaveRequest { group: request.group_id.to_string(), members });
    let left = match context.broker.ask_group(leave).await {
        Ok(Reply::Leave(left)) => left,
        Ok(_) => LeaveReply { error: ErrorCode::UnknownServerError, members: Vec::new() },
        Err(error) => LeaveReply { error, members: Vec::new() },
    };
    if context.version < 3 {
        let of_member = left.members.first().map_or(ErrorCode::None, |member| member.error);
        let error = if left.error == ErrorCode::None { of_member } else { left.error };
        return LeaveGroupResponse::default().with_error_code(error.code());
    }
    let members = left.members.into_iter().map(|member| {
        MemberResponse::default()
            .with_member_id(text(member.member_id))
            .with_group_instance_id(member.instance_id.map(text))
            .with_error_code(member.error.code())
    });
    LeaveGroupResponse::default().with_error_code(left.error.code()).with_members(members.collect())
}

fn leaving(member: wire::messages::leave_group_request::MemberIdentity) -> LeavingMember {
    LeavingMember {
        member_id: member.member_id.to_string(),
        instance_id: member.group_instance_id.as_ref().map(string),
        reason: member.reason.as_ref().map(string),
    }
}
