//! What was sent is in the log: once, in order, where it belongs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use client::{Acks, OnWritten, ProducerOptions, Record, partition_for_key};
use record::{Compression, Header};

use crate::support::{Seen, TestBroker, create, producer, read, value, values};

#[tokio::test(flavor = "multi_thread")]
async fn records_come_back_as_they_were_sent_in_every_codec() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    for compression in Compression::ALL {
        let topic = create(&client, compression.name(), 1, &[]).await;
        let mut producer = producer(&client, &topic, ProducerOptions { compression, ..Default::default() }).await;
        let headers = [Header { key: b"a", value: Some(b"1") }, Header { key: b"a", value: None }];
        let record =
            Record { key: Some(b"k"), timestamp: Some(1_700_000_000_000), headers: &headers, ..value("first") };
        producer.send(record).await.unwrap();
        producer.send(value("second")).await.unwrap();
        let written = producer.flush().await.unwrap();
        assert_eq!((written.records, written.last), (2, Some((0, 1))));

        let seen = read(&client, &topic, BTreeMap::from([(0, 0)]), 2).await.remove(&0).unwrap();
        let first = Seen {
            offset: 0,
            timestamp: 1_700_000_000_000,
            key: Some("k".to_owned()),
            value: "first".to_owned(),
            headers: vec![("a".to_owned(), Some("1".to_owned())), ("a".to_owned(), None)],
        };
        assert_eq!(seen[0], first, "{compression}");
        assert_eq!((seen[1].offset, seen[1].value.as_str()), (1, "second"));
        assert!(seen[1].timestamp > first.timestamp, "a record without a time gets the present one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_arrives_whole_and_in_the_order_of_each_key() {
    const RECORDS: usize = 50_000;
    let broker = TestBroker::start().await;
    let client = broker.client();
    let topic = create(&client, "flood", 3, &[]).await;
    let options = ProducerOptions { batch_bytes: 20_000, buffer_bytes: 200_000, ..ProducerOptions::default() };
    let mut producer = producer(&client, &topic, options).await;
    for place in 0..RECORDS {
        let (key, text) = ((place % 17).to_string(), place.to_string());
        producer.send(Record { key: Some(key.as_bytes()), ..value(&text) }).await.unwrap();
    }
    assert_eq!(producer.flush().await.unwrap().records, RECORDS as u64);

    let starts = BTreeMap::from([(0, 0), (1, 0), (2, 0)]);
    let seen = read(&client, &topic, starts, RECORDS).await;
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (partition, records) in seen {
        for (offset, record) in records.into_iter().enumerate() {
            assert_eq!(record.offset, offset as i64);
            let key = record.key.unwrap();
            assert_eq!(partition_for_key(key.as_bytes(), 3), partition);
            places.entry(key).or_default().push(record.value.parse().unwrap());
        }
    }
    for (key, places) in places {
        let expected: Vec<usize> = (key.parse().unwrap()..RECORDS).step_by(17).collect();
        assert!(places == expected, "key {key} is out of order");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_without_keys_take_the_partitions_in_turn() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    let topic = create(&client, "t", 3, &[]).await;
    let options = ProducerOptions { first_partition: 5, ..ProducerOptions::default() };
    let mut producer = producer(&client, &topic, options).await;
    let mut partitions = Vec::new();
    for _ in 0..4 {
        producer.send(value("x")).await.unwrap();
        partitions.push(producer.flush().await.unwrap().last.unwrap().0);
    }
    assert_eq!(partitions, [2, 0, 1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_too_large_for_the_topic_goes_in_smaller_ones() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    let topic = create(&client, "t", 1, &[("max.message.bytes", "2000")]).await;
    let mut producer = producer(&client, &topic, ProducerOptions::default()).await;
    let sent: Vec<String> = (0..500).map(|place| format!("{place:0100}")).collect();
    for text in &sent {
        producer.send(value(text)).await.unwrap();
    }
    producer.flush().await.unwrap();
    assert_eq!(values(&client, &topic, sent.len()).await, sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_too_large_is_refused_and_those_before_it_are_kept() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    let topic = create(&client, "t", 1, &[("max.message.bytes", "2000")]).await;
    let mut producer = producer(&client, &topic, ProducerOptions::default()).await;
    producer.send(value("small")).await.unwrap();
    producer.flush().await.unwrap();
    producer.send(value(&"x".repeat(3000))).await.unwrap();
    let refused = producer.flush().await.unwrap_err().to_string();
    assert!(refused.starts_with("producing to t-0 failed: ") && refused.contains("max.message.bytes"), "{refused}");
    assert_eq!(producer.written().records, 1);
    assert_eq!(producer.send(value("later")).await.unwrap_err().to_string(), refused, "nothing goes behind it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_is_not_there_is_refused_at_once() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    let topic = create(&client, "t", 3, &[]).await;
    let mut producer = producer(&client, &topic, ProducerOptions::default()).await;
    for partition in [-1, 3] {
        let refused = producer.send(Record { partition: Some(partition), ..value("x") }).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("t has no partition {partition}: it has 3, 0 to 2"));
    }
    assert_eq!(producer.flush().await.unwrap().records, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_written_whoever_has_to_have_them() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    for (name, acks) in [("none", Acks::None), ("leader", Acks::Leader), ("all", Acks::All)] {
        let topic = create(&client, name, 1, &[]).await;
        let told = Arc::new(AtomicU32::new(0));
        let count = told.clone();
        let on_written: OnWritten = Arc::new(move |_, records| {
            count.fetch_add(records, Ordering::Relaxed);
        });
        let options = ProducerOptions { acks, on_written: Some(on_written), ..ProducerOptions::default() };
        let mut producer = producer(&client, &topic, options).await;
        for place in 0..100 {
            producer.send(value(&place.to_string())).await.unwrap();
        }
        let written = producer.flush().await.unwrap();
        assert_eq!((written.records, told.load(Ordering::Relaxed)), (100, 100), "{acks:?}");
        assert_eq!(written.last.is_some(), acks != Acks::None, "{acks:?}");
        let expected: Vec<String> = (0..100).map(|place| place.to_string()).collect();
        assert_eq!(values(&client, &topic, 100).await, expected, "{acks:?}");
    }
}
