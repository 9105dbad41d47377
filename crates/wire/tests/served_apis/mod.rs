//! Every API that is served. A test of the golden messages holds that none is forgotten.

/// Hands the list to another macro: a name for a test, the API, its request.
macro_rules! with_served_apis {
    ($then:ident) => {
        $then! {
            produce Produce ProduceRequest;
            fetch Fetch FetchRequest;
            list_offsets ListOffsets ListOffsetsRequest;
            metadata Metadata MetadataRequest;
            offset_commit OffsetCommit OffsetCommitRequest;
            offset_fetch OffsetFetch OffsetFetchRequest;
            find_coordinator FindCoordinator FindCoordinatorRequest;
            join_group JoinGroup JoinGroupRequest;
            heartbeat Heartbeat HeartbeatRequest;
            leave_group LeaveGroup LeaveGroupRequest;
            sync_group SyncGroup SyncGroupRequest;
            describe_groups DescribeGroups DescribeGroupsRequest;
            list_groups ListGroups ListGroupsRequest;
            api_versions ApiVersions ApiVersionsRequest;
            create_topics CreateTopics CreateTopicsRequest;
            delete_topics DeleteTopics DeleteTopicsRequest;
            delete_records DeleteRecords DeleteRecordsRequest;
            init_producer_id InitProducerId InitProducerIdRequest;
            offset_for_leader_epoch OffsetForLeaderEpoch OffsetForLeaderEpochRequest;
            describe_cluster DescribeCluster DescribeClusterRequest;
            describe_configs DescribeConfigs DescribeConfigsRequest;
            alter_configs AlterConfigs AlterConfigsRequest;
            incremental_alter_configs IncrementalAlterConfigs IncrementalAlterConfigsRequest;
            list_config_resources ListConfigResources ListConfigResourcesRequest;
            create_partitions CreatePartitions CreatePartitionsRequest;
            offset_delete OffsetDelete OffsetDeleteRequest;
            delete_groups DeleteGroups DeleteGroupsRequest;
            describe_log_dirs DescribeLogDirs DescribeLogDirsRequest;
            describe_topic_partitions DescribeTopicPartitions DescribeTopicPartitionsRequest;
            unregister_broker UnregisterBroker UnregisterBrokerRequest;
            describe_producers DescribeProducers DescribeProducersRequest;
            describe_quorum DescribeQuorum DescribeQuorumRequest;
            elect_leaders ElectLeaders ElectLeadersRequest;
            alter_partition_reassignments AlterPartitionReassignments AlterPartitionReassignmentsRequest;
            list_partition_reassignments ListPartitionReassignments ListPartitionReassignmentsRequest;
            alter_replica_log_dirs AlterReplicaLogDirs AlterReplicaLogDirsRequest;
            update_features UpdateFeatures UpdateFeaturesRequest;
            get_telemetry_subscriptions GetTelemetrySubscriptions GetTelemetrySubscriptionsRequest;
            push_telemetry PushTelemetry PushTelemetryRequest;
        }
    };
}
