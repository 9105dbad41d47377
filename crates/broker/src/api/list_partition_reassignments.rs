//! ListPartitionReassignments (key 46), version 0 (KIP-455): none is ever under way.

use wire::messages::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse};

use crate::dispatch::Context;

/// Lists nothing, also for topics that do not exist, as Kafka does.
pub(crate) async fn handle(
    _context: Context,
    _request: ListPartitionReassignmentsRequest,
) -> ListPartitionReassignmentsResponse {
    ListPartitionReassignmentsResponse::default().with_error_message(None)
}
