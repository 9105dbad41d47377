//! Responses whose old versions say the same in another place, or have no place for it.
//!
//! Only fields that Kafka's definitions do not mark "ignorable" are named here; the crate drops
//! the others by itself and refuses to encode these when they are set.

use std::mem::take;

use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};

use super::by_crate::Forms;
use super::*;

/// The value of `authorized_operations` that says nothing was asked for.
const NOT_ASKED: i32 = i32::MIN;

macro_rules! same_in_all_versions {
    ($($response:path)*) => {$(
        impl Forms for $response {}
    )*};
}

same_in_all_versions! {
    ProduceResponse OffsetCommitResponse HeartbeatResponse SyncGroupResponse ListGroupsResponse
    ApiVersionsResponse CreateTopicsResponse DeleteTopicsResponse DeleteRecordsResponse OffsetForLeaderEpochResponse AlterConfigsResponse IncrementalAlterConfigsResponse ListConfigResourcesResponse CreatePartitionsResponse OffsetDeleteResponse
    kafka_protocol::messages::DeleteGroupsResponse kafka_protocol::messages::DescribeLogDirsResponse DescribeTopicPartitionsResponse DescribeProducersResponse AlterPartitionReassignmentsResponse ListPartitionReassignmentsResponse AlterReplicaLogDirsResponse UpdateFeaturesResponse UnregisterBrokerResponse GetTelemetrySubscriptionsResponse PushTelemetryResponse
}

impl Forms for FetchResponse {
    fn lower(&mut self, version: i16) {
        if version < 7 {
            self.session_id = 0;
        }
        if version < 11 {
            let partitions = self.responses.iter_mut().flat_map(|topic| &mut topic.partitions);
            partitions.for_each(|partition| partition.preferred_read_replica = BrokerId(-1));
        }
    }
}

impl Forms for ListOffsetsResponse {
    fn lower(&mut self, version: i16) {
        if version < 4 {
            let partitions = self.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
            partitions.for_each(|partition| partition.leader_epoch = -1);
        }
    }
}

impl Forms for MetadataResponse {
    fn lower(&mut self, version: i16) {
        if !(8..=10).contains(&version) {
            self.cluster_authorized_operations = NOT_ASKED;
        }
        if version < 8 {
            self.topics.iter_mut().for_each(|topic| topic.topic_authorized_operations = NOT_ASKED);
        }
    }
}

/// One group up to version 7; in version 1 its error stands at each partition.
impl Forms for OffsetFetchResponse {
    const OLD_UP_TO: i16 = 7;

    fn raise(&mut self) {
        let topics = take(&mut self.topics).into_iter().map(many).collect();
        self.groups =
            vec![OffsetFetchResponseGroup::default().with_topics(topics).with_error_code(take(&mut self.error_code))];
    }

    fn lower(&mut self, version: i16) {
        if version > Self::OLD_UP_TO {
            return;
        }
        let Some(group) = take(&mut self.groups).into_iter().next() else { return };
        self.error_code = group.error_code;
        self.topics = group.topics.into_iter().map(one).collect();
        if version == 1 && self.error_code != 0 {
            for partition in self.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
                partition.error_code = self.error_code;
                partition.committed_offset = -1;
                partition.metadata = Some(crate::StrBytes::default());
            }
        }
    }
}

fn many(topic: OffsetFetchResponseTopic) -> OffsetFetchResponseTopics {
    let partitions = topic.partitions.into_iter().map(|partition| {
        OffsetFetchResponsePartitions::default()
            .with_partition_index(partition.partition_index)
            .with_committed_offset(partition.committed_offset)
            .with_committed_leader_epoch(partition.committed_leader_epoch)
            .with_metadata(partition.metadata)
            .with_error_code(partition.error_code)
    });
    OffsetFetchResponseTopics::default().with_name(topic.name).with_partitions(partitions.collect())
}

fn one(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    let partitions = topic.partitions.into_iter().map(|partition| {
        OffsetFetchResponsePartition::default()
            .with_partition_index(partition.partition_index)
            .with_committed_offset(partition.committed_offset)
            .with_committed_leader_epoch(partition.committed_leader_epoch)
            .with_metadata(partition.metadata)
            .with_error_code(partition.error_code)
    });
    OffsetFetchResponseTopic::default().with_name(topic.name).with_partitions(partitions.collect())
}

/// One coordinator up to version 3.
impl Forms for FindCoordinatorResponse {
    const OLD_UP_TO: i16 = 3;

    fn raise(&mut self) {
        let coordinator = Coordinator::default()
            .with_node_id(take(&mut self.node_id))
            .with_host(take(&mut self.host))
            .with_port(take(&mut self.port))
            .with_error_code(take(&mut self.error_code))
            .with_error_message(self.error_message.take());
        self.coordinators = vec![coordinator];
    }

    fn lower(&mut self, version: i16) {
        if version > Self::OLD_UP_TO {
            return;
        }
        if let Some(coordinator) = take(&mut self.coordinators).into_iter().next() {
            self.node_id = coordinator.node_id;
            self.host = coordinator.host;
            self.port = coordinator.port;
            self.error_code = coordinator.error_code;
            self.error_message = coordinator.error_message;
        }
    }
}

/// Before version 7 a group without a protocol has the empty name, later null.
impl Forms for JoinGroupResponse {
    fn lower(&mut self, version: i16) {
        if version < 7 {
            self.protocol_name.get_or_insert_default();
        }
        if version < 9 {
            self.skip_assignment = false;
        }
    }
}

/// One member up to version 2, whose error is the response's.
impl Forms for LeaveGroupResponse {
    fn lower(&mut self, version: i16) {
        if version > 2 {
            return;
        }
        if let Some(member) = take(&mut self.members).into_iter().next()
            && self.error_code == 0
        {
            self.error_code = member.error_code;
        }
    }
}

impl Forms for DescribeGroupsResponse {
    fn lower(&mut self, version: i16) {
        for group in &mut self.groups {
            if version < 3 {
                group.authorized_operations = NOT_ASKED;
            }
            if version < 6 {
                group.error_message = None;
            }
        }
    }
}

/// The open transaction is part of two-phase commit (KIP-939), which is not served.
impl Forms for InitProducerIdResponse {
    fn lower(&mut self, version: i16) {
        if version < 6 {
            self.ongoing_txn_producer_id = ProducerId(-1);
            self.ongoing_txn_producer_epoch = -1;
        }
    }
}

impl Forms for DescribeConfigsResponse {
    fn lower(&mut self, version: i16) {
        if version < 3 {
            for setting in self.results.iter_mut().flat_map(|result| &mut result.configs) {
                setting.config_type = 0;
                setting.documentation = None;
            }
        }
    }
}

impl Forms for DescribeClusterResponse {
    fn lower(&mut self, version: i16) {
        if version < 1 {
            self.endpoint_type = 1; // brokers
        }
        if version < 2 {
            self.brokers.iter_mut().for_each(|broker| broker.is_fenced = false);
        }
    }
}

impl Forms for ElectLeadersResponse {
    fn lower(&mut self, version: i16) {
        if version < 1 {
            self.error_code = 0;
        }
    }
}

/// Messages, directories and addresses came with version 2 (KIP-853), times with version 1 (KIP-836).
impl Forms for DescribeQuorumResponse {
    fn lower(&mut self, version: i16) {
        if version >= 2 {
            return;
        }
        self.error_message = None;
        self.nodes.clear();
        for partition in self.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
            partition.error_message = None;
            for replica in partition.current_voters.iter_mut().chain(&mut partition.observers) {
                replica.replica_directory_id = uuid::Uuid::nil();
                if version < 1 {
                    replica.last_fetch_timestamp = -1;
                    replica.last_caught_up_timestamp = -1;
                }
            }
        }
    }
}
