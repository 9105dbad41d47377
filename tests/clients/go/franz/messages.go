package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"tidelog-tests/check"
)

// messages come back as they were sent: keys, values, headers, timestamps, in every codec and way of sending.
func messages(ctx context.Context) {
	asTheyWereSent(ctx)
	compressed(ctx)
	keyed(ctx)
	acknowledged(ctx)
	buffered(ctx)
	refused(ctx)
}

func asTheyWereSent(ctx context.Context) {
	topic := createTopic(ctx, "messages", 1)
	dated := func(n int) time.Time { return time.UnixMilli(1_700_000_000_000 + int64(n)) }
	sent := []*kgo.Record{
		{Key: []byte("k"), Value: []byte("plain")},
		{Value: []byte("no key")},
		{Key: []byte("gone")},
		{Key: []byte{}, Value: []byte{}},
		{Key: []byte{0, 255}, Value: []byte{1, 0, 254}},
		{Value: []byte("headers"), Headers: []kgo.RecordHeader{
			{Key: "one", Value: []byte("1")}, {Key: "one", Value: []byte("again")}, {Key: "none"}, {Key: "empty", Value: []byte{}},
		}},
		{Value: []byte(strings.Repeat("x", 900_000))},
	}
	client := newClient(kgo.DefaultProduceTopic(topic))
	defer client.Close()
	for n, record := range sent {
		record.Timestamp = dated(n)
	}
	check.OK(client.ProduceSync(ctx, sent...).FirstErr())

	for n, got := range readAll(ctx, topic, len(sent)) {
		check.Equal(got.Offset, int64(n))
		check.Equal(got.Key, sent[n].Key)
		check.Equal(got.Value, sent[n].Value)
		check.That(got.Timestamp.Equal(dated(n)), got.Timestamp)
		check.That(len(got.Headers) == len(sent[n].Headers), got.Headers)
		for h, header := range got.Headers {
			check.Equal(header, sent[n].Headers[h])
		}
	}
}

func compressed(ctx context.Context) {
	topic := createTopic(ctx, "codecs", 1)
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	var sent []string
	for name, codec := range codecs {
		client := newClient(kgo.ProducerBatchCompression(codec), kgo.DefaultProduceTopic(topic))
		var records []*kgo.Record
		for n := range 200 {
			value := fmt.Sprint(name, n, strings.Repeat(" compressible", 50))
			records = append(records, kgo.StringRecord(value))
			sent = append(sent, value)
		}
		check.OK(client.ProduceSync(ctx, records...).FirstErr())
		client.Close()
	}
	check.Equal(values(readAll(ctx, topic, len(sent))), sent)
}

// keyed records stay in one partition for each key, in their order.
func keyed(ctx context.Context) {
	topic := createTopic(ctx, "keyed", 4)
	client := newClient(kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	defer client.Close()
	for n := range 80 {
		client.Produce(ctx, kgo.KeyStringRecord(fmt.Sprint("key ", n%8), fmt.Sprint(n/8)), nil)
	}
	check.OK(client.Flush(ctx))
	partitions, seen := map[string]int32{}, map[string][]string{}
	for _, record := range readAll(ctx, topic, 80) {
		key := string(record.Key)
		if partition, known := partitions[key]; known {
			check.Equal(record.Partition, partition)
		}
		partitions[key] = record.Partition
		seen[key] = append(seen[key], string(record.Value))
	}
	for _, values := range seen {
		check.Equal(values, check.Numbers(10))
	}
}

func acknowledged(ctx context.Context) {
	topic := createTopic(ctx, "acks", 1)
	for n, acks := range []kgo.Acks{kgo.AllISRAcks(), kgo.LeaderAck(), kgo.NoAck()} {
		client := newClient(kgo.DefaultProduceTopic(topic), kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite())
		check.OK(client.ProduceSync(ctx, kgo.StringRecord(fmt.Sprint(n))).FirstErr())
		client.Close()
	}
	check.Equal(values(readAll(ctx, topic, 3)), check.Numbers(3))
}

// buffered records leave on Flush, several requests at a time, and stay in order: the client is idempotent by default.
func buffered(ctx context.Context) {
	topic := createTopic(ctx, "buffered", 1)
	client := newClient(kgo.DefaultProduceTopic(topic), kgo.ManualFlushing(), kgo.ProducerBatchMaxBytes(2000))
	defer client.Close()
	var offsets []int64
	for n := range 1000 {
		client.Produce(ctx, kgo.StringRecord(fmt.Sprint(n)), func(record *kgo.Record, err error) {
			check.OK(err)
			offsets = append(offsets, record.Offset)
		})
	}
	check.Equal(client.BufferedProduceRecords(), int64(1000))
	check.OK(client.Flush(ctx))
	check.That(len(offsets) == 1000 && offsets[0] == 0 && offsets[999] == 999, offsets)
	id, epoch, err := client.ProducerID(ctx)
	check.That(err == nil && id >= 0 && epoch == 0, id, epoch, err)
	check.Equal(values(readAll(ctx, topic, 1000)), check.Numbers(1000))
}

func refused(ctx context.Context) {
	topic := createTopic(ctx, "refused", 1)
	client := newClient(kgo.ProducerBatchMaxBytes(3<<20), kgo.UnknownTopicRetries(0), kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer client.Close()
	send := func(topic string, bytes int) error {
		record := &kgo.Record{Topic: topic, Value: make([]byte, bytes)}
		return client.ProduceSync(ctx, record).FirstErr()
	}
	check.That(errors.Is(send(topic, 2<<20), kerr.MessageTooLarge))
	check.That(errors.Is(send(check.Unique("missing"), 1), kerr.UnknownTopicOrPartition))
	check.That(errors.Is(send("no spaces", 1), kerr.InvalidTopicException))
	check.OK(send(topic, 1))

	made := newClient(kgo.AllowAutoTopicCreation())
	defer made.Close()
	check.OK(made.ProduceSync(ctx, &kgo.Record{Topic: check.Unique("made"), Value: []byte("first")}).FirstErr())
}
