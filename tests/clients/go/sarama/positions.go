package main

import (
	"context"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"tidelog-tests/check"
)

// positions of a consumer: where it starts, pauses, and what is kept of it.
func positions(ctx context.Context) {
	topic := createTopic("positions", 1)
	producer := newProducer(newConfig())
	defer closeIt(producer)
	for n := range 20 {
		_, _, err := producer.SendMessage(&sarama.ProducerMessage{
			Topic: topic, Value: sarama.StringEncoder(fmt.Sprint(n)), Timestamp: time.UnixMilli(1000 + int64(n)),
		})
		check.OK(err)
	}

	client := check.Must(sarama.NewClient(brokers, newConfig()))
	defer closeIt(client)
	offset := func(time int64) int64 { return check.Must(client.GetOffset(topic, 0, time)) }
	check.Equal([]int64{offset(sarama.OffsetOldest), offset(sarama.OffsetNewest)}, []int64{0, 20})
	check.Equal([]int64{offset(0), offset(1009), offset(9999)}, []int64{0, 9, -1})

	consumer := check.Must(sarama.NewConsumerFromClient(client))
	defer closeIt(consumer)
	starts(ctx, consumer, topic)
	pauses(ctx, consumer, producer, topic)
	keeps(client, topic)
}

func starts(ctx context.Context, consumer sarama.Consumer, topic string) {
	for _, start := range []struct{ offset, first int64 }{{sarama.OffsetOldest, 0}, {7, 7}, {19, 19}} {
		partition := check.Must(consumer.ConsumePartition(topic, 0, start.offset))
		messages := take(ctx, partition.Messages(), int(20-start.first))
		check.Equal(messages[0].Offset, start.first)
		check.Equal(partition.HighWaterMarkOffset(), int64(20))
		closeIt(partition)
	}
	_, err := consumer.ConsumePartition(topic, 0, 21)
	check.Equal(err, error(sarama.ErrOffsetOutOfRange))
}

func pauses(ctx context.Context, consumer sarama.Consumer, producer sarama.SyncProducer, topic string) {
	partition := check.Must(consumer.ConsumePartition(topic, 0, sarama.OffsetNewest))
	defer closeIt(partition)
	partition.Pause()
	check.That(partition.IsPaused())
	_, sent, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder("while paused")})
	check.OK(err)
	partition.Resume()
	check.Equal(take(ctx, partition.Messages(), 1)[0].Offset, sent)
}

// keeps offsets with metadata, on their own: a group that nobody is a member of.
func keeps(client sarama.Client, topic string) {
	group := check.Unique("keeper")
	manage := func(use func(sarama.PartitionOffsetManager)) {
		offsets := check.Must(sarama.NewOffsetManagerFromClient(group, client))
		partition := check.Must(offsets.ManagePartition(topic, 0))
		use(partition)
		offsets.Commit()
		closeIt(partition)
		closeIt(offsets)
	}
	next := func(partition sarama.PartitionOffsetManager, offset int64, metadata string) {
		foundOffset, foundMetadata := partition.NextOffset()
		check.Equal(foundOffset, offset)
		check.Equal(foundMetadata, metadata)
	}
	manage(func(partition sarama.PartitionOffsetManager) {
		next(partition, sarama.OffsetOldest, "")
		partition.MarkOffset(12, "twelve done")
	})
	manage(func(partition sarama.PartitionOffsetManager) {
		next(partition, 12, "twelve done")
		partition.ResetOffset(3, "again")
	})
	manage(func(partition sarama.PartitionOffsetManager) { next(partition, 3, "again") })
}
