package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"

	"tidelog-tests/check"
)

// admin is sarama's cluster admin: the cluster, topics, settings, records, replicas, groups.
func admin(ctx context.Context) {
	admin := newAdmin()
	defer closeIt(admin)
	topics(ctx, admin)
	settings(ctx, admin)
	records(admin)
	replicas(admin)
	groupOffsets(ctx, admin)
}

func topics(ctx context.Context, admin sarama.ClusterAdmin) {
	topic, retention := check.Unique("topic"), "3600000"
	configs := map[string]*string{"retention.ms": &retention}
	detail := &sarama.TopicDetail{NumPartitions: 3, ReplicationFactor: 1, ConfigEntries: configs}
	check.OK(admin.CreateTopic(topic, detail, true))
	check.OK(admin.CreateTopic(topic, detail, false))
	check.That(errors.Is(admin.CreateTopic(topic, detail, false), sarama.ErrTopicAlreadyExists))
	tooMany := &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 3}
	check.That(errors.Is(admin.CreateTopic(check.Unique("wrong"), tooMany, false), sarama.ErrInvalidReplicationFactor))

	check.Eventually(ctx, func() bool {
		listed := check.Must(admin.ListTopics())[topic]
		entry := listed.ConfigEntries["retention.ms"]
		return listed.NumPartitions == 3 && entry != nil && *entry == retention
	})
	brokers, controller, err := admin.DescribeCluster()
	check.OK(err)
	check.That(len(brokers) == 1 && brokers[0].Addr() == check.Bootstrap && brokers[0].ID() == controller, brokers)

	check.OK(admin.CreatePartitions(topic, 5, nil, false))
	check.That(errors.Is(admin.CreatePartitions(topic, 2, nil, false), sarama.ErrInvalidPartitions))
	check.Eventually(ctx, func() bool {
		described := check.Must(admin.DescribeTopics([]string{topic}))[0]
		return len(described.Partitions) == 5
	})
	check.OK(admin.DeleteTopic(topic))
	check.Eventually(ctx, func() bool {
		return check.Must(admin.DescribeTopics([]string{topic}))[0].Err == sarama.ErrUnknownTopicOrPartition
	})
}

func settings(ctx context.Context, admin sarama.ClusterAdmin) {
	topic := createTopic("settings", 1)
	become := func(want ...string) {
		names := []string{"cleanup.policy", "retention.ms"}
		resource := &sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: names}
		options := sarama.DescribeConfigsOptions{IncludeSynonyms: true, IncludeDocumentation: true}
		check.Eventually(ctx, func() bool {
			described := check.Must(admin.DescribeConfigs([]*sarama.ConfigResource{resource}, options))[0]
			values := map[string]string{}
			for _, config := range described.Configs {
				check.That(*config.Documentation != "", config)
				values[config.Name] = config.Value
			}
			return slices.Equal(want, []string{values[names[0]], values[names[1]]})
		})
	}
	become("delete", "604800000")
	compact, retention, wrong := "compact", "1000000", "soon"
	incrementally := func(name string, operation sarama.IncrementalAlterConfigsOperation, value *string) error {
		entries := map[string]sarama.IncrementalAlterConfigsEntry{name: {Operation: operation, Value: value}}
		return admin.IncrementalAlterConfig(sarama.TopicResource, topic, entries, false)
	}
	check.OK(incrementally("cleanup.policy", sarama.IncrementalAlterConfigsOperationAppend, &compact))
	check.OK(incrementally("retention.ms", sarama.IncrementalAlterConfigsOperationSet, &retention))
	become("delete,compact", "1000000")
	check.OK(incrementally("retention.ms", sarama.IncrementalAlterConfigsOperationDelete, nil))
	become("delete,compact", "604800000")
	check.That(errors.Is(incrementally("retention.ms", sarama.IncrementalAlterConfigsOperationSet, &wrong), sarama.ErrInvalidConfig))
	// All at once: what is not named goes back to its default.
	check.OK(admin.AlterConfig(sarama.TopicResource, topic, map[string]*string{"retention.ms": &retention}, false))
	become("delete", "1000000")

	_, controller, err := admin.DescribeCluster()
	check.OK(err)
	broker := sarama.ConfigResource{Type: sarama.BrokerResource, Name: fmt.Sprint(controller), ConfigNames: []string{"num.partitions"}}
	check.Equal(check.Must(admin.DescribeConfig(broker))[0].Value, "1")
}

func records(admin sarama.ClusterAdmin) {
	topic := createTopic("records", 1)
	producer := newProducer(newConfig())
	defer closeIt(producer)
	for n := range 10 {
		_, _, err := producer.SendMessage(&sarama.ProducerMessage{
			Topic: topic, Value: sarama.StringEncoder("x"), Timestamp: time.UnixMilli(1000 + int64(n)),
		})
		check.OK(err)
	}
	offset := func(time int64) int64 {
		listed := check.Must(admin.ListOffsets(map[string]map[int32]int64{topic: {0: time}}, nil))[topic][0]
		check.Equal(listed.Err, error(sarama.ErrNoError))
		return listed.Offset
	}
	check.Equal([]int64{offset(sarama.OffsetOldest), offset(sarama.OffsetNewest), offset(1004)}, []int64{0, 10, 4})
	check.OK(admin.DeleteRecords(topic, map[int32]int64{0: 4}))
	check.Equal([]int64{offset(sarama.OffsetOldest), offset(sarama.OffsetNewest)}, []int64{4, 10})
	check.That(admin.DeleteRecords(topic, map[int32]int64{0: 11}) != nil)
}

// replicas, as far as one node has any: directories, reassignments, elections.
func replicas(admin sarama.ClusterAdmin) {
	topic := createTopic("replicas", 1)
	_, node, err := admin.DescribeCluster()
	check.OK(err)
	dir := check.Must(admin.DescribeLogDirs([]int32{node}))[node][0]
	named := func(found sarama.DescribeLogDirsResponseTopic) bool { return found.Topic == topic }
	check.That(slices.ContainsFunc(dir.Topics, named) && dir.TotalBytes > dir.UsableBytes, dir)

	check.OK(admin.AlterPartitionReassignments(topic, [][]int32{{node}}))
	check.Equal(len(check.Must(admin.ListPartitionReassignments(topic, []int32{0}))[topic]), 0)
	elected := check.Must(admin.ElectLeaders(sarama.PreferredElection, map[string][]int32{topic: {0}}))
	check.Equal(elected[topic][0].ErrorCode, sarama.ErrElectionNotNeeded)
}

func groupOffsets(ctx context.Context, admin sarama.ClusterAdmin) {
	topic, group := createTopic("offsets", 2), check.Unique("group")
	check.That(check.Must(admin.Coordinator(group)).Addr() == check.Bootstrap)
	offsets := map[string]map[int32]sarama.OffsetAndMetadata{topic: {
		0: {Offset: 7, Metadata: "seven", LeaderEpoch: -1}, 1: {Offset: 8, LeaderEpoch: -1},
	}}
	check.Must(admin.AlterConsumerGroupOffsets(group, offsets, nil))
	block := func(partition int32) sarama.OffsetFetchResponseBlock {
		fetched := check.Must(admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {partition}}))
		return *fetched.GetBlock(topic, partition)
	}
	check.Equal([]any{block(0).Offset, block(0).Metadata, block(1).Offset}, []any{int64(7), "seven", int64(8)})
	check.OK(admin.DeleteConsumerGroupOffset(group, topic, 0))
	check.Equal([]int64{block(0).Offset, block(1).Offset}, []int64{-1, 8})
	all := check.Must(admin.ListConsumerGroupOffsetsBatch(map[string]map[string][]int32{group: {topic: {0, 1}}}))
	check.Equal(all[group].Blocks[topic][1].Offset, int64(8))

	_, listed := check.Must(admin.ListConsumerGroups())[group]
	check.That(listed)
	check.Equal(check.Must(admin.DescribeConsumerGroups([]string{group}))[0].State, "Empty")
	staticMember(ctx, admin, group, topic)
	check.OK(admin.DeleteConsumerGroup(group))
	check.That(errors.Is(admin.DeleteConsumerGroup(group), sarama.ErrGroupIDNotFound))
}

// staticMember stays in its group when it ends, until it is removed.
func staticMember(ctx context.Context, admin sarama.ClusterAdmin, group, topic string) {
	config := newConfig()
	config.Consumer.Group.InstanceId = "one"
	client := check.Must(sarama.NewConsumerGroup(brokers, group, config))
	once, stop := context.WithCancel(ctx)
	check.OK(client.Consume(once, []string{topic}, stopper(stop)))
	closeIt(client)
	check.That(errors.Is(admin.DeleteConsumerGroup(group), sarama.ErrNonEmptyGroup))
	removed := check.Must(admin.RemoveMemberFromConsumerGroup(group, []string{"one"}))
	check.Equal(removed.Members[0].Err, sarama.ErrNoError)
}

// stopper ends its session as soon as it has begun.
type stopper context.CancelFunc

func (stop stopper) Setup(sarama.ConsumerGroupSession) error   { stop(); return nil }
func (stop stopper) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (stop stopper) ConsumeClaim(sarama.ConsumerGroupSession, sarama.ConsumerGroupClaim) error {
	return nil
}
