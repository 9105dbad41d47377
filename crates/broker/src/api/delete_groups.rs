//! DeleteGroups (key 42), versions 0 to 3.

use std::collections::BTreeSet;

use coordinator::{Reply, Request};
use model::ErrorCode;
use wire::messages::{DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse};

use crate::dispatch::Context;
use crate::text::string;

/// Deletes groups that have no members, with their offsets; each by itself, and once.
pub(crate) async fn handle(context: Context, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let mut seen = BTreeSet::new();
    let mut results = Vec::with_capacity(request.groups_names.len());
    for group_id in request.groups_names {
        if seen.insert(group_id.clone()) {
            let error = delete(&context, string(&group_id)).await;
            results.push(DeletableGroupResult { group_id, error_code: error.code(), error_message: None });
        }
    }
    DeleteGroupsResponse { throttle_time_ms: 0, results }
}

async fn delete(context: &Context, group: String) -> ErrorCode {
    if group.is_empty() {
        return ErrorCode::GroupIdNotFound; // no group has this name
    }
    match context.broker.ask_group_to_write(Request::DeleteGroup { group }).await {
        Ok(Reply::DeleteGroup(error)) | Err(error) => error,
        Ok(other) => {
            tracing::error!(?other, "a coordinator answered out of turn");
            ErrorCode::UnknownServerError
        }
    }
}
