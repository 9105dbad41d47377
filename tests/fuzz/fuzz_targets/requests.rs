//! Frames as clients send them: what the decoder accepts, the encoder gives back.
#![no_main]

use std::fmt::Debug;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wire::messages::*;
use wire::{Incoming, RequestHeader, decode, encode_request, parse_request};

fn round_trip<R: Request + PartialEq + Debug>(header: &RequestHeader, body: Bytes) {
    let Ok(request) = decode::<R>(header.version, body) else { return };
    let frame = encode_request(header.version, 1, None, &request).expect("what was decoded can be encoded");
    let Ok(Incoming::Request(again, body)) = parse_request(frame.to_bytes().slice(4..)) else {
        panic!("{request:?} was encoded to what is no request");
    };
    assert_eq!((again.api, again.version), (header.api, header.version));
    assert_eq!(decode::<R>(header.version, body).expect("what was encoded can be decoded"), request);
}

macro_rules! by_api {
    ($header:ident, $body:ident: $($api:ident $request:ident,)*) => {
        match $header.api {
            $(wire::ApiKey::$api => round_trip::<$request>(&$header, $body),)*
            _ => {}
        }
    };
}

fuzz_target!(|frame: &[u8]| {
    let Ok(Incoming::Request(header, body)) = parse_request(Bytes::copy_from_slice(frame)) else { return };
    by_api! { header, body:
        Produce ProduceRequest,
        Fetch FetchRequest,
        ListOffsets ListOffsetsRequest,
        Metadata MetadataRequest,
        OffsetCommit OffsetCommitRequest,
        OffsetFetch OffsetFetchRequest,
        FindCoordinator FindCoordinatorRequest,
        JoinGroup JoinGroupRequest,
        Heartbeat HeartbeatRequest,
        LeaveGroup LeaveGroupRequest,
        SyncGroup SyncGroupRequest,
        DescribeGroups DescribeGroupsRequest,
        ListGroups ListGroupsRequest,
        ApiVersions ApiVersionsRequest,
        CreateTopics CreateTopicsRequest,
        DeleteTopics DeleteTopicsRequest,
        DeleteRecords DeleteRecordsRequest,
        InitProducerId InitProducerIdRequest,
        OffsetForLeaderEpoch OffsetForLeaderEpochRequest,
        DescribeCluster DescribeClusterRequest,
        DescribeConfigs DescribeConfigsRequest,
        AlterConfigs AlterConfigsRequest,
        IncrementalAlterConfigs IncrementalAlterConfigsRequest,
        ListConfigResources ListConfigResourcesRequest,
        CreatePartitions CreatePartitionsRequest,
        OffsetDelete OffsetDeleteRequest,
        DeleteGroups DeleteGroupsRequest,
        DescribeLogDirs DescribeLogDirsRequest,
        DescribeTopicPartitions DescribeTopicPartitionsRequest,
        DescribeProducers DescribeProducersRequest,
        DescribeQuorum DescribeQuorumRequest,
        ElectLeaders ElectLeadersRequest,
        AlterPartitionReassignments AlterPartitionReassignmentsRequest,
        ListPartitionReassignments ListPartitionReassignmentsRequest,
        AlterReplicaLogDirs AlterReplicaLogDirsRequest,
        UpdateFeatures UpdateFeaturesRequest,
        GetTelemetrySubscriptions GetTelemetrySubscriptionsRequest,
        PushTelemetry PushTelemetryRequest,
    }
});
