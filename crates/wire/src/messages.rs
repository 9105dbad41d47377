//! The messages, one type per API whatever the version: those of `kafka-protocol`, and our own
//! where it has gaps.
//!
//! Take the types from here, never from `kafka_protocol::messages`: a name that both have is the
//! crate's there and the complete one here.
//!
//! Where newer versions say the same in another place (many groups instead of one), messages are
//! in the *newest form* on our side of the codec, whatever the version on the wire (requests that
//! were read keep the old place filled too):
//!
//! | message | versions | old place | where to look for it and put it |
//! |---|---|---|---|
//! | Metadata request | 0 | empty `topics` (all) | `topics: None` |
//! | Fetch request | 4-14 | `replica_id` | `replica_state.replica_id` |
//! | OffsetFetch | 1-7 | `group_id`, `topics`, `error_code` | `groups` |
//! | FindCoordinator | 0-3 | `key`; `node_id`, `host`, `port`, errors | `coordinator_keys`; `coordinators` |
//! | LeaveGroup | 0-2 | `member_id`; `error_code` of the one member | `members` |
//! | DeleteTopics request | 1-5 | `topic_names` | `topics` |

use bytes::{Bytes, BytesMut};

use crate::encode::Pieces;
use crate::{Malformed, Unencodable};

mod api_versions;
mod by_crate;
mod delete_groups;
mod describe_log_dirs;
mod fetch;
mod offsets;
mod request_forms;
mod response_forms;

pub use crate::{ApiKey, RequestHeader};
pub use api_versions::ApiVersionsRequest;
pub use delete_groups::{DeletableGroupResult, DeleteGroupsResponse};
pub use describe_log_dirs::{DescribeLogDirsResponse, DescribeLogDirsResult};
pub use fetch::{FetchReply, FetchReplyEndpoint, FetchReplyPartition, FetchReplyTopic};
pub use kafka_protocol::messages::*;

/// A request, decoded by the broker and encoded by clients.
pub trait Request: Sized {
    /// The API that it belongs to.
    const API: ApiKey;
    /// What answers it, as a client reads it.
    type Response;

    /// Decodes a body whose shape has been checked; see [`crate::decode`].
    ///
    /// # Errors
    /// A value that can't be, such as text that is not UTF-8.
    fn read(body: &mut Bytes, version: i16) -> Result<Self, Malformed>;

    /// Appends the encoded body; see [`crate::encode_request`].
    ///
    /// # Errors
    /// If `version` has no place for a field that is set.
    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), Unencodable>;

    /// Decodes the body of the response; see [`crate::decode_response`].
    ///
    /// # Errors
    /// A value that can't be, such as text that is not UTF-8.
    fn read_response(body: &mut Bytes, version: i16) -> Result<Self::Response, Malformed>;
}

/// A response, encoded by the broker.
pub trait Response: Sized {
    /// The API that it belongs to.
    const API: ApiKey;

    /// From the newest form to that of `version`, taking back to its default whatever `version`
    /// has no place for.
    fn fit(&mut self, version: i16);

    /// Appends the encoded body; see [`crate::encode_response`].
    ///
    /// # Errors
    /// If `version` has no place for a field that is set.
    fn write(&self, out: &mut Pieces, version: i16) -> Result<(), Unencodable>;
}
