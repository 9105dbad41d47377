package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"tidelog-tests/check"
)

// comingTopics are found by a pattern when they appear, deleted while they are read, and made anew under their names.
func comingTopics(ctx context.Context) {
	name := check.Unique("coming")
	one, two := name+"-one", name+"-two"
	admin := newAdmin()
	defer admin.Close()
	create := func(topic string) kadm.TopicID { return check.Must(admin.CreateTopic(ctx, 1, 1, nil, topic)).ID }
	send := func(topic, value string) {
		producer := newClient() // a new one: what it knew of a topic by that name is forgotten
		defer producer.Close()
		check.OK(producer.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr())
	}

	client := newClient(kgo.ConsumeRegex(), kgo.ConsumeTopics("^"+name), kgo.MetadataMaxAge(200*time.Millisecond),
		kgo.FetchMaxWait(100*time.Millisecond), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	next := func() *kgo.Record {
		for {
			fetches := client.PollRecords(ctx, 1)
			fetches.EachError(func(topic string, _ int32, err error) {
				gone := errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.UnknownTopicID)
				check.That(gone, topic, ": ", err)
			})
			if records := fetches.Records(); len(records) == 1 {
				return records[0]
			}
			check.OK(ctx.Err())
		}
	}
	expect := func(topic, value string) {
		record := next()
		check.Equal([]string{record.Topic, string(record.Value)}, []string{topic, value})
	}

	first := create(one)
	send(one, "first")
	expect(one, "first")
	create(two)
	send(two, "second")
	expect(two, "second")

	check.OK(check.Must(admin.DeleteTopics(ctx, one)).Error())
	send(two, "third")
	expect(two, "third")
	client.PurgeTopicsFromConsuming(one)
	check.That(create(one) != first)
	send(one, "anew")
	expect(one, "anew")

	// By their ids, too: offsets of the topic that is there, none of the one that was.
	group := check.Unique("by-id")
	second := check.Must(admin.ListTopics(ctx, two))[two].ID
	offsets := kadm.OffsetsByID{second: {0: {TopicID: second, At: 2, LeaderEpoch: -1}}}
	check.OK(check.Must(admin.CommitOffsetsByID(ctx, group, offsets)).Error())
	byID := check.Must(admin.FetchOffsetsByID(ctx, group))
	check.Equal(byID[second][0].At, int64(2))
	stale := kadm.OffsetsByID{first: {0: {TopicID: first, At: 1, LeaderEpoch: -1}}}
	check.That(errors.Is(check.Must(admin.CommitOffsetsByID(ctx, group, stale)).Error(), kerr.UnknownTopicID))
	check.That(slices.Contains(check.Must(admin.ListGroups(ctx)).Groups(), group))
}
