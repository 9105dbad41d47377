//! The consumer without a group: positions, offsets by time, watermarks, the end of a partition.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::BaseRecord;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Message, Offset};
use support::librdkafka::{acknowledged, create_topic, producer, reader, take, text};
use support::{LIMIT, TestBroker, unique};

/// A topic with one message for each timestamp.
fn dated(broker: &TestBroker, timestamps: impl IntoIterator<Item = i64>) -> String {
    let topic = unique("dated");
    create_topic(&broker.address(), &topic, 1, &[]);
    let producer = producer(&broker.address(), &[("batch.num.messages", "3")]);
    for timestamp in timestamps {
        producer.send(BaseRecord::<(), _>::to(&topic).timestamp(timestamp).payload(&timestamp.to_string())).unwrap();
    }
    acknowledged(&producer);
    topic
}

#[test]
fn offsets_are_found_by_time() {
    let broker = TestBroker::new();
    let topic = dated(&broker, (0..100).map(|n| 1_000 + n * 10));
    let consumer = reader(&broker.address(), &topic, 0, Offset::Beginning, &[]);
    let offset_at = |timestamp| {
        let mut wanted = rdkafka::TopicPartitionList::new();
        wanted.add_partition_offset(&topic, 0, Offset::Offset(timestamp)).unwrap();
        consumer.offsets_for_times(wanted, LIMIT).unwrap().elements()[0].offset()
    };
    assert_eq!(offset_at(0), Offset::Offset(0));
    assert_eq!(offset_at(1_500), Offset::Offset(50));
    assert_eq!(offset_at(1_501), Offset::Offset(51));
    assert_eq!(offset_at(1_990), Offset::Offset(99));
    assert_eq!(offset_at(1_991), Offset::End);
    assert_eq!(consumer.fetch_watermarks(&topic, 0, LIMIT).unwrap(), (0, 100));
}

#[test]
fn a_consumer_starts_where_it_is_told() {
    let broker = TestBroker::new();
    let topic = dated(&broker, 0..20);
    let first = |offset| text(&take(&reader(&broker.address(), &topic, 0, offset, &[]), 1)[0]).to_owned();
    assert_eq!(first(Offset::Beginning), "0");
    assert_eq!(first(Offset::Offset(7)), "7");
    assert_eq!(first(Offset::OffsetTail(3)), "17");

    let consumer = reader(&broker.address(), &topic, 0, Offset::Offset(15), &[]);
    assert_eq!(text(&take(&consumer, 5)[4]), "19");
    consumer.seek(&topic, 0, Offset::Offset(2), LIMIT).unwrap();
    assert_eq!(text(&take(&consumer, 1)[0]), "2");
}

#[test]
fn an_offset_out_of_range_is_reported_or_reset_as_the_consumer_asks() {
    let broker = TestBroker::new();
    let topic = dated(&broker, 0..5);
    let beyond = |policy| reader(&broker.address(), &topic, 0, Offset::Offset(1_000), &[("auto.offset.reset", policy)]);
    assert_eq!(text(&take(&beyond("earliest"), 1)[0]), "0");

    assert_eq!(next_error(&beyond("error")), KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset));
}

#[test]
fn the_end_of_a_partition_is_told() {
    let broker = TestBroker::new();
    let topic = dated(&broker, 0..5);
    let consumer = reader(&broker.address(), &topic, 0, Offset::Beginning, &[("enable.partition.eof", "true")]);
    take(&consumer, 5);
    assert_eq!(next_error(&consumer), KafkaError::PartitionEOF(0));
}

/// The fetch waits up to a minute for more: only a broker that answers it upon the next append passes.
#[test]
fn a_waiting_fetch_is_answered_when_something_is_appended() {
    let broker = TestBroker::new();
    let topic = dated(&broker, 0..5);
    let settings = [("fetch.wait.max.ms", "60000"), ("socket.timeout.ms", "90000")];
    let consumer = reader(&broker.address(), &topic, 0, Offset::Beginning, &settings);
    take(&consumer, 5);
    let begun = Instant::now();
    for n in 5..10 {
        let producer = producer(&broker.address(), &[]);
        producer.send(BaseRecord::<(), _>::to(&topic).payload(&n.to_string())).unwrap();
        acknowledged(&producer);
        assert_eq!(text(&take(&consumer, 1)[0]), n.to_string());
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

/// The error that the consumer reports next, with no message before it.
fn next_error(consumer: &BaseConsumer) -> KafkaError {
    let deadline = Instant::now() + LIMIT;
    loop {
        assert!(Instant::now() < deadline, "no error");
        if let Some(answer) = consumer.poll(Duration::from_millis(100)) {
            return answer.map(|message| message.offset()).unwrap_err();
        }
    }
}
