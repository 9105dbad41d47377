//! IncrementalAlterConfigs (key 44), and what both kinds of AlterConfigs share.

use model::ErrorCode;
use wire::messages::describe_configs_request::DescribeConfigsResource;
use wire::messages::describe_configs_response::DescribeConfigsResourceResult;
use wire::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use wire::messages::{DescribeConfigsRequest, IncrementalAlterConfigsRequest};

use crate::support::records::batch;
use crate::support::requests::{produce, str_bytes};
use crate::support::{Connection, Target, a_moment, error};

pub(crate) const NEWEST: i16 = 1;

pub(crate) const TOPIC: i8 = 2;
pub(crate) const BROKER: i8 = 4;
pub(crate) const CLIENT_METRICS: i8 = 16;
pub(crate) const GROUP: i8 = 32;

pub(crate) const SET: i8 = 0;
pub(crate) const DELETE: i8 = 1;
pub(crate) const APPEND: i8 = 2;
pub(crate) const SUBTRACT: i8 = 3;

/// A setting, what to do with it, and its value.
pub(crate) type Change<'a> = (&'a str, i8, Option<&'a str>);

pub(crate) fn change(kind: i8, name: &str, changes: &[Change<'_>]) -> AlterConfigsResource {
    let settings = changes.iter().map(|(setting, operation, value)| {
        AlterableConfig::default()
            .with_name(str_bytes(setting))
            .with_config_operation(*operation)
            .with_value(value.map(str_bytes))
    });
    AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(str_bytes(name))
        .with_configs(settings.collect())
}

pub(crate) fn request(resources: Vec<AlterConfigsResource>) -> IncrementalAlterConfigsRequest {
    IncrementalAlterConfigsRequest::default().with_resources(resources)
}

/// Error and message of a change to one resource.
pub(crate) async fn alter(
    connection: &mut Connection,
    kind: i8,
    name: &str,
    changes: &[Change<'_>],
) -> (ErrorCode, Option<String>) {
    let response = connection.call(NEWEST, &request(vec![change(kind, name, changes)])).await;
    let result = &response.responses[0];
    (error(result.error_code), result.error_message.as_deref().map(str::to_owned))
}

pub(crate) const DONE: (ErrorCode, Option<String>) = (ErrorCode::None, None);

pub(crate) fn refused(code: ErrorCode, message: &str) -> (ErrorCode, Option<String>) {
    (code, Some(message.to_owned()))
}

/// A setting as DescribeConfigs shows it.
pub(crate) async fn described(
    connection: &mut Connection,
    kind: i8,
    name: &str,
    setting: &str,
) -> DescribeConfigsResourceResult {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(str_bytes(name))
        .with_configuration_keys(Some(vec![str_bytes(setting)]));
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]).with_include_synonyms(true);
    let mut response = connection.ask(4, &request).await;
    response.results[0].configs.remove(0)
}

/// Its value, and where that comes from.
pub(crate) async fn value(connection: &mut Connection, kind: i8, name: &str, setting: &str) -> (String, i8) {
    let found = described(connection, kind, name, setting).await;
    (found.value.as_deref().unwrap_or("null").to_owned(), found.config_source)
}

/// Waits until a setting is this: Kafka answers before all of its parts have heard.
async fn until(connection: &mut Connection, topic: &str, setting: &str, wanted: &str) {
    while value(connection, TOPIC, topic, setting).await.0 != wanted {
        a_moment().await;
    }
}

pub(crate) async fn every_version_changes(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    for (version, wanted) in [(0, "5000"), (1, "6000")] {
        let set = change(TOPIC, &topic.name, &[("retention.ms", SET, Some(wanted))]);
        let response = connection.call(version, &request(vec![set])).await;
        assert_eq!(error(response.responses[0].error_code), ErrorCode::None);
        until(&mut connection, &topic.name, "retention.ms", wanted).await;
    }
}

pub(crate) async fn each_resource_stands_by_itself(target: Target) {
    let mut connection = target.connect().await;
    let (one, other) = (target.topic("a").await, target.topic("b").await);
    let nobody = target.name("nobody");
    let wishes = vec![
        change(TOPIC, &one.name, &[("segment.bytes", SET, Some("2000000"))]),
        change(TOPIC, &nobody, &[("retention.ms", SET, Some("1"))]),
        change(TOPIC, &other.name, &[("retention.ms", SET, Some("x"))]),
        change(TOPIC, "a b", &[]),
        change(TOPIC, "", &[]),
        change(99, "x", &[]),
    ];
    let response = connection.call(NEWEST, &request(wishes)).await;
    let errors: Vec<ErrorCode> = response.responses.iter().map(|result| error(result.error_code)).collect();
    use ErrorCode::{InvalidConfig, InvalidRequest, InvalidTopicException, UnknownTopicOrPartition};
    let none = ErrorCode::None;
    let wanted = [none, UnknownTopicOrPartition, InvalidConfig, InvalidTopicException, InvalidRequest, InvalidRequest];
    assert_eq!(errors, wanted);
    until(&mut connection, &one.name, "segment.bytes", "2000000").await;
}

pub(crate) async fn lists_are_added_to_and_taken_from(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    let policy = "cleanup.policy";
    for (operation, word, wanted) in [
        (APPEND, "compact", "delete,compact"),
        (APPEND, "compact", "delete,compact"),
        (SUBTRACT, "delete", "compact"),
        (SUBTRACT, "compact", ""),
        (DELETE, "", "delete"),
        (DELETE, "", "delete"),
    ] {
        assert_eq!(alter(&mut connection, TOPIC, &topic.name, &[(policy, operation, Some(word))]).await, DONE);
        until(&mut connection, &topic.name, policy, wanted).await;
    }
    let to_no_list = [("retention.ms", APPEND, Some("1"))];
    let refusal = refused(ErrorCode::InvalidConfig, "Can't APPEND to key retention.ms because its type is not LIST.");
    assert_eq!(alter(&mut connection, TOPIC, &topic.name, &to_no_list).await, refusal);
    let of_no_list = [("retention.ms", SUBTRACT, Some("1"))];
    let refusal = refused(ErrorCode::InvalidConfig, "Can't SUBTRACT to key retention.ms because its type is not LIST.");
    assert_eq!(alter(&mut connection, TOPIC, &topic.name, &of_no_list).await, refusal);
}

pub(crate) async fn what_can_not_be_is_refused_whole(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    let good = ("segment.ms", SET, Some("1000"));
    for (bad, code, message) in [
        (("foo.bar", SET, Some("1")), ErrorCode::InvalidConfig, "Unknown topic config name: foo.bar"),
        (
            ("segment.bytes", SET, Some("1")),
            ErrorCode::InvalidConfig,
            "Invalid value 1 for configuration segment.bytes: Value must be at least 1048576",
        ),
        (
            ("cleanup.policy", APPEND, Some("nonsense")),
            ErrorCode::InvalidConfig,
            "Invalid value nonsense for configuration cleanup.policy: String must be one of: compact, delete",
        ),
        (("retention.ms", SET, None), ErrorCode::InvalidRequest, "Null value not supported for : retention.ms"),
        (("cleanup.policy", APPEND, None), ErrorCode::InvalidRequest, "Null value not supported for : cleanup.policy"),
        (("segment.ms", SET, Some("2")), ErrorCode::InvalidRequest, "Error due to duplicate config keys"),
    ] {
        assert_eq!(alter(&mut connection, TOPIC, &topic.name, &[good, bad]).await, refused(code, message));
    }
    assert_eq!(value(&mut connection, TOPIC, &topic.name, "segment.ms").await, ("604800000".to_owned(), 5));
    assert_eq!(alter(&mut connection, TOPIC, &topic.name, &[("foo.bar", DELETE, None)]).await, DONE);
}

pub(crate) async fn a_resource_named_twice_is_refused_twice(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    let twice = ["retention.ms", "retention.bytes"].map(|name| change(TOPIC, &topic.name, &[(name, SET, Some("1"))]));
    let response = connection.call(NEWEST, &request(twice.to_vec())).await;
    for result in &response.responses {
        assert_eq!(error(result.error_code), ErrorCode::InvalidRequest);
        assert_eq!(result.error_message.as_deref(), Some("Each resource must appear at most once."));
    }
}

pub(crate) async fn validating_changes_nothing(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    let wishes = vec![
        change(TOPIC, &topic.name, &[("retention.ms", SET, Some("777"))]),
        change(TOPIC, &target.name("nobody"), &[("retention.ms", SET, Some("777"))]),
    ];
    let response = connection.call(NEWEST, &request(wishes).with_validate_only(true)).await;
    assert_eq!(error(response.responses[0].error_code), ErrorCode::None);
    assert_eq!(error(response.responses[1].error_code), ErrorCode::UnknownTopicOrPartition);
    assert_eq!(value(&mut connection, TOPIC, &topic.name, "retention.ms").await, ("604800000".to_owned(), 5));
}

pub(crate) async fn a_smaller_limit_counts_for_the_next_batch(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic("a").await;
    let written = connection.call(12, &produce(12, &topic, 0, batch(&["some text"]))).await;
    assert_eq!(error(written.responses[0].partition_responses[0].error_code), ErrorCode::None);
    let limit = [("max.message.bytes", SET, Some("10"))];
    assert_eq!(alter(&mut connection, TOPIC, &topic.name, &limit).await, DONE);
    until(&mut connection, &topic.name, "max.message.bytes", "10").await;
    // A log of Kafka's hears of it later than those who describe it.
    let another = produce(12, &topic, 0, batch(&["some text"]));
    while connection.ask(12, &another).await.responses[0].partition_responses[0].error_code == 0 {
        a_moment().await;
    }
    let refusal = connection.call(12, &another).await;
    assert_eq!(error(refusal.responses[0].partition_responses[0].error_code), ErrorCode::MessageTooLarge);
}

pub(crate) async fn client_metrics_are_subscribed_to(target: Target) {
    let mut connection = target.connect().await;
    let name = target.name("metrics");
    for (setting, value, code, message) in [
        (
            "interval.ms",
            "1",
            ErrorCode::InvalidRequest,
            "Invalid value 1 for interval.ms, interval must be between 100 and 3600000 (1 hour)",
        ),
        (
            "interval.ms",
            "abc",
            ErrorCode::InvalidConfig,
            "Invalid value abc for configuration interval.ms: Not a number of type INT",
        ),
        ("match", "foo=bar", ErrorCode::InvalidConfig, "Illegal client matching pattern: foo=bar"),
        ("match", "client_id=a(", ErrorCode::InvalidConfig, "Illegal client matching pattern: client_id=a("),
        ("foo", "5", ErrorCode::InvalidRequest, "Unknown client metrics configuration: foo"),
    ] {
        let changed = alter(&mut connection, CLIENT_METRICS, &name, &[(setting, SET, Some(value))]).await;
        assert_eq!(changed, refused(code, message));
    }
    let nameless = alter(&mut connection, CLIENT_METRICS, "", &[]).await;
    assert_eq!(nameless, refused(ErrorCode::InvalidRequest, "Subscription name can't be empty"));
    let changes = [("metrics", SET, Some("*")), ("match", SET, Some("client_id=a.*,client_software_version=1.*"))];
    assert_eq!(alter(&mut connection, CLIENT_METRICS, &name, &changes).await, DONE);
    assert_eq!(alter(&mut connection, CLIENT_METRICS, &name, &changes.map(|(n, _, _)| (n, DELETE, None))).await, DONE);
}

scenarios! {
    every_version_changes
    each_resource_stands_by_itself
    lists_are_added_to_and_taken_from
    what_can_not_be_is_refused_whole
    a_resource_named_twice_is_refused_twice
    validating_changes_nothing
    a_smaller_limit_counts_for_the_next_batch
    client_metrics_are_subscribed_to
}
