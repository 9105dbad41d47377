//! CreateTopics (key 19).

use std::collections::BTreeMap;

use model::ErrorCode;
use uuid::Uuid;
use wire::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig};
use wire::messages::create_topics_response::CreatableTopicResult;
use wire::messages::{BrokerId, CreateTopicsRequest};

use crate::support::requests::{list_offsets, metadata, str_bytes, topic_name};
use crate::support::{Connection, Target, a_moment, error};

const NEWEST: i16 = 7;

fn wanted(name: &str, partitions: i32, replicas: i16) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(topic_name(name))
        .with_num_partitions(partitions)
        .with_replication_factor(replicas)
}

fn assigned(name: &str, partitions: &[(i32, &[i32])]) -> CreatableTopic {
    let rows = partitions.iter().map(|(index, brokers)| {
        let brokers = brokers.iter().map(|id| BrokerId(*id)).collect();
        CreatableReplicaAssignment::default().with_partition_index(*index).with_broker_ids(brokers)
    });
    wanted(name, -1, -1).with_assignments(rows.collect())
}

fn with_config(topic: CreatableTopic, key: &str, value: Option<&str>) -> CreatableTopic {
    let config = CreatableTopicConfig::default().with_name(str_bytes(key)).with_value(value.map(str_bytes));
    topic.with_configs(vec![config])
}

fn request(topics: Vec<CreatableTopic>) -> CreateTopicsRequest {
    CreateTopicsRequest::default().with_topics(topics).with_timeout_ms(30_000)
}

/// Creates one topic, and gives back the result.
async fn create(connection: &mut Connection, version: i16, topic: CreatableTopic) -> CreatableTopicResult {
    let mut response = connection.call(version, &request(vec![topic])).await;
    assert_eq!(response.topics.len(), 1);
    response.topics.remove(0)
}

pub(crate) async fn every_version_creates(target: Target) {
    let mut connection = target.connect().await;
    for version in 2..=NEWEST {
        let name = target.name(&format!("v{version}"));
        let created = connection.ask(version, &request(vec![wanted(&name, 2, 1)])).await.topics.remove(0);
        assert_eq!((error(created.error_code), &created.error_message), (ErrorCode::None, &None));
        assert_eq!((created.num_partitions, created.replication_factor), if version < 5 { (-1, -1) } else { (2, 1) });
        assert_eq!(created.topic_id != Uuid::nil(), version >= 7);
        while connection.ask(7, &list_offsets(&name, 1, -1)).await.topics[0].partitions[0].error_code != 0 {
            a_moment().await;
        }
    }
}

pub(crate) async fn minus_1_stands_for_the_defaults(target: Target) {
    let mut connection = target.connect().await;
    for version in [4, 5, NEWEST] {
        let name = target.name(&format!("v{version}"));
        let created = connection.ask(version, &request(vec![wanted(&name, -1, -1)])).await.topics.remove(0);
        assert_eq!(error(created.error_code), ErrorCode::None);
        if version >= 5 {
            assert_eq!((created.num_partitions, created.replication_factor), (1, 1));
        }
    }
}

pub(crate) async fn the_answer_tells_the_settings(target: Target) {
    let mut connection = target.connect().await;
    let topic = with_config(wanted(&target.name("a"), 1, 1), "retention.ms", Some("12345"));
    let created = connection.ask(NEWEST, &request(vec![topic])).await.topics.remove(0);
    let settings = created.configs.unwrap_or_default().into_iter();
    let mut settings: BTreeMap<String, String> = settings
        .map(|setting| {
            (setting.name.to_string(), format!("{:?} {} {}", setting.value, setting.config_source, setting.read_only))
        })
        .collect();
    assert_eq!(settings.remove("retention.ms").unwrap(), "Some(\"12345\") 1 false");
    // Kafka 4.4 sets the one at the level of the cluster; the other is bounded by Tidelog on purpose.
    settings.retain(|name, _| !matches!(&**name, "min.insync.replicas" | "max.decompressed.message.bytes"));
    for (name, setting) in &settings {
        target.transcript.note(format!("{name}: {setting}"));
    }
}

pub(crate) async fn a_topic_that_is_there_already_is_refused(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for version in [2, 5, NEWEST] {
        let refused = create(&mut connection, version, wanted(&topic.name, 1, 1)).await;
        assert_eq!(error(refused.error_code), ErrorCode::TopicAlreadyExists);
    }
}

pub(crate) async fn names_that_cannot_be_are_refused(target: Target) {
    let mut connection = target.connect().await;
    for name in ["", ".", "..", "a b", "a/b", "\u{e4}", &"x".repeat(250)] {
        let refused = create(&mut connection, NEWEST, wanted(name, 1, 1)).await;
        assert_eq!(error(refused.error_code), ErrorCode::InvalidTopicException, "{name:?}");
    }
}

pub(crate) async fn names_that_look_alike_in_metrics_are_refused(target: Target) {
    let mut connection = target.connect().await;
    let name = target.name("a.b");
    connection.ask(NEWEST, &request(vec![wanted(&name, 1, 1)])).await;
    let refused = create(&mut connection, NEWEST, wanted(&name.replace('.', "_"), 1, 1)).await;
    assert_eq!(error(refused.error_code), ErrorCode::InvalidTopicException);
}

pub(crate) async fn counts_that_cannot_be_are_refused(target: Target) {
    let mut connection = target.connect().await;
    let name = target.name("a");
    for (partitions, replicas, expected) in [
        (0, 1, ErrorCode::InvalidPartitions),
        (-2, 1, ErrorCode::InvalidPartitions),
        (1, 0, ErrorCode::InvalidReplicationFactor),
        (1, -2, ErrorCode::InvalidReplicationFactor),
        (1, 2, ErrorCode::InvalidReplicationFactor),
        (0, 0, ErrorCode::InvalidReplicationFactor),
        (20_000, 1, ErrorCode::PolicyViolation),
    ] {
        let refused = create(&mut connection, NEWEST, wanted(&name, partitions, replicas)).await;
        assert_eq!(error(refused.error_code), expected, "{partitions} x {replicas}");
    }
}

pub(crate) async fn assignments_by_hand_are_checked(target: Target) {
    let mut connection = target.connect().await;
    let name = target.name("a");
    let refused = [
        assigned(&name, &[(0, &[1]), (0, &[1])]),
        assigned(&name, &[(1, &[1])]),
        assigned(&name, &[(0, &[1]), (2, &[1])]),
        assigned(&name, &[(0, &[])]),
        assigned(&name, &[(0, &[1, 1])]),
        assigned(&name, &[(0, &[7])]),
        assigned(&name, &[(0, &[1]), (1, &[])]),
    ];
    for topic in refused {
        let refused = create(&mut connection, NEWEST, topic).await;
        assert_eq!(error(refused.error_code), ErrorCode::InvalidReplicaAssignment);
    }
    for topic in
        [assigned(&name, &[(0, &[1])]).with_num_partitions(1), assigned(&name, &[(0, &[1])]).with_replication_factor(1)]
    {
        let refused = create(&mut connection, NEWEST, topic).await;
        assert_eq!(error(refused.error_code), ErrorCode::InvalidRequest);
    }
    let created =
        connection.ask(NEWEST, &request(vec![assigned(&name, &[(0, &[1]), (1, &[1])])])).await.topics.remove(0);
    assert_eq!((error(created.error_code), created.num_partitions), (ErrorCode::None, 2));
}

pub(crate) async fn settings_that_cannot_be_are_refused(target: Target) {
    let mut connection = target.connect().await;
    let name = target.name("a");
    for (key, value) in [
        ("no.such.setting", Some("1")),
        ("retention.ms", Some("soon")),
        ("retention.ms", Some("-2")),
        ("retention.ms", Some("")),
        ("cleanup.policy", Some("burn")),
        ("compression.type", Some("rar")),
        ("segment.bytes", Some("13")),
        ("max.message.bytes", Some("-1")),
        ("min.insync.replicas", Some("0")),
        ("message.timestamp.type", Some("Whenever")),
        ("retention.ms", None),
    ] {
        let topic = with_config(wanted(&name, 1, 1), key, value);
        let refused = create(&mut connection, NEWEST, topic).await;
        assert_eq!(error(refused.error_code), ErrorCode::InvalidConfig, "{key}={value:?}");
        if value.is_none() {
            let message = refused.error_message.unwrap_or_default();
            assert_eq!(message.as_str(), format!("Null value not supported for topic configs: {key}"));
        }
    }
}

pub(crate) async fn a_setting_named_twice(target: Target) {
    let mut connection = target.connect().await;
    let config = |value: &str| {
        CreatableTopicConfig::default().with_name(str_bytes("retention.ms")).with_value(Some(str_bytes(value)))
    };
    let topic = wanted(&target.name("a"), 1, 1).with_configs(vec![config("1000"), config("2000")]);
    let created = connection.ask(NEWEST, &request(vec![topic])).await.topics.remove(0);
    assert_eq!((error(created.error_code), created.error_message), (ErrorCode::None, None));
    let kept = created.configs.unwrap_or_default().into_iter().find(|c| c.name.as_str() == "retention.ms");
    assert_eq!(kept.and_then(|kept| kept.value).as_deref(), Some("2000"));
}

pub(crate) async fn a_topic_named_twice_is_refused_and_others_are_not(target: Target) {
    let mut connection = target.connect().await;
    let (twice, once) = (target.name("twice"), target.name("once"));
    let topics = vec![wanted(&twice, 1, 1), wanted(&once, 1, 1), wanted(&twice, 2, 1), wanted(&twice, 2, 1)];
    let mut response = connection.ask(NEWEST, &request(topics)).await;
    response.topics.sort_by_key(|topic| topic.name.to_string());
    for topic in response.topics.iter().filter(|topic| topic.name.as_str() == twice) {
        target.transcript.note(format!("{topic:?}"));
    }
    let errors: Vec<_> = response.topics.iter().map(|topic| error(topic.error_code)).collect();
    assert_eq!(errors, [ErrorCode::None, ErrorCode::InvalidRequest]);
}

pub(crate) async fn validate_only_answers_alike_and_creates_nothing(target: Target) {
    let mut connection = target.connect().await;
    let (name, there) = (target.name("a"), target.topic("there").await);
    for version in [2, 5, NEWEST] {
        let mut request =
            request(vec![wanted(&name, 3, 1), wanted(&there.name, 1, 1), wanted(&target.name("b"), 0, 1)]);
        request.validate_only = true;
        let response = connection.ask(version, &request).await;
        let mut told: Vec<_> = response
            .topics
            .iter()
            .map(|topic| {
                (
                    topic.name.to_string(),
                    error(topic.error_code),
                    topic.num_partitions,
                    topic.topic_id,
                    topic.configs.as_ref().map(Vec::len),
                )
            })
            .collect();
        told.sort_by(|one, other| one.0.cmp(&other.0));
        for told in &told {
            target.transcript.note(format!("{version} {told:?}"));
        }
        assert_eq!((told[0].1, told[0].3 == Uuid::nil()), (ErrorCode::None, version < 7), "an id that nobody gets");
        assert_eq!(told[2].1, ErrorCode::TopicAlreadyExists);
        assert_eq!(told[1].1, ErrorCode::InvalidPartitions);
    }
    let found = connection.ask(NEWEST, &metadata(&[&name])).await;
    assert_eq!(error(found.topics[0].error_code), ErrorCode::UnknownTopicOrPartition);
}

pub(crate) async fn validate_only_gives_its_settings(target: Target) {
    let mut connection = target.connect().await;
    let mut request = request(vec![wanted(&target.name("a"), 1, 1)]);
    request.validate_only = true;
    let created = connection.ask(NEWEST, &request).await.topics.remove(0);
    assert!(created.configs.is_some_and(|configs| configs.len() > 20));
}

pub(crate) async fn an_internal_topic_may_be_created_by_its_name(target: Target) {
    let mut connection = target.connect().await;
    let created = connection.ask(NEWEST, &request(vec![wanted("__share_group_state", 1, 1)])).await.topics.remove(0);
    let created_by_it_or_before = [ErrorCode::None, ErrorCode::TopicAlreadyExists];
    assert!(created_by_it_or_before.contains(&error(created.error_code)), "{created:?}");
}

pub(crate) async fn without_time_nothing_is_awaited(target: Target) {
    let mut connection = target.connect().await;
    for timeout_ms in [0, -1] {
        for topic in [wanted(&target.name("a"), 1, 1), wanted(&target.name("a"), 0, 1), wanted("a b", 1, 1)] {
            let request = request(vec![topic]).with_timeout_ms(timeout_ms);
            for validate_only in [false, true] {
                let request = request.clone().with_validate_only(validate_only);
                let late = connection.call(NEWEST, &request).await.topics.remove(0);
                assert_eq!((error(late.error_code), late.error_message), (ErrorCode::RequestTimedOut, None));
            }
        }
    }
    let found = connection.ask(12, &metadata(&[&target.name("a")])).await;
    assert_eq!(error(found.topics[0].error_code), ErrorCode::UnknownTopicOrPartition);
}

pub(crate) async fn tiered_storage_is_not_there(target: Target) {
    let mut connection = target.connect().await;
    for (key, value) in [
        ("remote.storage.enable", "true"),
        ("remote.storage.enable", "false"),
        ("local.retention.ms", "1000"),
        ("local.retention.bytes", "1000"),
        ("remote.log.copy.disable", "true"),
        ("remote.log.delete.on.disable", "true"),
    ] {
        let topic = with_config(wanted(&target.name(&key.replace('.', "-")), 1, 1), key, Some(value));
        let created = connection.ask(NEWEST, &request(vec![topic])).await.topics.remove(0);
        let told = format!("{key}={value}: {} {:?}", error(created.error_code), created.error_message.as_deref());
        if key == "remote.storage.enable" {
            let sentence = "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with \
                            remote log storage.";
            let expected =
                if value == "false" { "NONE None".to_owned() } else { format!("INVALID_CONFIG {:?}", Some(sentence)) };
            assert_eq!(told, format!("{key}={value}: {expected}"));
        }
        target.transcript.note(told);
    }
}

pub(crate) async fn no_topics_are_created_for_no_topics(target: Target) {
    let mut connection = target.connect().await;
    for version in 2..=NEWEST {
        assert!(connection.call(version, &request(vec![])).await.topics.is_empty());
    }
}

scenarios! {
    every_version_creates
    minus_1_stands_for_the_defaults
    the_answer_tells_the_settings
    a_topic_that_is_there_already_is_refused
    names_that_cannot_be_are_refused
    names_that_look_alike_in_metrics_are_refused
    counts_that_cannot_be_are_refused
    assignments_by_hand_are_checked
    settings_that_cannot_be_are_refused
    a_setting_named_twice
    a_topic_named_twice_is_refused_and_others_are_not
    validate_only_answers_alike_and_creates_nothing
    validate_only_gives_its_settings
    an_internal_topic_may_be_created_by_its_name
    without_time_nothing_is_awaited
    tiered_storage_is_not_there
    no_topics_are_created_for_no_topics
}
