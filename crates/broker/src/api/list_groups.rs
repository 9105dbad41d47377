//! ListGroups (key 16), versions 0 to 5; filters by state (KIP-518) and by type (KIP-848).

use coordinator::ListFilter;
use wire::messages::list_groups_response::ListedGroup;
use wire::messages::{GroupId, ListGroupsRequest, ListGroupsResponse};

use crate::dispatch::Context;
use crate::text::{string, text};

/// Lists the groups that this broker coordinates.
pub(crate) async fn handle(context: Context, request: ListGroupsRequest) -> ListGroupsResponse {
    let filter = ListFilter {
        states: request.states_filter.iter().map(string).collect(),
        types: request.types_filter.iter().map(string).collect(),
    };
    let groups = match context.broker.list_groups(&filter).await {
        Ok(groups) => groups,
        Err(error) => return ListGroupsResponse::default().with_error_code(error.code()),
    };
    let groups = groups.into_iter().map(|group| {
        ListedGroup::default()
            .with_group_id(GroupId(text(group.group)))
            .with_protocol_type(text(group.protocol_type))
            .with_group_state(text(group.state.name()))
            .with_group_type(text("classic"))
    });
    ListGroupsResponse::default().with_groups(groups.collect())
}
