package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"

	"tidelog-tests/check"
)

// messages come back as they were sent: keys, values, headers, timestamps, in every codec and way of sending.
func messages(ctx context.Context) {
	for _, version := range []sarama.KafkaVersion{sarama.DefaultVersion, sarama.MaxVersion} {
		asTheyWereSent(ctx, version)
	}
	compressed(ctx)
	acknowledged(ctx)
	inBatches(ctx)
	refused()
}

func asTheyWereSent(ctx context.Context, version sarama.KafkaVersion) {
	topic := createTopic("messages", 1)
	dated := func(n int) time.Time { return time.UnixMilli(1_700_000_000_000 + int64(n)) }
	sent := []*sarama.ProducerMessage{
		{Key: sarama.StringEncoder("k"), Value: sarama.StringEncoder("plain")},
		{Value: sarama.StringEncoder("no key")},
		{Key: sarama.StringEncoder("gone")},
		{Key: sarama.StringEncoder(""), Value: sarama.StringEncoder("")},
		{Key: sarama.ByteEncoder{0, 255}, Value: sarama.ByteEncoder{1, 0, 254}},
		{Value: sarama.StringEncoder("headers"), Headers: []sarama.RecordHeader{
			{Key: []byte("one"), Value: []byte("1")}, {Key: []byte("one"), Value: []byte("again")}, {Key: []byte("empty"), Value: []byte{}},
		}},
		{Value: sarama.StringEncoder(strings.Repeat("x", 900_000))},
	}
	config := newConfig()
	config.Version = version
	producer := newProducer(config)
	defer closeIt(producer)
	for n, message := range sent {
		message.Topic, message.Timestamp = topic, dated(n)
		partition, offset, err := producer.SendMessage(message)
		check.OK(err)
		check.Equal([]int64{int64(partition), offset}, []int64{0, int64(n)})
	}

	bytes := func(encoder sarama.Encoder) []byte {
		if encoder == nil {
			return nil
		}
		return check.Must(encoder.Encode())
	}
	for n, got := range readAll(ctx, topic, len(sent)) {
		check.Equal(got.Offset, int64(n))
		check.Equal(got.Key, bytes(sent[n].Key))
		check.Equal(got.Value, bytes(sent[n].Value))
		check.That(got.Timestamp.Equal(dated(n)), got.Timestamp)
		check.That(len(got.Headers) == len(sent[n].Headers), got.Headers)
		for h, header := range got.Headers {
			check.Equal(*header, sent[n].Headers[h])
		}
	}
}

func compressed(ctx context.Context) {
	topic := createTopic("codecs", 1)
	var sent []string
	for _, codec := range []sarama.CompressionCodec{
		sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD,
	} {
		config := newConfig()
		config.Producer.Compression = codec
		var batch []*sarama.ProducerMessage
		for n := range 200 {
			value := fmt.Sprint(codec, n, strings.Repeat(" compressible", 50))
			batch = append(batch, &sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(value)})
			sent = append(sent, value)
		}
		producer := newProducer(config)
		check.OK(producer.SendMessages(batch))
		closeIt(producer)
	}
	check.Equal(values(readAll(ctx, topic, len(sent))), sent)
}

func acknowledged(ctx context.Context) {
	topic := createTopic("acks", 1)
	for n, acks := range []sarama.RequiredAcks{sarama.WaitForAll, sarama.WaitForLocal, sarama.NoResponse} {
		config := newConfig()
		config.Producer.RequiredAcks = acks
		producer := newProducer(config)
		_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(fmt.Sprint(n))})
		check.OK(err)
		closeIt(producer)
	}
	check.Equal(values(readAll(ctx, topic, 3)), check.Numbers(3))
}

// inBatches of an asynchronous, idempotent producer: in order, each once, one key in one partition.
func inBatches(ctx context.Context) {
	const count = 1000
	topic := createTopic("batches", 1)
	config := newConfig()
	config.Producer.Idempotent = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Net.MaxOpenRequests = 1 // what sarama demands of an idempotent producer
	config.Producer.Flush.MaxMessages = 50
	producer := check.Must(sarama.NewAsyncProducer(brokers, config))
	go func() {
		for _, value := range check.Numbers(count) {
			producer.Input() <- &sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder("key"), Value: sarama.StringEncoder(value)}
		}
	}()
	for n := range int64(count) {
		select {
		case success := <-producer.Successes():
			check.Equal(success.Offset, n)
		case failure := <-producer.Errors():
			check.OK(failure)
		case <-ctx.Done():
			check.OK(ctx.Err())
		}
	}
	closeIt(producer)
	check.Equal(values(readAll(ctx, topic, count)), check.Numbers(count))
}

func refused() {
	topic := createTopic("refused", 1)
	config := newConfig()
	config.Producer.MaxMessageBytes = 3 << 20
	config.Metadata.Retry.Max = 0
	producer := newProducer(config)
	defer closeIt(producer)
	send := func(topic string, bytes int) error {
		_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.ByteEncoder(make([]byte, bytes))})
		return err
	}
	check.That(errors.Is(send(topic, 2<<20), sarama.ErrMessageSizeTooLarge))
	check.That(errors.Is(send(check.Unique("missing"), 1), sarama.ErrUnknownTopicOrPartition))
	check.That(errors.Is(send("no spaces", 1), sarama.ErrInvalidTopic))
	check.OK(send(topic, 1))

	config = newConfig()
	config.Metadata.AllowAutoTopicCreation = true
	making := newProducer(config)
	defer closeIt(making)
	_, _, err := making.SendMessage(&sarama.ProducerMessage{Topic: check.Unique("made"), Value: sarama.StringEncoder("first")})
	check.OK(err)
}
