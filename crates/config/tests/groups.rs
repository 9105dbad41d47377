//! Group settings: Kafka's words, and the broker's bounds.

use std::collections::BTreeMap;

use config::{BrokerConfig, Sources, group_value, validate_group_overrides};

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn broker(set: &[&str]) -> BrokerConfig {
    let set = set.iter().map(|&argument| argument.to_owned()).collect();
    BrokerConfig::load(&Sources { set, ..Sources::default() }).expect("good settings")
}

fn group(overrides: &[(&str, &str)]) -> Result<(), String> {
    validate_group_overrides(&map(overrides), &BrokerConfig::default()).map_err(|error| error.to_string())
}

/// What `GroupConfig.validate` of Kafka 4.4.0 says to the same.
#[test]
fn a_bad_value_is_refused_in_kafkas_words() {
    let reset = "The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.";
    for (name, value, message) in [
        ("foo", "1", "Unknown group config name: foo"),
        (
            "consumer.session.timeout.ms",
            "1",
            "consumer.session.timeout.ms must be in the range 45000 to 60000 inclusive.",
        ),
        (
            "consumer.session.timeout.ms",
            "60001",
            "consumer.session.timeout.ms must be in the range 45000 to 60000 inclusive.",
        ),
        (
            "consumer.session.timeout.ms",
            "x",
            "Invalid value x for configuration consumer.session.timeout.ms: Not a number of type INT",
        ),
        (
            "consumer.heartbeat.interval.ms",
            "0",
            "Invalid value 0 for configuration consumer.heartbeat.interval.ms: Value must be at least 1",
        ),
        (
            "consumer.heartbeat.interval.ms",
            "15001",
            "consumer.heartbeat.interval.ms must be in the range 5000 to 15000 inclusive.",
        ),
        (
            "consumer.assignment.interval.ms",
            "15001",
            "consumer.assignment.interval.ms must be in the range 0 to 15000 inclusive.",
        ),
        (
            "share.isolation.level",
            "READ_COMMITTED",
            "Invalid value READ_COMMITTED for configuration share.isolation.level: String must be one of: read_committed, read_uncommitted",
        ),
        (
            "share.record.lock.duration.ms",
            "14999",
            "share.record.lock.duration.ms must be in the range 15000 to 60000 inclusive.",
        ),
        (
            "share.delivery.count.limit",
            "1",
            "Invalid value 1 for configuration share.delivery.count.limit: Value must be at least 2",
        ),
        ("share.delivery.count.limit", "11", "share.delivery.count.limit must be in the range 2 to 10 inclusive."),
        (
            "share.partition.max.record.locks",
            "5000",
            "share.partition.max.record.locks must be in the range 100 to 4000 inclusive.",
        ),
        (
            "errors.deadletterqueue.topic.name",
            "__x",
            "errors.deadletterqueue.topic.name: DLQ topic name must not start with '__'",
        ),
        ("streams.num.standby.replicas", "3", "streams.num.standby.replicas must be less than or equal to 2"),
        (
            "streams.rack.aware.assignment.tags",
            "a,a",
            "streams.rack.aware.assignment.tags must not contain duplicate tag keys.",
        ),
        (
            "streams.assignor.name",
            "x",
            "streams.assignor.name 'x' is not a registered task assignor. Registered assignors are: [sticky].",
        ),
        ("streams.num.warmup.replicas", "21", "streams.num.warmup.replicas must be less than or equal to 20"),
        (
            "streams.task.offset.interval.ms",
            "1",
            "streams.task.offset.interval.ms must be greater than or equal to 15000",
        ),
    ] {
        assert_eq!(group(&[(name, value)]), Err(message.to_owned()), "{name}={value}");
    }
    for value in ["x", "EARLIEST", "by_duration:", "by_duration:-PT1H"] {
        let name = "share.auto.offset.reset";
        let message = format!(
            "Invalid value {value} for configuration {name}: Invalid value `{value}` for configuration {name}. {reset}"
        );
        assert_eq!(group(&[(name, value)]), Err(message));
    }
}

#[test]
fn good_values_pass() {
    for (name, value) in [
        ("consumer.session.timeout.ms", "50000"),
        ("share.auto.offset.reset", "by_duration:PT1H"),
        ("share.auto.offset.reset", "earliest"),
        ("errors.deadletterqueue.topic.name", "dead"),
        ("streams.assignor.name", "sticky"),
        ("streams.rack.aware.assignment.tags", "zone,cluster"),
    ] {
        assert_eq!(group(&[(name, value)]), Ok(()), "{name}={value}");
    }
}

#[test]
fn the_session_must_outlast_the_heartbeat() {
    let broker = broker(&["group.consumer.max.heartbeat.interval.ms=50000"]);
    let overrides = map(&[("consumer.heartbeat.interval.ms", "46000")]);
    assert!(validate_group_overrides(&overrides, &broker).is_err());
}

#[test]
fn a_value_that_the_brokers_bounds_left_behind_is_used_clamped() {
    let overrides = map(&[("consumer.session.timeout.ms", "60000"), ("share.delivery.count.limit", "3")]);
    let narrower = broker(&["group.consumer.max.session.timeout.ms=50000", "group.share.min.delivery.count.limit=4"]);
    assert_eq!(group_value("consumer.session.timeout.ms", &overrides, &narrower).as_deref(), Some("50000"));
    assert_eq!(group_value("share.delivery.count.limit", &overrides, &narrower).as_deref(), Some("4"));
}

#[test]
fn a_group_without_settings_goes_by_the_brokers() {
    let broker = broker(&["group.consumer.session.timeout.ms=46000"]);
    for (name, value) in [
        ("consumer.session.timeout.ms", Some("46000")),
        ("share.isolation.level", Some("read_uncommitted")),
        ("streams.assignor.name", Some("sticky")),
        ("no.such.setting", None),
    ] {
        assert_eq!(group_value(name, &BTreeMap::new(), &broker).as_deref(), value, "{name}");
    }
}
