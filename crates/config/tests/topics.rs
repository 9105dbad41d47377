//! Topic settings: Kafka's words where one is wrong, the right values where they are right.

use std::collections::BTreeMap;

use config::{
    BrokerConfig, CleanupPolicy, CompressionType, Sources, TimestampType, TopicConfig, validate_topic_override,
};

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn topic(overrides: &[(&str, &str)]) -> Result<TopicConfig, String> {
    TopicConfig::from_overrides(&map(overrides), &BrokerConfig::default()).map_err(|error| error.to_string())
}

fn broker(set: &[&str]) -> BrokerConfig {
    let set = set.iter().map(|&argument| argument.to_owned()).collect();
    BrokerConfig::load(&Sources { set, ..Sources::default() }).expect("good settings")
}

/// What `LogConfig.validate` of Kafka 4.4.0 says to the same.
#[test]
fn a_bad_value_is_refused_in_kafkas_words() {
    let invalid =
        |name: &str, value: &str, reason: &str| format!("Invalid value {value} for configuration {name}: {reason}");
    for (name, value, reason) in [
        ("retention.ms", "x", "Not a number of type LONG"),
        ("retention.ms", "", "Not a number of type LONG"),
        ("retention.ms", "9223372036854775808", "Not a number of type LONG"),
        ("retention.ms", "-2", "Value must be at least -1"),
        ("segment.bytes", "1", "Value must be at least 1048576"),
        ("segment.bytes", "99999999999", "Not a number of type INT"),
        ("segment.bytes", "1.5", "Not a number of type INT"),
        ("segment.index.bytes", "3", "Value must be at least 4"),
        ("cleanup.policy", "foo", "String must be one of: compact, delete"),
        ("cleanup.policy", "Delete", "String must be one of: compact, delete"),
        ("compression.type", "GZIP", "String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer"),
        ("compression.gzip.level", "0", "Value must be between 1 and 9 or equal to -1"),
        ("compression.gzip.level", "10", "Value must be between 1 and 9 or equal to -1"),
        ("compression.lz4.level", "0", "Value must be at least 1"),
        ("compression.lz4.level", "18", "Value must be no more than 17"),
        ("compression.zstd.level", "23", "Value must be no more than 22"),
        ("min.cleanable.dirty.ratio", "x", "Not a number of type DOUBLE"),
        ("min.cleanable.dirty.ratio", "1.1", "Value must be no more than 1"),
        ("min.cleanable.dirty.ratio", "-0.1", "Value must be at least 0"),
        ("preallocate", "yes", "Expected value to be either true or false"),
        ("message.timestamp.type", "x", "String must be one of: CreateTime, LogAppendTime"),
        ("message.timestamp.after.max.ms", "-1", "Value must be at least 0"),
        ("min.insync.replicas", "0", "Value must be at least 1"),
        ("max.decompressed.message.bytes", "2147483647", "Value must be no more than 2147483639"),
        ("flush.messages", "0", "Value must be at least 1"),
        ("local.retention.ms", "-3", "Value must be at least -2"),
    ] {
        assert_eq!(topic(&[(name, value)]), Err(invalid(name, value, reason)));
    }
    for value in ["delete,", ","] {
        assert_eq!(
            topic(&[("cleanup.policy", value)]),
            Err("Configuration 'cleanup.policy' values must not be empty.".to_owned())
        );
    }
    for (value, shown) in
        [("none", "[none]"), ("0", "[0]"), ("*,0:1", "[*, 0:1]"), ("-1:1", "[-1:1]"), ("a:b", "[a:b]")]
    {
        let name = "leader.replication.throttled.replicas";
        let format = "must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...";
        assert_eq!(topic(&[(name, value)]), Err(invalid(name, shown, &format!("{name} {format}"))));
    }
}

#[test]
fn an_unknown_name_is_refused_in_kafkas_words_before_any_value_is_looked_at() {
    for name in ["foo", "", "Retention.ms"] {
        assert_eq!(topic(&[("cleanup.policy", "bad"), (name, "0")]), Err(format!("Unknown topic config name: {name}")));
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused_in_kafkas_words() {
    let conflict = "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)".to_owned();
    assert_eq!(topic(&[("min.compaction.lag.ms", "10"), ("max.compaction.lag.ms", "5")]), Err(conflict));
}

#[test]
fn what_is_not_done_here_is_refused_unless_it_is_the_default() {
    for (name, default, other) in [
        ("remote.copy.lag.ms", "0", "5"),
        ("local.retention.bytes", "-2", "1000"),
        ("preallocate", "false", "true"),
        ("unclean.leader.election.enable", "false", "true"),
    ] {
        assert_eq!(validate_topic_override(name, default).as_deref(), Ok(default));
        let error = validate_topic_override(name, other).expect_err(name).to_string();
        assert!(error.starts_with(&format!("Invalid value {other} for configuration {name}: ")), "{error}");
    }
    assert_eq!(validate_topic_override("remote.storage.enable", "false").as_deref(), Ok("false"));
    let error = validate_topic_override("remote.storage.enable", "true").unwrap_err().to_string();
    assert!(error.starts_with("Tiered Storage functionality is disabled in the broker."), "Kafka's words: {error}");
}

#[test]
fn values_are_given_back_as_kafka_prints_them() {
    for (name, value, printed) in [
        ("retention.ms", " +5000 ", "5000"),
        ("retention.bytes", "-5", "-5"),
        ("cleanup.policy", " compact , delete ", "compact,delete"),
        ("cleanup.policy", "delete,delete", "delete"),
        ("cleanup.policy", "", ""),
        ("preallocate", "FALSE", "false"),
        ("min.cleanable.dirty.ratio", "1e-2", "0.01"),
        ("min.cleanable.dirty.ratio", "0.0001", "1.0E-4"),
        ("min.cleanable.dirty.ratio", "1", "1.0"),
        ("leader.replication.throttled.replicas", "0:1, 1:2", "0:1,1:2"),
        ("leader.replication.throttled.replicas", "*", "*"),
    ] {
        assert_eq!(validate_topic_override(name, value).as_deref(), Ok(printed));
    }
}

#[test]
fn values_arrive_in_their_types() {
    let config = topic(&[
        ("cleanup.policy", "compact"),
        ("compression.type", "zstd"),
        ("message.timestamp.type", "LogAppendTime"),
        ("min.cleanable.dirty.ratio", "0.25"),
        ("max.compaction.lag.ms", "5000"),
    ])
    .expect("good settings");
    assert_eq!(config.cleanup_policy, CleanupPolicy { compact: true, delete: false });
    assert_eq!(config.compression_type, CompressionType::Zstd);
    assert_eq!(config.message_timestamp_type, TimestampType::LogAppendTime);
    assert_eq!((config.min_cleanable_dirty_ratio, config.roll_ms()), (0.25, 5000));
    let kept = topic(&[("cleanup.policy", "")]).expect("an empty policy is good").cleanup_policy;
    assert_eq!(kept, CleanupPolicy { compact: false, delete: false });
}

#[test]
fn a_topic_without_settings_goes_by_the_brokers() {
    let broker =
        broker(&["log.segment.bytes=2000000", "log.message.timestamp.type=LogAppendTime", "min.insync.replicas=2"]);
    let config = TopicConfig::from_overrides(&map(&[("min.insync.replicas", "3")]), &broker).expect("good settings");
    assert_eq!((config.segment_bytes, config.min_insync_replicas), (2_000_000, 3));
    assert_eq!(config.message_timestamp_type, TimestampType::LogAppendTime);
}

#[test]
fn of_the_brokers_settings_for_one_time_the_finest_wins() {
    for (set, retention_ms) in [
        (&[][..], 604_800_000),
        (&["log.retention.hours=2"], 7_200_000),
        (&["log.retention.hours=2", "log.retention.minutes=3"], 180_000),
        (&["log.retention.hours=2", "log.retention.minutes=3", "log.retention.ms=4"], 4),
        (&["log.retention.minutes=-1"], -1),
        (&["log.retention.ms=-5"], -1),
    ] {
        assert_eq!(broker(set).topic_defaults().retention_ms, retention_ms, "{set:?}");
    }
    let broker = broker(&[
        "log.roll.hours=2",
        "log.roll.jitter.ms=5",
        "log.roll.jitter.hours=1",
        "log.flush.scheduler.interval.ms=7",
    ]);
    let topic = broker.topic_defaults();
    assert_eq!((topic.segment_ms, topic.segment_jitter_ms, topic.flush_ms), (7_200_000, 5, 7));
}

#[test]
fn a_flush_interval_is_a_promise_that_relaxed_durability_cannot_keep() {
    let relaxed = broker(&["durability=relaxed"]);
    for (name, value) in [("flush.ms", "1000"), ("flush.messages", "1")] {
        assert!(topic(&[(name, value)]).is_ok());
        let error = TopicConfig::from_overrides(&map(&[(name, value)]), &relaxed).expect_err(name).to_string();
        assert!(error.contains("durability = relaxed"), "{error}");
        TopicConfig::from_stored(&map(&[(name, value)]), &relaxed);
    }
}

#[test]
fn what_was_stored_by_another_version_does_not_keep_a_topic_from_opening() {
    let stored =
        map(&[("retention.ms", "5"), ("segment.bytes", "bad"), ("gone.ms", "1"), ("remote.storage.enable", "true")]);
    let config = TopicConfig::from_stored(&stored, &BrokerConfig::default());
    assert_eq!((config.retention_ms, config.segment_bytes), (5, 1 << 30));
}

#[test]
fn tests_may_ask_for_small_segments() {
    let config = topic(&[("internal.segment.bytes", "500"), ("segment.bytes", "2000000")]).expect("good settings");
    assert_eq!(config.segment_bytes, 500);
}
