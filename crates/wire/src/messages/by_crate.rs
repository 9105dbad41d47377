//! Messages whose bytes the crate reads and writes.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, Encodable};

use super::*;
use crate::encode::{Pieces, unencodable};
use crate::{Malformed, Unencodable};

/// A message whose old versions say the same in another place, or lack it.
pub(super) trait Forms: Clone {
    /// The highest version in another form than the newest.
    const OLD_UP_TO: i16 = -1;

    /// Adds the newest form to that of versions up to `OLD_UP_TO`.
    fn raise(&mut self) {}

    /// From the newest form to that of `version`.
    fn lower(&mut self, _version: i16) {}
}

pub(super) fn read<M: Decodable + Forms>(api: ApiKey, body: &mut Bytes, version: i16) -> Result<M, Malformed> {
    let decoded = M::decode(body, crate_version(api, version));
    let mut message = decoded.map_err(|error| Malformed::Value { api, version, reason: error.to_string() })?;
    if version <= M::OLD_UP_TO {
        message.raise();
    }
    Ok(message)
}

pub(super) fn write<M: Encodable>(
    api: ApiKey,
    message: &M,
    out: &mut BytesMut,
    version: i16,
) -> Result<(), Unencodable> {
    message.encode(out, crate_version(api, version)).map_err(|error| unencodable(api, version, error))
}

pub(super) fn write_lowered<M: Encodable + Forms>(
    api: ApiKey,
    message: &M,
    out: &mut BytesMut,
    version: i16,
) -> Result<(), Unencodable> {
    if version > M::OLD_UP_TO {
        return write(api, message, out, version);
    }
    let mut lowered = message.clone();
    lowered.lower(version);
    write(api, &lowered, out, version)
}

/// The version by which the crate's types read and write `version`: lower where Kafka raised the
/// version without changing the bytes.
fn crate_version(api: ApiKey, version: i16) -> i16 {
    let highest = match api {
        ApiKey::ListOffsets => 10,    // 11 only allows one more timestamp (KIP-1023)
        ApiKey::ApiVersions => 4,     // the response; the request is our own (KIP-1242)
        ApiKey::DeleteGroups => 2,    // the request; the response is our own
        ApiKey::DescribeLogDirs => 4, // the same
        _ => i16::MAX,
    };
    version.min(highest)
}

macro_rules! requests {
    ($($api:ident $request:ident $response:ident;)*) => {$(
        impl Request for $request {
            const API: ApiKey = ApiKey::$api;
            type Response = $response;

            fn read(body: &mut Bytes, version: i16) -> Result<Self, Malformed> {
                read(Self::API, body, version)
            }

            fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), Unencodable> {
                write_lowered(Self::API, self, out, version)
            }

            fn read_response(body: &mut Bytes, version: i16) -> Result<$response, Malformed> {
                read(Self::API, body, version)
            }
        }
    )*};
}

macro_rules! responses {
    ($($api:ident $response:ident;)*) => {$(
        impl Response for $response {
            const API: ApiKey = ApiKey::$api;

            fn fit(&mut self, version: i16) {
                self.lower(version);
            }

            fn write(&self, out: &mut Pieces, version: i16) -> Result<(), Unencodable> {
                write(Self::API, self, out.small(), version)
            }
        }
    )*};
}

// The requests of OffsetCommit and OffsetFetch are in `offsets`, that of ApiVersions in `api_versions`.
requests! {
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
    DescribeConfigs DescribeConfigsRequest DescribeConfigsResponse;
    AlterConfigs AlterConfigsRequest AlterConfigsResponse;
    AlterReplicaLogDirs AlterReplicaLogDirsRequest AlterReplicaLogDirsResponse;
    CreatePartitions CreatePartitionsRequest CreatePartitionsResponse;
    ElectLeaders ElectLeadersRequest ElectLeadersResponse;
    IncrementalAlterConfigs IncrementalAlterConfigsRequest IncrementalAlterConfigsResponse;
    AlterPartitionReassignments AlterPartitionReassignmentsRequest AlterPartitionReassignmentsResponse;
    ListPartitionReassignments ListPartitionReassignmentsRequest ListPartitionReassignmentsResponse;
    OffsetDelete OffsetDeleteRequest OffsetDeleteResponse;
    DescribeQuorum DescribeQuorumRequest DescribeQuorumResponse;
    UpdateFeatures UpdateFeaturesRequest UpdateFeaturesResponse;
    DescribeCluster DescribeClusterRequest DescribeClusterResponse;
    UnregisterBroker UnregisterBrokerRequest UnregisterBrokerResponse;
    DescribeProducers DescribeProducersRequest DescribeProducersResponse;
    GetTelemetrySubscriptions GetTelemetrySubscriptionsRequest GetTelemetrySubscriptionsResponse;
    PushTelemetry PushTelemetryRequest PushTelemetryResponse;
    ListConfigResources ListConfigResourcesRequest ListConfigResourcesResponse;
    DescribeTopicPartitions DescribeTopicPartitionsRequest DescribeTopicPartitionsResponse;
}

// The broker writes Fetch responses as `FetchReply`; the crate's is for comparison.
responses! {
    Produce ProduceResponse;
    Fetch FetchResponse;
    ListOffsets ListOffsetsResponse;
    Metadata MetadataResponse;
    OffsetCommit OffsetCommitResponse;
    OffsetFetch OffsetFetchResponse;
    FindCoordinator FindCoordinatorResponse;
    JoinGroup JoinGroupResponse;
    Heartbeat HeartbeatResponse;
    LeaveGroup LeaveGroupResponse;
    SyncGroup SyncGroupResponse;
    DescribeGroups DescribeGroupsResponse;
    ListGroups ListGroupsResponse;
    ApiVersions ApiVersionsResponse;
    CreateTopics CreateTopicsResponse;
    DeleteTopics DeleteTopicsResponse;
    DeleteRecords DeleteRecordsResponse;
    InitProducerId InitProducerIdResponse;
    OffsetForLeaderEpoch OffsetForLeaderEpochResponse;
    DescribeConfigs DescribeConfigsResponse;
    AlterConfigs AlterConfigsResponse;
    AlterReplicaLogDirs AlterReplicaLogDirsResponse;
    CreatePartitions CreatePartitionsResponse;
    ElectLeaders ElectLeadersResponse;
    IncrementalAlterConfigs IncrementalAlterConfigsResponse;
    AlterPartitionReassignments AlterPartitionReassignmentsResponse;
    ListPartitionReassignments ListPartitionReassignmentsResponse;
    OffsetDelete OffsetDeleteResponse;
    DescribeQuorum DescribeQuorumResponse;
    UpdateFeatures UpdateFeaturesResponse;
    DescribeCluster DescribeClusterResponse;
    UnregisterBroker UnregisterBrokerResponse;
    DescribeProducers DescribeProducersResponse;
    GetTelemetrySubscriptions GetTelemetrySubscriptionsResponse;
    PushTelemetry PushTelemetryResponse;
    ListConfigResources ListConfigResourcesResponse;
    DescribeTopicPartitions DescribeTopicPartitionsResponse;
}
