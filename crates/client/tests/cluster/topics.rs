//! Topics, offsets, the cluster.

use std::collections::BTreeMap;

use client::{ClientError, NewTopic, OffsetAt, ProducerOptions, Record, Resource, SettingChange, SettingSource};
use model::ErrorCode;

use crate::support::{TestBroker, create, producer, value};

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_can_be_used_as_soon_as_it_is_made_and_is_gone_once_deleted() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    let new = NewTopic { name: "orders".to_owned(), partitions: Some(3), ..NewTopic::default() };
    assert_eq!(client.create_topic(&new).await, Ok((3, 1)));
    let topic = client.topic("orders").await.unwrap();
    assert!(topic.partitions.iter().all(|partition| partition.leader.is_some()));
    assert_eq!(client.topics().await.unwrap(), [topic]);

    client.delete_topic("orders").await.unwrap();
    assert!(client.topics().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_refuses_is_said_in_its_words() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    create(&client, "orders", 1, &[]).await;
    let refused = async |name: &str, settings: &[(&str, &str)]| {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        client.create_topic(&NewTopic { name: name.to_owned(), settings, ..NewTopic::default() }).await.unwrap_err()
    };
    assert_eq!(refused("orders", &[]).await.code(), Some(ErrorCode::TopicAlreadyExists));
    assert!(refused("a b", &[]).await.to_string().contains("'a b' contains"));
    let unknown = refused("x", &[("retention.mss", "1")]).await.to_string();
    assert!(unknown.contains("retention.mss"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_topic_is_answered_with_the_nearest_name() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    create(&client, "orders", 1, &[]).await;
    let unknown = |topic: &str, nearest: Option<&str>| ClientError::UnknownTopic {
        topic: topic.to_owned(),
        nearest: nearest.map(str::to_owned),
    };
    assert_eq!(client.topic("ordesr").await.unwrap_err(), unknown("ordesr", Some("orders")));
    assert_eq!(client.delete_topic("shipments").await.unwrap_err(), unknown("shipments", None));
    assert_eq!(client.topics().await.unwrap().len(), 1, "asking does not create");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_made_by_naming_it_if_the_broker_allows() {
    let broker = TestBroker::with(&["num.partitions=2"], None).await;
    assert_eq!(broker.client().topic_or_create("greetings").await.unwrap().partitions.len(), 2);

    let strict = TestBroker::with(&["auto.create.topics.enable=false"], None).await;
    let refused = strict.client().topic_or_create("greetings").await.unwrap_err();
    assert!(matches!(refused, ClientError::UnknownTopic { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_are_found_by_place_and_by_time() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    let topic = create(&client, "t", 2, &[]).await;
    let mut producer = producer(&client, &topic, ProducerOptions::default()).await;
    let now_ms = 1_700_000_000_000;
    for place in 0..10 {
        let record = Record { partition: Some(1), timestamp: Some(now_ms + 1000 * place), ..value("x") };
        producer.send(record).await.unwrap();
    }
    producer.flush().await.unwrap();

    let find = async |at| {
        let found = client.list_offsets(&topic, &[0, 1], at).await.unwrap();
        found.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(find(OffsetAt::Start).await, [(0, 0), (1, 0)]);
    assert_eq!(find(OffsetAt::End).await, [(0, 0), (1, 10)]);
    assert_eq!(find(OffsetAt::Timestamp(now_ms + 3500)).await, [(1, 4)], "an empty partition has no such record");
    assert_eq!(find(OffsetAt::Timestamp(now_ms + 9500)).await, [], "nothing is so young");
    let nowhere = client.list_offsets(&topic, &[2], OffsetAt::End).await.unwrap_err();
    assert_eq!(nowhere.to_string(), "t has no partition 2: it has 2, 0 to 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topics_settings_say_where_they_come_from() {
    let broker = TestBroker::with(&["log.segment.bytes=2000000"], None).await;
    let client = broker.client();
    create(&client, "t", 1, &[("retention.ms", "1000")]).await;
    let settings = client.settings(&Resource::Topic("t".to_owned())).await.unwrap();
    let find = |name: &str| {
        let setting = settings.iter().find(|setting| setting.name == name).unwrap();
        (setting.value.as_deref().unwrap(), setting.source)
    };
    assert_eq!(find("retention.ms"), ("1000", SettingSource::Topic));
    assert_eq!(find("segment.bytes"), ("2000000", SettingSource::Start));
    assert_eq!(find("min.insync.replicas"), ("1", SettingSource::Default));
    let unknown = client.settings(&Resource::Topic("x".to_owned())).await.unwrap_err();
    assert!(matches!(unknown, ClientError::UnknownTopic { .. }), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_change_while_the_broker_runs() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    create(&client, "t", 1, &[]).await;
    let me = model::BrokerId(1);
    let change =
        |name: &str, value: Option<&str>| [SettingChange { name: name.to_owned(), value: value.map(str::to_owned) }];
    let now = async |resource: &Resource, name: &str| {
        let settings = client.settings(resource).await.unwrap();
        let found = settings.into_iter().find(|setting| setting.name == name);
        found.map(|setting| (setting.value.unwrap_or_default(), setting.source))
    };
    for (resource, name, value, source) in [
        (Resource::Topic("t".to_owned()), "retention.ms", "1000", SettingSource::Topic),
        (Resource::AllBrokers, "log.retention.ms", "2000", SettingSource::AllBrokers),
        (Resource::Broker(me), "log.retention.ms", "3000", SettingSource::Broker),
        (Resource::ClientMetrics("m".to_owned()), "interval.ms", "1000", SettingSource::ClientMetrics),
    ] {
        let before = now(&resource, name).await;
        client.change_settings(&resource, &change(name, Some(value)), true).await.unwrap();
        assert_eq!(now(&resource, name).await, before, "{resource}: a check changes nothing");
        client.change_settings(&resource, &change(name, Some(value)), false).await.unwrap();
        assert_eq!(now(&resource, name).await, Some((value.to_owned(), source)), "{resource}");
        client.change_settings(&resource, &change(name, None), false).await.unwrap();
        assert_eq!(now(&resource, name).await, before, "{resource}");
    }
    let refused = client.change_settings(&Resource::Broker(me), &change("num.partitions", Some("x")), false).await;
    assert!(refused.unwrap_err().to_string().contains("num.partitions"));
    let nobody = client.settings(&Resource::Broker(model::BrokerId(7))).await.unwrap_err();
    assert_eq!(nobody.to_string(), "there is no broker 7, but 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_added_and_records_deleted() {
    let broker = TestBroker::start().await;
    let client = broker.client();
    let topic = create(&client, "t", 1, &[]).await;
    let mut producer = producer(&client, &topic, ProducerOptions::default()).await;
    for place in 0..10 {
        producer.send(value(&place.to_string())).await.unwrap();
    }
    producer.flush().await.unwrap();
    client.add_partitions("t", 3).await.unwrap();
    let fewer = client.add_partitions("t", 2).await.unwrap_err();
    assert_eq!(fewer.code(), Some(ErrorCode::InvalidPartitions), "{fewer}");
    let topic = client.topic("t").await.unwrap();
    assert_eq!(topic.partitions.len(), 3);
    let starts = client.delete_records(&topic, &BTreeMap::from([(0, 4), (2, 0)])).await.unwrap();
    assert_eq!(starts, BTreeMap::from([(0, 4), (2, 0)]));
    let behind = client.delete_records(&topic, &BTreeMap::from([(0, 11)])).await.unwrap_err();
    assert_eq!(behind.code(), Some(ErrorCode::OffsetOutOfRange));
    let found = client.list_offsets(&topic, &[0], OffsetAt::Start).await.unwrap();
    assert_eq!(found[&0], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_says_who_it_is_and_where_its_brokers_are() {
    let broker = TestBroker::start().await;
    let cluster = broker.client().describe_cluster().await.unwrap();
    assert_eq!(cluster.id.len(), 22, "{cluster:?}");
    assert_eq!(cluster.controller, Some(model::BrokerId(1)));
    let addresses: Vec<_> = cluster.brokers.iter().map(|broker| broker.address.clone()).collect();
    assert_eq!(addresses, std::slice::from_ref(&broker.address));
    assert!(cluster.features.iter().any(|feature| feature.name == "metadata.version"), "{cluster:?}");
}
