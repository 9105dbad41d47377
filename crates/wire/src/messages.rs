//! The messages, one type per API whatever the version: those of `kafka-protocol`, and our own
//! where it has gaps.
//!
//! Take the types from here, never from `kafka_protocol::messages`: a name that both have is the
//! crate's there and the complete one here.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, Encodable};

use crate::encode::{Pieces, unencodable};
use crate::{Malformed, Unencodable};

mod api_versions;
mod fetch;
mod fit;
mod offsets;

pub use crate::{ApiKey, RequestHeader};
pub use api_versions::ApiVersionsRequest;
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

    /// Takes back to its default whatever `version` has no place for.
    fn fit(&mut self, version: i16);

    /// Appends the encoded body; see [`crate::encode_response`].
    ///
    /// # Errors
    /// If `version` has no place for a field that is set.
    fn write(&self, out: &mut Pieces, version: i16) -> Result<(), Unencodable>;
}

/// The version by which the crate's types read and write `version`: lower where Kafka raised the
/// version without changing the bytes.
fn crate_version(api: ApiKey, version: i16) -> i16 {
    let highest = match api {
        ApiKey::ListOffsets => 10, // 11 only allows one more timestamp (KIP-1023)
        ApiKey::ApiVersions => 4,  // the response; the request is our own (KIP-1242)
        _ => i16::MAX,
    };
    version.min(highest)
}

fn read_by_crate<M: Decodable>(api: ApiKey, body: &mut Bytes, version: i16) -> Result<M, Malformed> {
    M::decode(body, crate_version(api, version)).map_err(|error| Malformed::Value {
        api,
        version,
        reason: error.to_string(),
    })
}

fn write_by_crate<M: Encodable>(api: ApiKey, message: &M, out: &mut BytesMut, version: i16) -> Result<(), Unencodable> {
    message.encode(out, crate_version(api, version)).map_err(|error| unencodable(api, version, error))
}

/// Requests whose bytes the crate reads and writes in every version that is served.
macro_rules! requests_by_crate {
    ($($api:ident $request:ident $response:ident;)*) => {$(
        impl Request for $request {
            const API: ApiKey = ApiKey::$api;
            type Response = $response;

            fn read(body: &mut Bytes, version: i16) -> Result<Self, Malformed> {
                read_by_crate(Self::API, body, version)
            }

            fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), Unencodable> {
                write_by_crate(Self::API, self, out, version)
            }

            fn read_response(body: &mut Bytes, version: i16) -> Result<$response, Malformed> {
                read_by_crate(Self::API, body, version)
            }
        }
    )*};
}

requests_by_crate! {
    Produce ProduceRequest ProduceResponse;
    Fetch FetchRequest FetchResponse;
    ListOffsets ListOffsetsRequest ListOffsetsResponse;
    Metadata MetadataRequest MetadataResponse;
    FindCoordinator FindCoordinatorRequest FindCoordinatorResponse;
    JoinGroup JoinGroupRequest JoinGroupResponse;
    Heartbeat HeartbeatRequest HeartbeatResponse;
    LeaveGroup LeaveGroupRequest LeaveGroupResponse;
    SyncGroup SyncGroupRequest SyncGroupResponse;
    DescribeGroups DescribeGroupsRequest DescribeGroupsResponse;
    ListGroups ListGroupsRequest ListGroupsResponse;
    CreateTopics CreateTopicsRequest CreateTopicsResponse;
    DeleteTopics DeleteTopicsRequest DeleteTopicsResponse;
    DeleteRecords DeleteRecordsRequest DeleteRecordsResponse;
    InitProducerId InitProducerIdRequest InitProducerIdResponse;
    OffsetForLeaderEpoch OffsetForLeaderEpochRequest OffsetForLeaderEpochResponse;
    DescribeCluster DescribeClusterRequest DescribeClusterResponse;
}
