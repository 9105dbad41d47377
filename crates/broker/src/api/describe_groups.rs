//! DescribeGroups (key 15), versions 0 to 6. From 6 on an unknown group is an error (KIP-1043);
//! before, it is told as dead.

use model::ErrorCode;
use wire::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use wire::messages::{DescribeGroupsRequest, DescribeGroupsResponse, GroupId};

use crate::dispatch::Context;
use crate::operations::Operations;
use crate::text::text;

const NOT_FOUND_SINCE: i16 = 6;

/// Describes groups, each by itself.
pub(crate) async fn handle(context: Context, request: DescribeGroupsRequest) -> DescribeGroupsResponse {
    let operations = Operations::GROUP.if_asked(request.include_authorized_operations);
    let mut groups = Vec::with_capacity(request.groups.len());
    for group in request.groups {
        let described = describe(&context, group).await;
        let is_known = described.error_code == ErrorCode::None.code();
        groups.push(if is_known { described.with_authorized_operations(operations) } else { described });
    }
    DescribeGroupsResponse::default().with_groups(groups)
}

async fn describe(context: &Context, group: GroupId) -> DescribedGroup {
    let response = DescribedGroup::default().with_group_id(group.clone());
    let described = match context.broker.describe_group(&group).await {
        Err(error) => return response.with_error_code(error.code()),
        Ok(None) if context.version >= NOT_FOUND_SINCE => {
            let message = format!("Group {} not found.", group.as_str());
            return response
                .with_error_code(ErrorCode::GroupIdNotFound.code())
                .with_error_message(Some(text(message)))
                .with_group_state(text("Dead"));
        }
        Ok(None) => return response.with_group_state(text("Dead")),
        Ok(Some(described)) => described,
    };
    let members = described.members.into_iter().map(|member| {
        DescribedGroupMember::default()
            .with_member_id(text(member.member_id))
            .with_group_instance_id(member.instance_id.map(text))
            .with_client_id(text(member.client_id))
            .with_client_host(text(member.client_host))
            .with_member_metadata(member.metadata)
            .with_member_assignment(member.assignment)
    });
    response
        .with_group_state(text(described.state.name()))
        .with_protocol_type(text(described.protocol_type))
        .with_protocol_data(text(described.protocol))
        .with_members(members.collect())
}
