//! Requests whose old versions say the same in another place. Reading one fills both places; writing
//! one to an old version looks into the new place first.

use std::mem::take;

use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};

use super::by_crate::Forms;
use super::*;

macro_rules! same_in_all_versions {
    ($($request:ident)*) => {$(
        impl Forms for $request {}
    )*};
}

same_in_all_versions! {
    ProduceRequest ListOffsetsRequest OffsetCommitRequest JoinGroupRequest HeartbeatRequest SyncGroupRequest
    DescribeGroupsRequest ListGroupsRequest CreateTopicsRequest DeleteRecordsRequest InitProducerIdRequest
    OffsetForLeaderEpochRequest DescribeClusterRequest DescribeConfigsRequest AlterConfigsRequest IncrementalAlterConfigsRequest ListConfigResourcesRequest CreatePartitionsRequest OffsetDeleteRequest DeleteGroupsRequest DescribeLogDirsRequest DescribeTopicPartitionsRequest DescribeProducersRequest DescribeQuorumRequest ElectLeadersRequest AlterPartitionReassignmentsRequest ListPartitionReassignmentsRequest AlterReplicaLogDirsRequest UpdateFeaturesRequest UnregisterBrokerRequest GetTelemetrySubscriptionsRequest PushTelemetryRequest
}

/// Version 0 asks for all topics by an empty list, later ones by null.
impl Forms for MetadataRequest {
    const OLD_UP_TO: i16 = 0;

    fn raise(&mut self) {
        self.topics = self.topics.take().filter(|topics| !topics.is_empty());
    }

    fn lower(&mut self, _version: i16) {
        self.topics.get_or_insert_default();
    }
}

/// The replica's id moved into a struct in version 15 (KIP-903).
impl Forms for FetchRequest {
    const OLD_UP_TO: i16 = 14;

    fn raise(&mut self) {
        self.replica_state.replica_id = self.replica_id;
    }

    fn lower(&mut self, _version: i16) {
        self.replica_id = take(&mut self.replica_state).replica_id;
    }
}

/// One group, up to version 7.
impl Forms for OffsetFetchRequest {
    const OLD_UP_TO: i16 = 7;

    fn raise(&mut self) {
        let many = |topic: &OffsetFetchRequestTopic| {
            OffsetFetchRequestTopics::default()
                .with_name(topic.name.clone())
                .with_partition_indexes(topic.partition_indexes.clone())
                .with_unknown_tagged_fields(topic.unknown_tagged_fields.clone())
        };
        let topics = self.topics.as_ref().map(|topics| topics.iter().map(many).collect());
        let group = OffsetFetchRequestGroup::default().with_group_id(self.group_id.clone()).with_topics(topics);
        self.groups = vec![group];
    }

    fn lower(&mut self, _version: i16) {
        let one = |topic: OffsetFetchRequestTopics| {
            OffsetFetchRequestTopic::default()
                .with_name(topic.name)
                .with_partition_indexes(topic.partition_indexes)
                .with_unknown_tagged_fields(topic.unknown_tagged_fields)
        };
        if let Some(group) = take(&mut self.groups).into_iter().next() {
            self.group_id = group.group_id;
            self.topics = group.topics.map(|topics| topics.into_iter().map(one).collect());
        }
    }
}

/// One key, up to version 3.
impl Forms for FindCoordinatorRequest {
    const OLD_UP_TO: i16 = 3;

    fn raise(&mut self) {
        self.coordinator_keys = vec![self.key.clone()];
    }

    fn lower(&mut self, _version: i16) {
        if let Some(key) = take(&mut self.coordinator_keys).into_iter().next() {
            self.key = key;
        }
    }
}

/// One member, up to version 2.
impl Forms for LeaveGroupRequest {
    const OLD_UP_TO: i16 = 2;

    fn raise(&mut self) {
        self.members = vec![MemberIdentity::default().with_member_id(self.member_id.clone())];
    }

    fn lower(&mut self, _version: i16) {
        if let Some(member) = take(&mut self.members).into_iter().next() {
            self.member_id = member.member_id;
        }
    }
}

/// Names only, up to version 5.
impl Forms for DeleteTopicsRequest {
    const OLD_UP_TO: i16 = 5;

    fn raise(&mut self) {
        let by_name = |name: &TopicName| DeleteTopicState::default().with_name(Some(name.clone()));
        self.topics = self.topic_names.iter().map(by_name).collect();
    }

    fn lower(&mut self, _version: i16) {
        if !self.topics.is_empty() {
            self.topic_names = take(&mut self.topics).into_iter().filter_map(|topic| topic.name).collect();
        }
    }
}
