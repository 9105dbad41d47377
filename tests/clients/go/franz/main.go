// Command franz walks through what users of franz-go (kgo and kadm) do first: `franz WALK`.
package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tidelog-tests/check"
)

func main() {
	check.Main(map[string]func(context.Context){
		"topics":    comingTopics,
		"messages":  messages,
		"positions": positions,
		"groups":    groups,
		"admin":     admin,
	})
}

func newClient(options ...kgo.Opt) *kgo.Client {
	known := []kgo.Opt{kgo.SeedBrokers(check.Bootstrap), kgo.MetadataMinAge(100 * time.Millisecond)}
	return check.Must(kgo.NewClient(append(known, options...)...))
}

func newAdmin() *kadm.Client {
	return kadm.NewClient(newClient())
}

// createTopic makes a topic with that many partitions, and returns its name.
func createTopic(ctx context.Context, name string, partitions int32) string {
	topic := check.Unique(name)
	admin := newAdmin()
	defer admin.Close()
	created := check.Must(admin.CreateTopic(ctx, partitions, 1, nil, topic))
	check.Equal(created.NumPartitions, partitions)
	return topic
}

// take is the next count records of a client that consumes.
func take(ctx context.Context, client *kgo.Client, count int) []*kgo.Record {
	var records []*kgo.Record
	for len(records) < count {
		fetches := client.PollRecords(ctx, count-len(records))
		check.OK(fetches.Err())
		records = append(records, fetches.Records()...)
	}
	return records
}

// readAll is the first count records of topic.
func readAll(ctx context.Context, topic string, count int) []*kgo.Record {
	client := newClient(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	return take(ctx, client, count)
}

func values(records []*kgo.Record) []string {
	values := make([]string, len(records))
	for n, record := range records {
		values[n] = string(record.Value)
	}
	return values
}
