//! The producer: codecs, idempotence, sizes, acks, headers and timestamps.

use rdkafka::Message;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers, OwnedHeaders};
use rdkafka::producer::BaseRecord;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, Timestamp};
use support::librdkafka::{acknowledged, create_topic, flush, producer, reader, take, text, try_create_topic};
use support::{TestBroker, unique};

#[test]
fn librdkafka_reads_what_it_compressed_with_each_codec() {
    let broker = TestBroker::new();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let topic = unique(codec);
        create_topic(&broker.address(), &topic, 1, &[]);
        let producer = producer(&broker.address(), &[("compression.type", codec), ("linger.ms", "50")]);
        let values: Vec<String> = (0..500).map(|n| format!("{codec} {n} {}", "compressible ".repeat(20))).collect();
        for value in &values {
            producer.send(BaseRecord::to(&topic).key(codec).payload(value)).unwrap();
        }
        acknowledged(&producer);

        let read =
            take(&reader(&broker.address(), &topic, 0, Offset::Beginning, &[("check.crcs", "true")]), values.len());
        assert_eq!(read.iter().map(text).collect::<Vec<_>>(), values);
        assert!(read.iter().map(Message::offset).eq(0..500));
    }
}

#[test]
fn the_idempotent_producer_keeps_its_order_with_many_batches_in_flight() {
    let broker = TestBroker::new();
    let topic = unique("idempotent");
    create_topic(&broker.address(), &topic, 2, &[]);
    let settings = [("enable.idempotence", "true"), ("batch.num.messages", "7"), ("linger.ms", "0")];
    let producer = producer(&broker.address(), &settings);
    for n in 0..10_000 {
        producer.send(BaseRecord::<(), _>::to(&topic).partition(n % 2).payload(&n.to_string())).unwrap();
    }
    for message in acknowledged(&producer) {
        assert_eq!(text(&message).parse(), Ok(message.offset() * 2 + i64::from(message.partition())));
    }
    for partition in 0..2 {
        let read = take(&reader(&broker.address(), &topic, partition, Offset::Beginning, &[]), 5_000);
        let expected = (0..5_000).map(|n| (n * 2 + partition).to_string());
        assert!(read.iter().map(text).eq(expected), "partition {partition}");
    }
}

#[test]
fn a_message_larger_than_the_topic_allows_is_refused_and_a_large_topic_takes_it() {
    let broker = TestBroker::new();
    let (small, large) = (unique("small"), unique("large"));
    create_topic(&broker.address(), &small, 1, &[]);
    create_topic(&broker.address(), &large, 1, &[("max.message.bytes", "6000000")]);
    let producer = producer(&broker.address(), &[("message.max.bytes", "10000000")]);
    let value = "large ".repeat(900_000);

    producer.send(BaseRecord::<(), _>::to(&small).payload(&value)).unwrap();
    let (error, _) = flush(&producer).pop().unwrap().unwrap_err();
    assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge));

    producer.send(BaseRecord::<(), _>::to(&large).payload(&value)).unwrap();
    assert_eq!(acknowledged(&producer)[0].offset(), 0);
    // A fetch returns one whole batch even above the consumer's limits.
    let limits =
        [("max.partition.fetch.bytes", "1000"), ("fetch.max.bytes", "6000000"), ("message.max.bytes", "10000")];
    let read = take(&reader(&broker.address(), &large, 0, Offset::Beginning, &limits), 1);
    assert_eq!(text(&read[0]), value);
}

#[test]
fn sends_are_stored_with_each_acks() {
    let broker = TestBroker::new();
    let topic = unique("acks");
    create_topic(&broker.address(), &topic, 1, &[]);
    for acks in ["all", "1", "0"] {
        let producer = producer(&broker.address(), &[("acks", acks)]);
        for n in 0..10 {
            producer.send(BaseRecord::<(), _>::to(&topic).payload(&format!("{acks} {n}"))).unwrap();
        }
        acknowledged(&producer);
        // Without acks the client counts as delivered what it has only written to its socket: read it back first.
        let base = ["all", "1", "0"].iter().position(|other| *other == acks).unwrap() * 10;
        let from = Offset::Offset(i64::try_from(base).unwrap());
        let read = take(&reader(&broker.address(), &topic, 0, from, &[]), 10);
        assert!(read.iter().map(text).eq((0..10).map(|n| format!("{acks} {n}"))));
    }
}

#[test]
fn headers_keep_their_order_their_duplicates_and_their_nulls() {
    let broker = TestBroker::new();
    let topic = unique("headers");
    create_topic(&broker.address(), &topic, 1, &[]);
    let producer = producer(&broker.address(), &[]);
    let expected = [("b", Some("1")), ("a", Some("")), ("b", Some("2")), ("none", None)];
    let headers = expected
        .iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: *value }));
    producer.send(BaseRecord::<(), ()>::to(&topic).headers(headers)).unwrap();
    acknowledged(&producer);

    let read = take(&reader(&broker.address(), &topic, 0, Offset::Beginning, &[]), 1);
    assert_eq!((read[0].key(), read[0].payload()), (None, None));
    let headers = read[0].headers().unwrap();
    let found: Vec<_> = headers.iter().map(|header| (header.key, header.value)).collect();
    assert_eq!(found, expected.map(|(key, value)| (key, value.map(str::as_bytes))));
}

#[test]
fn timestamps_are_the_producers_or_the_brokers_as_the_topic_says() {
    let broker = TestBroker::new();
    let (created, appended) = (unique("created"), unique("appended"));
    create_topic(&broker.address(), &created, 1, &[]);
    create_topic(&broker.address(), &appended, 1, &[("message.timestamp.type", "LogAppendTime")]);
    let producer = producer(&broker.address(), &[("compression.type", "lz4")]);
    for topic in [&created, &appended] {
        for n in 0..3 {
            producer.send(BaseRecord::<(), _>::to(topic).timestamp(1_000 + n).payload("dated")).unwrap();
        }
    }
    let before = acknowledged(&producer).len();
    assert_eq!(before, 6);

    let stamps = |topic: &str| -> Vec<Timestamp> {
        let read = take(&reader(&broker.address(), topic, 0, Offset::Beginning, &[("check.crcs", "true")]), 3);
        read.iter().map(Message::timestamp).collect()
    };
    assert_eq!(stamps(&created), [1_000, 1_001, 1_002].map(Timestamp::CreateTime));
    for stamp in stamps(&appended) {
        assert!(matches!(stamp, Timestamp::LogAppendTime(millis) if millis > 1_700_000_000_000), "{stamp:?}");
    }
}

#[test]
fn a_timestamp_too_far_ahead_is_refused() {
    let broker = TestBroker::new();
    let topic = unique("ahead");
    create_topic(&broker.address(), &topic, 1, &[]);
    let producer = producer(&broker.address(), &[]);
    producer.send(BaseRecord::<(), _>::to(&topic).timestamp(i64::MAX / 2).payload("one day")).unwrap();
    let (error, _) = flush(&producer).pop().unwrap().unwrap_err();
    assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::InvalidTimestamp));
}

#[test]
fn a_topic_with_a_wrong_name_count_or_setting_is_refused_with_kafkas_error() {
    let broker = TestBroker::new();
    let refused = |topic: &str, partitions, settings: &[(&str, &str)]| {
        try_create_topic(&broker.address(), topic, partitions, settings).unwrap_err()
    };
    let topic = unique("wrong");
    assert_eq!(refused("no spaces", 1, &[]), RDKafkaErrorCode::InvalidTopic);
    assert_eq!(refused(".", 1, &[]), RDKafkaErrorCode::InvalidTopic);
    assert_eq!(refused(&topic, 1, &[("cleanup.policy", "shred")]), RDKafkaErrorCode::InvalidConfig);
    assert_eq!(refused(&topic, 1, &[("segment.bytes", "1000")]), RDKafkaErrorCode::InvalidConfig);
    create_topic(&broker.address(), &topic, 1, &[]);
    assert_eq!(refused(&topic, 1, &[]), RDKafkaErrorCode::TopicAlreadyExists);
    // `.` and `_` are one in the names of metrics.
    let (dotted, underlined) = (format!("{topic}.x_y"), format!("{topic}_x.y"));
    create_topic(&broker.address(), &dotted, 1, &[]);
    assert_eq!(refused(&underlined, 1, &[]), RDKafkaErrorCode::InvalidTopic);
}
