package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tidelog-tests/check"
)

// positions of a consumer: where it starts, seeks, pauses, and what it commits.
func positions(ctx context.Context) {
	topic := createTopic(ctx, "positions", 2)
	producer := newClient(kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer producer.Close()
	for n := range 20 {
		record := &kgo.Record{Partition: int32(n % 2), Value: []byte(fmt.Sprint(n)), Timestamp: time.UnixMilli(1000 + int64(n))}
		producer.Produce(ctx, record, func(_ *kgo.Record, err error) { check.OK(err) })
	}
	check.OK(producer.Flush(ctx))

	starts(ctx, topic)
	seeksAndPauses(ctx, topic)
	commits(ctx, topic)
	commitsByItself(ctx, topic)
}

// starts at each kind of offset that can be named, without a group.
func starts(ctx context.Context, topic string) {
	for _, start := range []struct {
		offset kgo.Offset
		first  int64
	}{
		{kgo.NewOffset().AtStart(), 0},
		{kgo.NewOffset().AtStart().Relative(2), 2},
		{kgo.NewOffset().At(3), 3},
		{kgo.NewOffset().AtEnd().Relative(-1), 9},
		{kgo.NewOffset().AfterMilli(1009), 5}, // partition 0 has the even milliseconds
		{kgo.NewOffset().At(1000), 0},         // out of range: back to the reset offset, the start
	} {
		client := newClient(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: start.offset}}))
		records := take(ctx, client, int(10-start.first))
		client.Close()
		check.Equal(records[0].Offset, start.first)
		check.Equal(records[len(records)-1].Offset, int64(9))
	}
}

func seeksAndPauses(ctx context.Context, topic string) {
	client := newClient(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	take(ctx, client, 20)

	client.PauseFetchPartitions(map[string][]int32{topic: {0}})
	client.SetOffsets(map[string]map[int32]kgo.EpochOffset{topic: {0: {Epoch: -1, Offset: 4}, 1: {Epoch: -1, Offset: 8}}})
	for _, record := range take(ctx, client, 2) {
		check.Equal(record.Partition, int32(1))
	}
	client.ResumeFetchPartitions(map[string][]int32{topic: {0}})
	for n, record := range take(ctx, client, 6) {
		check.Equal([]int64{int64(record.Partition), record.Offset}, []int64{0, int64(n) + 4})
	}
}

// commits by hand, each way that there is: the next member starts there, not where the last one had read to.
func commits(ctx context.Context, topic string) {
	group := check.Unique("committer")
	client := join(group, topic, kgo.DisableAutoCommit())
	admin := newAdmin()
	defer admin.Close()
	records := take(ctx, client, 20)
	third := slices.IndexFunc(records, func(r *kgo.Record) bool { return r.Partition == 0 && r.Offset == 3 })
	check.OK(client.CommitRecords(ctx, records[third]))
	check.Equal(committed(ctx, admin, group), []string{"0 at 4"})

	note := "six done"
	noted := kgo.PreCommitFnContext(ctx, func(request *kmsg.OffsetCommitRequest) error {
		request.Topics[0].Partitions[0].Metadata = &note
		return nil
	})
	done := make(chan error)
	offsets := map[string]map[int32]kgo.EpochOffset{topic: {1: {Epoch: 0, Offset: 6}}}
	client.CommitOffsets(noted, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, _ *kmsg.OffsetCommitResponse, err error) {
		done <- err
	})
	check.OK(<-done)
	check.Equal(committed(ctx, admin, group), []string{"0 at 4", "1 at 6: six done"})
	client.Close()

	next := join(group, topic, kgo.DisableAutoCommit())
	defer next.Close()
	first := map[int32]int64{}
	for _, record := range slices.Backward(take(ctx, next, 10)) {
		first[record.Partition] = record.Offset
	}
	check.Equal(first, map[int32]int64{0: 4, 1: 6})
	check.OK(next.CommitUncommittedOffsets(ctx))
	check.Equal(committed(ctx, admin, group), []string{"0 at 10", "1 at 10"})
}

// commitsByItself what was marked, when it leaves.
func commitsByItself(ctx context.Context, topic string) {
	group := check.Unique("marker")
	client := join(group, topic, kgo.AutoCommitMarks())
	for _, record := range take(ctx, client, 20) {
		if record.Partition == 1 && record.Offset < 5 {
			client.MarkCommitRecords(record)
		}
	}
	client.Close()
	admin := newAdmin()
	defer admin.Close()
	check.Equal(committed(ctx, admin, group), []string{"1 at 5"})
}

func join(group, topic string, options ...kgo.Opt) *kgo.Client {
	const interval = 100 * time.Millisecond
	return newClient(append(options,
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.HeartbeatInterval(interval), // which is how a member hears of a rebalance
		kgo.FetchMaxWait(interval))...)
}

// committed offsets of a group in one topic, and their metadata where it is not the member's id, as by default.
func committed(ctx context.Context, admin *kadm.Client, group string) []string {
	var offsets []string
	for _, offset := range check.Must(admin.FetchOffsets(ctx, group)).Sorted() {
		check.OK(offset.Err)
		place := fmt.Sprint(offset.Partition, " at ", offset.At)
		if offset.Metadata != "" && !strings.HasPrefix(offset.Metadata, "kgo-") {
			place += ": " + offset.Metadata
		}
		offsets = append(offsets, place)
	}
	return offsets
}
