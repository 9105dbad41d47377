package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"tidelog-tests/check"
)

// admin is kadm: the cluster, topics and partitions, settings, records and offsets, groups.
func admin(ctx context.Context) {
	admin := newAdmin()
	defer admin.Close()
	cluster(ctx, admin)
	topics(ctx, admin)
	settings(ctx, admin)
	records(ctx, admin)
	replicas(ctx, admin)
	groupOffsets(ctx, admin)
}

func cluster(ctx context.Context, admin *kadm.Client) {
	metadata := check.Must(admin.BrokerMetadata(ctx))
	check.That(metadata.Cluster != "" && len(metadata.Brokers) == 1, metadata)
	broker := metadata.Brokers[0]
	check.Equal(fmt.Sprint(broker.Host, ":", broker.Port), check.Bootstrap)
	check.Equal(metadata.Controller, broker.NodeID)

	versions := check.Must(admin.ApiVersions(ctx))[broker.NodeID]
	check.OK(versions.Err)
	_, fetch, served := versions.KeyVersions(1)
	check.That(served && fetch == 18, fetch)

	group := check.Unique("group")
	coordinator := admin.FindGroupCoordinators(ctx, group)[group]
	check.That(coordinator.Err == nil && coordinator.NodeID == broker.NodeID, coordinator)
}

func topics(ctx context.Context, admin *kadm.Client) {
	topic, other := check.Unique("one"), check.Unique("two")
	configs := map[string]*string{"retention.ms": kadm.StringPtr("3600000")}
	check.OK(check.Must(admin.ValidateCreateTopics(ctx, 1, 1, nil, topic)).Error())
	created := check.Must(admin.CreateTopics(ctx, 3, 1, configs, topic, other))
	check.OK(created.Error())
	check.That(created[topic].ID != created[other].ID && *created[topic].Configs["retention.ms"].Value == "3600000", created)
	_, err := admin.CreateTopic(ctx, 1, 1, nil, topic)
	check.That(errors.Is(err, kerr.TopicAlreadyExists), err)
	_, err = admin.CreateTopic(ctx, 1, 3, nil, check.Unique("wrong"))
	check.That(errors.Is(err, kerr.InvalidReplicationFactor), err)

	listed := check.Must(admin.ListTopics(ctx, topic, other))
	check.OK(listed.Error())
	check.Equal(listed[topic].Partitions.Numbers(), []int32{0, 1, 2})
	check.Equal(listed[topic].ID, created[topic].ID)
	for _, partition := range listed[topic].Partitions.Sorted() {
		check.That(partition.Leader >= 0 && slices.Equal(partition.ISR, partition.Replicas), partition)
	}

	check.OK(check.Must(admin.ValidateUpdatePartitions(ctx, 9, topic)).Error())
	check.OK(check.Must(admin.CreatePartitions(ctx, 2, topic)).Error())
	check.OK(check.Must(admin.UpdatePartitions(ctx, 6, topic)).Error())
	check.That(errors.Is(check.Must(admin.UpdatePartitions(ctx, 2, topic)).Error(), kerr.InvalidPartitions))
	check.Eventually(ctx, func() bool { return len(check.Must(admin.ListTopics(ctx, topic))[topic].Partitions) == 6 })

	check.OK(check.Must(admin.DeleteTopics(ctx, topic, other)).Error())
	check.Eventually(ctx, func() bool {
		return errors.Is(check.Must(admin.ListTopics(ctx, topic)).Error(), kerr.UnknownTopicOrPartition)
	})
}

func settings(ctx context.Context, admin *kadm.Client) {
	topic := createTopic(ctx, "settings", 1)
	become := func(want ...string) {
		check.Eventually(ctx, func() bool {
			described := check.Must(check.Must(admin.DescribeTopicConfigs(ctx, topic)).On(topic, nil))
			check.OK(described.Err)
			values := map[string]string{}
			for _, config := range described.Configs {
				values[config.Key] = config.MaybeValue()
			}
			return slices.Equal(want, []string{values["cleanup.policy"], values["retention.ms"], values["max.message.bytes"]})
		})
	}
	become("delete", "604800000", "1048588")
	alter := []kadm.AlterConfig{
		{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("1000000")},
		{Op: kadm.AppendConfig, Name: "cleanup.policy", Value: kadm.StringPtr("compact")},
	}
	check.OK(allOK(check.Must(admin.ValidateAlterTopicConfigs(ctx, alter, topic))))
	become("delete", "604800000", "1048588")
	check.OK(allOK(check.Must(admin.AlterTopicConfigs(ctx, alter, topic))))
	become("delete,compact", "1000000", "1048588")
	// All at once: what is not named goes back to its default.
	whole := []kadm.AlterConfig{{Name: "max.message.bytes", Value: kadm.StringPtr("2000")}}
	check.OK(allOK(check.Must(admin.AlterTopicConfigsState(ctx, whole, topic))))
	become("delete", "604800000", "2000")
	wrong := []kadm.AlterConfig{{Name: "retention.ms", Value: kadm.StringPtr("soon")}}
	check.That(errors.Is(allOK(check.Must(admin.AlterTopicConfigs(ctx, wrong, topic))), kerr.InvalidConfig))

	brokers := check.Must(admin.ListBrokers(ctx)).NodeIDs()
	described := check.Must(admin.DescribeBrokerConfigs(ctx, brokers...))
	check.That(len(described) == 1 && len(described[0].Configs) > 100, described)
	// For every broker, then back.
	retries := kadm.AlterConfig{Op: kadm.SetConfig, Name: "log.retention.ms", Value: kadm.StringPtr("700000000")}
	check.OK(allOK(check.Must(admin.AlterBrokerConfigs(ctx, []kadm.AlterConfig{retries}))))
	retries.Op, retries.Value = kadm.DeleteConfig, nil
	check.OK(allOK(check.Must(admin.AlterBrokerConfigs(ctx, []kadm.AlterConfig{retries}))))

	resources := check.Must(admin.ListConfigResources(ctx, kadm.ConfigResourceTopic))
	check.That(resources.Err == nil && slices.Contains(resources.Names(), topic), resources)
}

func allOK(altered kadm.AlterConfigsResponses) error {
	for _, response := range altered {
		if response.Err != nil {
			return response.Err
		}
	}
	return nil
}

func records(ctx context.Context, admin *kadm.Client) {
	topic := createTopic(ctx, "records", 2)
	producer := newClient(kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer producer.Close()
	for n := range 20 {
		record := &kgo.Record{Partition: int32(n % 2), Value: []byte("x"), Timestamp: time.UnixMilli(1000 + int64(n))}
		producer.Produce(ctx, record, func(_ *kgo.Record, err error) { check.OK(err) })
	}
	check.OK(producer.Flush(ctx))
	offsets := func(listed kadm.ListedOffsets, err error) []int64 {
		check.OK(err)
		check.OK(listed.Error())
		return []int64{listed[topic][0].Offset, listed[topic][1].Offset}
	}
	check.Equal(offsets(admin.ListStartOffsets(ctx, topic)), []int64{0, 0})
	check.Equal(offsets(admin.ListEndOffsets(ctx, topic)), []int64{10, 10})
	check.Equal(offsets(admin.ListCommittedOffsets(ctx, topic)), []int64{10, 10})
	check.Equal(offsets(admin.ListOffsetsAfterMilli(ctx, 1009, topic)), []int64{5, 4})
	check.Equal(offsets(admin.ListOffsetsAfterMilli(ctx, 9999, topic)), []int64{10, 10})
	check.Equal(offsets(admin.ListMaxTimestampOffsets(ctx, topic)), []int64{9, 9})
	check.Equal(offsets(admin.ListLocalLogStartOffsets(ctx, topic)), []int64{0, 0})

	upTo := kadm.Offsets{}
	upTo.AddOffset(topic, 0, 4, -1)
	upTo.AddOffset(topic, 1, -1, -1)
	deleted := check.Must(admin.DeleteRecords(ctx, upTo))
	check.OK(deleted.Error())
	check.Equal(deleted[topic][0].LowWatermark, int64(4))
	check.Equal(offsets(admin.ListStartOffsets(ctx, topic)), []int64{4, 10})
	upTo.AddOffset(topic, 0, 11, -1)
	check.That(errors.Is(check.Must(admin.DeleteRecords(ctx, upTo)).Error(), kerr.OffsetOutOfRange))

	epochs := kadm.OffsetForLeaderEpochRequest{}
	epochs.Add(topic, 0, 0)
	ends := check.Must(admin.OffsetForLeaderEpoch(ctx, epochs))
	check.That(ends[topic][0].Err == nil && ends[topic][0].EndOffset == 10, ends)

	set := kadm.TopicsSet{}
	set.Add(topic, 0)
	id, _, err := producer.ProducerID(ctx)
	check.OK(err)
	producers := check.Must(admin.DescribeProducers(ctx, set))
	check.That(producers[topic].Partitions[0].ActiveProducers[id].LastSequence == 9, producers)
}

// replicas, as far as one node has any: directories, reassignments, elections.
func replicas(ctx context.Context, admin *kadm.Client) {
	topic := createTopic(ctx, "replicas", 1)
	set := kadm.TopicsSet{}
	set.Add(topic, 0)
	node := check.Must(admin.ListBrokers(ctx)).NodeIDs()[0]

	dir := check.Must(admin.DescribeAllLogDirs(ctx, set))[node].Sorted()[0]
	check.That(dir.Err == nil && dir.TotalBytes > dir.UsableBytes && dir.UsableBytes > 0, dir)
	check.Equal(len(dir.Topics[topic]), 1)

	assign := kadm.AlterPartitionAssignmentsReq{}
	assign.Assign(topic, 0, []int32{node})
	check.OK(check.Must(admin.AlterPartitionAssignments(ctx, assign)).Error())
	check.Equal(len(check.Must(admin.ListPartitionReassignments(ctx, set))), 0)
	assign.Assign(topic, 0, []int32{node + 1})
	check.That(errors.Is(check.Must(admin.AlterPartitionAssignments(ctx, assign)).Error(), kerr.InvalidReplicaAssignment))
	elected := check.Must(admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, set))
	check.That(errors.Is(elected[topic][0].Err, kerr.ElectionNotNeeded), elected)
}

func groupOffsets(ctx context.Context, admin *kadm.Client) {
	topic, group := createTopic(ctx, "offsets", 2), check.Unique("group")
	producer := newClient()
	defer producer.Close()
	check.OK(producer.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr())

	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, 0, -1)
	offsets.AddOffset(topic, 1, 0, -1)
	check.OK(admin.CommitAllOffsets(ctx, group, offsets))
	check.Equal(committed(ctx, admin, group), []string{"0 at 0", "1 at 0"})
	check.OK(admin.FetchManyOffsets(ctx, group, check.Unique("nobody")).Error())
	lags := check.Must(admin.Lag(ctx, group))
	lag := lags[group]
	check.That(lag.Error() == nil && lag.State == "Empty" && lag.Lag.Total() == 1, lag)

	set := kadm.TopicsSet{}
	set.Add(topic, 0)
	check.OK(check.Must(admin.DeleteOffsets(ctx, group, set)).Error())
	check.Equal(committed(ctx, admin, group), []string{"1 at 0"})
	check.That(slices.Contains(check.Must(admin.ListGroups(ctx, "Empty")).Groups(), group))
	check.That(!slices.Contains(check.Must(admin.ListGroups(ctx, "Stable")).Groups(), group))
	check.That(slices.Contains(check.Must(admin.ListGroupsByType(ctx, []string{"classic"})).Groups(), group))

	member := join(group, topic)
	defer member.Close()
	take(ctx, member, 1)
	check.That(errors.Is(check.Must(admin.DeleteGroups(ctx, group)).Error(), kerr.NonEmptyGroup))
	check.OK(member.LeaveGroupContext(ctx))
	check.OK(check.Must(admin.DeleteGroups(ctx, group)).Error())
	_, err := admin.DeleteGroup(ctx, group)
	check.That(errors.Is(err, kerr.GroupIDNotFound), err)
}
