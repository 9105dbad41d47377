package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"tidelog-tests/check"
	"tidelog-tests/crew"
)

const partitions = 6

// groups of each assignor: members come and go, each partition has one owner, and every message is handled once.
func groups(ctx context.Context) {
	var all sync.WaitGroup
	for _, strategy := range []func() sarama.BalanceStrategy{
		sarama.NewBalanceStrategyCooperativeSticky, sarama.NewBalanceStrategySticky,
		sarama.NewBalanceStrategyRange, sarama.NewBalanceStrategyRoundRobin,
	} {
		all.Go(func() { comeAndGo(ctx, strategy) })
	}
	all.Wait()
}

func comeAndGo(ctx context.Context, strategy func() sarama.BalanceStrategy) {
	topic, group, crew := createTopic("groups", partitions), check.Unique("crew"), crew.New(ctx)
	config := newConfig()
	config.Producer.Partitioner = sarama.NewRoundRobinPartitioner
	producer := newProducer(config)
	defer closeIt(producer)
	send := func(values []string) {
		for _, value := range values {
			_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(value)})
			check.OK(err)
		}
	}
	join := func(name string) (leave func()) {
		config := newConfig()
		config.ClientID = name
		config.Consumer.Group.Heartbeat.Interval = 100 * time.Millisecond
		config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy()}
		member := &member{Crew: crew, name: name}
		return member.join(ctx, group, topic, config)
	}
	crew.ComeAndGo(join, send, func() {
		admin := newAdmin()
		defer closeIt(admin)
		described := check.Must(admin.DescribeConsumerGroups([]string{group}))[0]
		found := []string{described.State, described.ProtocolType, described.Protocol}
		check.Equal(found, []string{"Stable", "consumer", strategy().Name()})
		for _, member := range described.Members {
			assignment := check.Must(member.GetMemberAssignment())
			check.Equal(len(assignment.Topics[topic]), 2)
		}
	})
}

// member of a crew; it marks what it has handled, and sarama commits that when it gives a partition away.
type member struct {
	*crew.Crew
	name string
}

func (m *member) join(ctx context.Context, group, topic string, config *sarama.Config) (leave func()) {
	m.Joins(m.name)
	client := check.Must(sarama.NewConsumerGroup(brokers, group, config))
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			err := client.Consume(ctx, []string{topic}, m)
			if errors.Is(err, sarama.ErrClosedConsumerGroup) {
				return
			}
			check.OK(err)
		}
	}()
	return func() {
		closeIt(client)
		<-gone
		m.Leaves(m.name)
	}
}

func (m *member) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (m *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	m.Gets(m.name, claim.Partition())
	defer m.Loses(m.name, claim.Partition())
	for {
		select {
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			session.MarkMessage(message, "")
			m.Handles(string(message.Value))
		case <-session.Context().Done():
			return nil
		}
	}
}
