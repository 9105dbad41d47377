// Command sarama walks through what users of sarama do first: `sarama messages|positions|groups|admin`.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"tidelog-tests/check"
)

func main() {
	check.Main(map[string]func(context.Context){
		"messages":  messages,
		"positions": positions,
		"groups":    groups,
		"admin":     admin,
	})
}

var brokers = []string{check.Bootstrap}

// newConfig speaks the newest protocol that sarama knows.
func newConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Metadata.Retry.Backoff = 50 * time.Millisecond
	config.Metadata.AllowAutoTopicCreation = false
	config.Producer.Return.Successes = true
	config.Consumer.MaxWaitTime = 100 * time.Millisecond
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Interval = 100 * time.Millisecond
	return config
}

func newAdmin() sarama.ClusterAdmin {
	return check.Must(sarama.NewClusterAdmin(brokers, newConfig()))
}

// createTopic makes a topic with that many partitions, and returns its name.
func createTopic(name string, partitions int32) string {
	topic := check.Unique(name)
	admin := newAdmin()
	defer closeIt(admin)
	check.OK(admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false))
	return topic
}

func newProducer(config *sarama.Config) sarama.SyncProducer {
	return check.Must(sarama.NewSyncProducer(brokers, config))
}

// take is the next count messages of a partition or a claim.
func take(ctx context.Context, messages <-chan *sarama.ConsumerMessage, count int) []*sarama.ConsumerMessage {
	var taken []*sarama.ConsumerMessage
	for len(taken) < count {
		select {
		case message := <-messages:
			taken = append(taken, message)
		case <-ctx.Done():
			check.OK(fmt.Errorf("%d of %d messages: %w", len(taken), count, ctx.Err()))
		}
	}
	return taken
}

// readAll is the first count messages of partition 0.
func readAll(ctx context.Context, topic string, count int) []*sarama.ConsumerMessage {
	consumer := check.Must(sarama.NewConsumer(brokers, newConfig()))
	defer closeIt(consumer)
	partition := check.Must(consumer.ConsumePartition(topic, 0, sarama.OffsetOldest))
	defer closeIt(partition)
	return take(ctx, partition.Messages(), count)
}

func values(messages []*sarama.ConsumerMessage) []string {
	values := make([]string, len(messages))
	for n, message := range messages {
		values[n] = string(message.Value)
	}
	return values
}

func closeIt(resource interface{ Close() error }) { check.OK(resource.Close()) }
