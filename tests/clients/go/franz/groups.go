package main

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tidelog-tests/check"
	"tidelog-tests/crew"
)

const partitions = 6

// groups of each assignor: members come and go, each partition has one owner, and every message is handled once.
func groups(ctx context.Context) {
	var all sync.WaitGroup
	for _, balancer := range []kgo.GroupBalancer{
		kgo.CooperativeStickyBalancer(), kgo.StickyBalancer(), kgo.RangeBalancer(), kgo.RoundRobinBalancer(),
	} {
		all.Go(func() { comeAndGo(ctx, balancer) })
	}
	all.Go(func() { staticMember(ctx) })
	all.Wait()
}

func comeAndGo(ctx context.Context, balancer kgo.GroupBalancer) {
	topic, group, crew := createTopic(ctx, "groups", partitions), check.Unique("crew"), crew.New(ctx)
	producer := newClient(kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	defer producer.Close()
	send := func(values []string) {
		for _, value := range values {
			producer.Produce(ctx, kgo.StringRecord(value), func(_ *kgo.Record, err error) { check.OK(err) })
		}
		check.OK(producer.Flush(ctx))
	}
	join := func(name string) (leave func()) { return member(ctx, crew, name, group, topic, balancer) }
	crew.ComeAndGo(join, send, func() {
		admin := newAdmin()
		defer admin.Close()
		described := check.Must(admin.DescribeGroups(ctx, group))[group]
		found := []string{described.State, described.ProtocolType, described.Protocol}
		check.Equal(found, []string{"Stable", "consumer", balancer.ProtocolName()})
		check.Equal(len(described.Members), 3)
		check.Equal(len(described.AssignedPartitions()[topic]), partitions)
	})
}

// member joins, and commits what it has handled before it gives a partition away.
func member(ctx context.Context, crew *crew.Crew, name, group, topic string, balancer kgo.GroupBalancer) (leave func()) {
	crew.Joins(name)
	client := join(group, topic, kgo.Balancers(balancer), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, got map[string][]int32) {
			crew.Gets(name, got[topic]...)
		}),
		kgo.OnPartitionsRevoked(func(ctx context.Context, client *kgo.Client, lost map[string][]int32) {
			check.OK(client.CommitUncommittedOffsets(ctx))
			crew.Loses(name, lost[topic]...)
		}))
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			fetches := client.PollFetches(ctx)
			if fetches.IsClientClosed() {
				return
			}
			check.OK(fetches.Err())
			fetches.EachRecord(func(record *kgo.Record) { crew.Handles(string(record.Value)) })
			client.AllowRebalance()
		}
	}()
	return func() {
		client.CloseAllowingRebalance()
		<-gone
		crew.Leaves(name)
	}
}

// staticMember returns to its partitions without a rebalance.
func staticMember(ctx context.Context) {
	topic := createTopic(ctx, "static", 2)
	group, instance := check.Unique("static"), kgo.InstanceID("one")
	first := join(group, topic, instance)
	check.OK(first.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("0")}).FirstErr())
	take(ctx, first, 1)
	id, generation := first.GroupMetadata()
	check.OK(first.CommitUncommittedOffsets(ctx))
	first.Close() // a static member does not leave

	second := join(group, topic, instance)
	defer second.Close()
	check.OK(second.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("1")}).FirstErr())
	check.Equal(values(take(ctx, second, 1)), []string{"1"})
	nextID, nextGeneration := second.GroupMetadata()
	check.That(nextID != id && nextGeneration == generation, generation, " then ", nextGeneration)

	admin := newAdmin()
	defer admin.Close()
	left := check.Must(admin.LeaveGroup(ctx, kadm.LeaveGroup(group).InstanceIDs("one")))
	check.OK(left.Error())
}
