//! Reading from any place on, and waiting for more.

use std::collections::BTreeMap;

use client::{ClientError, ProducerOptions, Reader, ReaderOptions, Readers, Record};

use crate::support::{TestBroker, create, producer, read, value};

#[tokio::test(flavor = "multi_thread")]
async fn reading_begins_at_the_offset_also_inside_a_batch() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    let topic = create(&client, "t", 1, &[]).await;
    let mut producer = producer(&client, &topic, ProducerOptions::default()).await;
    for place in 0..10 {
        producer.send(value(&place.to_string())).await.unwrap();
    }
    producer.flush().await.unwrap();
    let seen = read(&client, &topic, BTreeMap::from([(0, 7)]), 3).await.remove(&0).unwrap();
    let values: Vec<_> = seen.iter().map(|record| record.value.as_str()).collect();
    assert_eq!(values, ["7", "8", "9"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_at_the_end_gets_what_comes_next() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    let topic = create(&client, "t", 1, &[]).await;
    let mut producer = producer(&client, &topic, ProducerOptions::default()).await;
    let mut reader = Reader::new(client.clone(), topic.clone(), BTreeMap::from([(0, 0)]), ReaderOptions::default());
    assert!(reader.next().await.unwrap().is_empty(), "nothing is there yet");
    producer.send(value("hello")).await.unwrap();
    let written = producer.flush().await.unwrap();
    assert_eq!(written.records, 1);
    let mut positions = BTreeMap::new();
    while reader.positions()[&0] < 1 {
        for fetched in reader.next().await.unwrap() {
            positions.insert(fetched.partition(), (fetched.next_offset(), fetched.high_watermark()));
        }
    }
    assert_eq!(positions, BTreeMap::from([(0, (1, 1))]));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_partition_starves_behind_another() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    let topic = create(&client, "t", 3, &[]).await;
    let options = ProducerOptions { batch_bytes: 10_000, ..ProducerOptions::default() };
    let mut producer = producer(&client, &topic, options).await;
    let text = "x".repeat(1000);
    for place in 0..300 {
        producer.send(Record { partition: Some(place % 3), ..value(&text) }).await.unwrap();
    }
    producer.flush().await.unwrap();

    // Each answer has room for one batch.
    let options = ReaderOptions { max_bytes: 15_000, partition_max_bytes: 15_000, ..ReaderOptions::default() };
    let starts = BTreeMap::from([(0, 0), (1, 0), (2, 0)]);
    let mut reader = Reader::new(client, topic, starts, options);
    for _ in 0..6 {
        reader.next().await.unwrap();
    }
    let positions = reader.positions();
    assert!(positions.values().all(|position| (1..100).contains(position)), "{positions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_is_not_there_any_more_gives_way_to_the_first_record() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    let topic = create(&client, "t", 1, &[]).await;
    let mut producer = producer(&client, &topic, ProducerOptions::default()).await;
    producer.send(value("only")).await.unwrap();
    producer.flush().await.unwrap();
    let seen = read(&client, &topic, BTreeMap::from([(0, 99)]), 1).await.remove(&0).unwrap();
    assert_eq!(seen[0].offset, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_ends_when_the_topic_is_deleted() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    let topic = create(&client, "t", 1, &[]).await;
    let mut reader = Reader::new(client.clone(), topic, BTreeMap::from([(0, 0)]), ReaderOptions::default());
    reader.next().await.unwrap();
    client.delete_topic("t").await.unwrap();
    let gone = loop {
        if let Err(gone) = reader.next().await {
            break gone;
        }
    };
    assert!(matches!(gone, client::ClientError::UnknownTopic { .. }), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_topics_are_read_at_once() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    let mut topics = Vec::new();
    for name in ["a", "b", "empty"] {
        let topic = create(&client, name, 1, &[]).await;
        let mut producer = producer(&client, &topic, ProducerOptions::default()).await;
        if name != "empty" {
            producer.send(value(name)).await.unwrap();
        }
        producer.flush().await.unwrap();
        topics.push((topic, BTreeMap::from([(0, 0)])));
    }
    let mut readers = Readers::start(&client, topics, ReaderOptions::default());
    let mut seen = Vec::new();
    while seen.len() < 2 {
        for fetched in readers.next().await.unwrap() {
            seen.push((fetched.topic().to_owned(), fetched.next_offset()));
        }
    }
    seen.sort();
    assert_eq!(seen, [("a".to_owned(), 1), ("b".to_owned(), 1)]);
    client.delete_topic("empty").await.unwrap();
    let gone = readers.next().await.unwrap_err();
    assert!(matches!(gone, ClientError::UnknownTopic { .. }), "{gone}");
}
