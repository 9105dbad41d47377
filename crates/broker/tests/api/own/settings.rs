//! Settings that change while the broker runs: what counts at once, what lasts, what is refused here.

use std::rc::Rc;

use disk::SimDisk;
use model::ErrorCode;

use crate::incremental_alter_configs::{
    APPEND, BROKER, DELETE, DONE, GROUP, SET, TOPIC, alter, change, refused, request, value,
};
use crate::own::{start, target};
use crate::support::Connection;

fn pair(value: &str, source: i8) -> (String, i8) {
    (value.to_owned(), source)
}

async fn retention(connection: &mut Connection, topic: &str) -> (String, i8) {
    value(connection, TOPIC, topic, "retention.ms").await
}

#[tokio::test(start_paused = true)]
async fn what_was_set_is_still_set_after_a_restart() {
    let disk = SimDisk::new(0);
    let running = Rc::new(start(&disk, &[]).await);
    let before = target("settings::restart", &running);
    let topic = before.topic("a").await;
    let mut connection = before.connect().await;
    assert_eq!(alter(&mut connection, BROKER, "", &[("log.retention.ms", SET, Some("9000"))]).await, DONE);
    assert_eq!(alter(&mut connection, BROKER, "1", &[("log.segment.bytes", SET, Some("2000000"))]).await, DONE);
    assert_eq!(alter(&mut connection, TOPIC, &topic.name, &[("segment.ms", SET, Some("77"))]).await, DONE);
    drop((connection, before));
    Rc::into_inner(running).unwrap().stop().await;

    let running = Rc::new(start(&disk, &[]).await);
    let mut connection = target("settings::restart", &running).connect().await;
    assert_eq!(retention(&mut connection, &topic.name).await, pair("9000", 3));
    assert_eq!(value(&mut connection, TOPIC, &topic.name, "segment.bytes").await, pair("2000000", 2));
    assert_eq!(value(&mut connection, TOPIC, &topic.name, "segment.ms").await, pair("77", 1));
}

#[tokio::test(start_paused = true)]
async fn the_nearest_word_about_a_setting_counts_and_at_once() {
    let running = Rc::new(start(&SimDisk::new(0), &["log.retention.ms=3600000"]).await);
    let target = target("settings::layers", &running);
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    assert_eq!(retention(&mut connection, &topic.name).await, pair("3600000", 4));
    for (kind, name, setting, now) in [
        (BROKER, "", "log.retention.ms", pair("4", 3)),
        (BROKER, "1", "log.retention.ms", pair("3", 2)),
        (TOPIC, &*topic.name, "retention.ms", pair("2", 1)),
    ] {
        assert_eq!(alter(&mut connection, kind, name, &[(setting, SET, Some(&now.0))]).await, DONE);
        assert_eq!(retention(&mut connection, &topic.name).await, now);
    }
    for (kind, name, setting, then) in [
        (BROKER, "1", "log.retention.ms", pair("2", 1)),
        (TOPIC, &*topic.name, "retention.ms", pair("4", 3)),
        (BROKER, "", "log.retention.ms", pair("3600000", 4)),
    ] {
        assert_eq!(alter(&mut connection, kind, name, &[(setting, DELETE, None)]).await, DONE);
        assert_eq!(retention(&mut connection, &topic.name).await, then);
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_refuses_what_counts_only_at_its_start() {
    let running = Rc::new(start(&SimDisk::new(0), &[]).await);
    let mut connection = target("settings::read_only", &running).connect().await;
    let invalid = ErrorCode::InvalidRequest;
    for (name, settings, code, message) in [
        ("1", &[("log.dirs", SET, Some("/x")), ("node.id", SET, Some("4"))][..], invalid, "[log.dirs, node.id]"),
        ("", &[("num.partitions", SET, Some("3"))], invalid, "Cannot update these configs dynamically"),
        ("", &[("listeners", SET, Some("PLAINTEXT://:1"))], invalid, "broker id must be specified: [listeners]"),
        ("1", &[("listeners", SET, Some("PLAINTEXT://:1"))], ErrorCode::InvalidConfig, "start the broker anew"),
        ("1", &[("listener.name.x.max.connections", SET, Some("1"))], ErrorCode::InvalidConfig, "listeners have no"),
        ("", &[("log.retention.ms", SET, Some("abc"))], invalid, "Not a number of type LONG"),
        ("", &[("log.retention.ms", SET, Some("0"))], invalid, "log.retention.ms"),
        ("7", &[("log.retention.ms", SET, Some("1"))], invalid, "Unexpected broker id, expected 1, but received 7"),
        ("abc", &[("log.retention.ms", SET, Some("1"))], invalid, "Node id must be an integer, but it is: abc"),
        ("", &[("max.connections.per.ip.overrides", SET, Some("x"))], invalid, "max.connections.per.ip.overrides"),
        ("1", &[("min.insync.replicas", SET, Some("1"))], ErrorCode::InvalidConfig, "Broker-level min.insync.replicas"),
    ] {
        let (found, said) = alter(&mut connection, BROKER, name, settings).await;
        assert_eq!(found, code, "{settings:?}");
        assert!(said.as_ref().is_some_and(|said| said.contains(message)), "{said:?} lacks {message}");
    }
    let validated = request(vec![change(BROKER, "", &[("log.cleanup.policy", APPEND, Some("compact"))])]);
    let response = connection.call(1, &validated.with_validate_only(true)).await;
    assert_eq!(response.responses[0].error_code, 0);
    assert_eq!(value(&mut connection, BROKER, "1", "log.cleanup.policy").await, pair("delete", 5));
}

#[tokio::test(start_paused = true)]
async fn what_would_do_nothing_yet_is_refused() {
    let running = Rc::new(start(&SimDisk::new(0), &[]).await);
    let target = target("settings::not_yet", &running);
    let mut connection = target.connect().await;
    let message = "Invalid value 50000 for configuration consumer.session.timeout.ms: it takes effect with consumer \
                   groups of the new protocol (KIP-848), which this version lacks; leave it unset";
    let change = [("consumer.session.timeout.ms", SET, Some("50000"))];
    let found = alter(&mut connection, GROUP, "g", &change).await;
    assert_eq!(found, refused(ErrorCode::InvalidConfig, message));
    let as_it_is = [("consumer.session.timeout.ms", SET, Some("45000"))];
    assert_eq!(alter(&mut connection, GROUP, "g", &as_it_is).await, DONE);
    let never = alter(&mut connection, GROUP, "g", &[("foo", SET, Some("1"))]).await;
    assert_eq!(never, refused(ErrorCode::InvalidConfig, "Unknown group config name: foo"));
}

#[tokio::test(start_paused = true)]
async fn fewer_connections_may_be_asked_for_while_running() {
    let running = Rc::new(start(&SimDisk::new(0), &[]).await);
    let target = target("settings::connections", &running);
    let mut connection = target.connect().await;
    let mut second = target.connect().await;
    second.ask(12, &crate::support::requests::metadata(&[])).await;
    assert_eq!(alter(&mut connection, BROKER, "", &[("max.connections", SET, Some("2"))]).await, DONE);
    target.connect().await.expect_close().await;
    assert_eq!(alter(&mut connection, BROKER, "", &[("max.connections", DELETE, None)]).await, DONE);
    target.connect().await.ask(12, &crate::support::requests::metadata(&[])).await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_operation_is_a_bad_request() {
    let running = Rc::new(start(&SimDisk::new(0), &[]).await);
    let target = target("settings::operations", &running);
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let found = alter(&mut connection, TOPIC, &topic.name, &[("cleanup.policy", 7, Some("x"))]).await;
    assert_eq!(found, refused(ErrorCode::InvalidRequest, "Unknown operation 7 for cleanup.policy."));
}

#[tokio::test(start_paused = true)]
async fn groups_with_settings_are_bounded() {
    let running = Rc::new(start(&SimDisk::new(0), &[]).await);
    let target = target("settings::bounds", &running);
    let mut connection = target.connect().await;
    let as_it_is = [("consumer.session.timeout.ms", SET, Some("45000"))];
    let groups = (0..10_001).map(|n| change(GROUP, &format!("g{n}"), &as_it_is));
    let response = connection.call(1, &request(groups.collect())).await;
    let refused: Vec<_> = response.responses.iter().filter(|result| result.error_code != 0).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(crate::support::error(refused[0].error_code), ErrorCode::PolicyViolation);
    assert_eq!(alter(&mut connection, GROUP, "g5", &as_it_is).await, DONE, "those that are known may change");
    let take_back = [("consumer.session.timeout.ms", DELETE, None)];
    assert_eq!(alter(&mut connection, GROUP, "g5", &take_back).await, DONE);
    assert_eq!(alter(&mut connection, GROUP, "one more", &as_it_is).await, DONE, "there is room again");
}

#[tokio::test(start_paused = true)]
async fn what_the_broker_writes_itself_has_no_codec() {
    let running = Rc::new(start(&SimDisk::new(0), &[]).await);
    let target = target("settings::internal", &running);
    let mut connection = target.coordinator("g").await;
    let codec = |codec| [("compression.type", SET, Some(codec))];
    let (code, _) = alter(&mut connection, TOPIC, "__consumer_offsets", &codec("gzip")).await;
    assert_eq!(code, ErrorCode::InvalidConfig);
    assert_eq!(alter(&mut connection, TOPIC, "__consumer_offsets", &codec("uncompressed")).await, DONE);
}
