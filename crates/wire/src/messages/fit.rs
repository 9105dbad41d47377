//! What each response drops for a version that lacks it, so that a handler may fill in all it
//! knows. Only fields that Kafka's definitions do not mark "ignorable" need it; the crate refuses
//! to encode those when they are set.

use super::*;
use crate::encode::Pieces;

macro_rules! responses_by_crate {
    ($($api:ident $response:ident $fit:expr;)*) => {$(
        impl Response for $response {
            const API: ApiKey = ApiKey::$api;

            fn fit(&mut self, version: i16) {
                let fit: fn(&mut $response, i16) = $fit;
                fit(self, version);
            }

            fn write(&self, out: &mut Pieces, version: i16) -> Result<(), Unencodable> {
                write_by_crate(Self::API, self, out.small(), version)
            }
        }
    )*};
}

/// Every version has a place for all that is set.
fn as_it_is<T>(_: &mut T, _: i16) {}

responses_by_crate! {
    Produce ProduceResponse as_it_is;
    Fetch FetchResponse as_it_is;
    ListOffsets ListOffsetsResponse as_it_is;
    Metadata MetadataResponse as_it_is;
    OffsetCommit OffsetCommitResponse as_it_is;
    OffsetFetch OffsetFetchResponse as_it_is;
    FindCoordinator FindCoordinatorResponse as_it_is;
    JoinGroup JoinGroupResponse as_it_is;
    Heartbeat HeartbeatResponse as_it_is;
    LeaveGroup LeaveGroupResponse as_it_is;
    SyncGroup SyncGroupResponse as_it_is;
    DescribeGroups DescribeGroupsResponse as_it_is;
    ListGroups ListGroupsResponse as_it_is;
    ApiVersions ApiVersionsResponse as_it_is;
    CreateTopics CreateTopicsResponse as_it_is;
    DeleteTopics DeleteTopicsResponse as_it_is;
    DeleteRecords DeleteRecordsResponse as_it_is;
    InitProducerId InitProducerIdResponse as_it_is;
    OffsetForLeaderEpoch OffsetForLeaderEpochResponse as_it_is;
    DescribeCluster DescribeClusterResponse as_it_is;
}
