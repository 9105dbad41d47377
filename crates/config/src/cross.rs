//! What settings must keep to among each other.

use crate::broker::{BrokerConfig, Durability, RACK_AWARE_SELECTOR};
use crate::error::ConfigError;

const MIB: i64 = 1024 * 1024;

/// Checks settings that are good each by itself. The rules are Kafka's, where it has one.
pub(crate) fn check(config: &BrokerConfig) -> Result<(), ConfigError> {
    ids(config)?;
    directories(config)?;
    selector(config)?;
    logs(config)?;
    connections(config)?;
    groups(config)
}

fn ids(config: &BrokerConfig) -> Result<(), ConfigError> {
    let new = config.fixed.get("node.id").map(|given| given.value.as_str());
    match (config.value("broker.id"), new) {
        (Some("-1"), _) => Ok(()),
        (Some(old), Some(new)) if old != new => {
            Err(bad(config, "broker.id", format!("must be the same as node.id, which is {new}; leave it out")))
        }
        (Some(old), None) if old.starts_with('-') => Err(bad(config, "broker.id", "must be at least 0; use node.id")),
        _ => Ok(()),
    }
}

fn directories(config: &BrokerConfig) -> Result<(), ConfigError> {
    let several = |name: &&str| config.value(name).is_some_and(|directories| directories.contains(','));
    match ["log.dirs", "log.dir"].into_iter().find(several) {
        Some(name) => Err(bad(config, name, "a broker has one data directory here; name one")),
        None => Ok(()),
    }
}

fn selector(config: &BrokerConfig) -> Result<(), ConfigError> {
    match config.value("replica.selector.class") {
        None | Some(RACK_AWARE_SELECTOR) => Ok(()),
        Some(_) => {
            let reason = format!(
                "there is no JVM here to load a class of one's own; set {RACK_AWARE_SELECTOR}, or leave it out to have \
                 consumers read from leaders"
            );
            Err(bad(config, "replica.selector.class", reason))
        }
    }
}

fn logs(config: &BrokerConfig) -> Result<(), ConfigError> {
    let topic = config.topic_defaults();
    let source = |names: [&'static str; 3]| names.into_iter().find(|name| config.value(name).is_some());
    if topic.retention_ms == 0 {
        let name = source(["log.retention.ms", "log.retention.minutes", "log.retention.hours"]);
        return Err(bad(config, name.unwrap_or("log.retention.ms"), "must be -1 (no limit) or at least 1"));
    }
    if topic.segment_ms < 1 {
        return Err(bad(config, "log.roll.ms", "must be at least 1"));
    }
    if topic.segment_jitter_ms < 0 {
        return Err(bad(config, "log.roll.jitter.ms", "must be at least 0"));
    }
    if topic.check_compaction_lags().is_err() {
        let reason = "must not be above log.cleaner.max.compaction.lag.ms";
        return Err(bad(config, "log.cleaner.min.compaction.lag.ms", reason));
    }
    let flush = ["log.flush.interval.messages", "log.flush.interval.ms", "log.flush.scheduler.interval.ms"];
    let unlimited = |name| config.number(name).is_none_or(|interval| interval == i64::MAX);
    if let Some(name) = flush.into_iter().find(|name| !unlimited(name))
        && config.durability() == Durability::Relaxed
    {
        return Err(bad(config, name, "durability = relaxed syncs when it suits the kernel; leave one of the two out"));
    }
    let per_cleaner = |bytes: i64| bytes / config.number("log.cleaner.threads").unwrap_or(1).max(1);
    if config.number("log.cleaner.dedupe.buffer.size").is_some_and(|bytes| per_cleaner(bytes) <= MIB) {
        return Err(bad(
            config,
            "log.cleaner.dedupe.buffer.size",
            "must be above 1 MiB for each of log.cleaner.threads",
        ));
    }
    Ok(())
}

fn connections(config: &BrokerConfig) -> Result<(), ConfigError> {
    let queued = config.value("queued.max.request.bytes").and_then(|value| value.parse().ok()).unwrap_or(-1_i64);
    if queued > 0 && queued < i64::from(config.socket_request_max_bytes()) {
        let least = config.socket_request_max_bytes();
        return Err(bad(
            config,
            "queued.max.request.bytes",
            format!("must be -1 or at least socket.request.max.bytes, {least}"),
        ));
    }
    let delay_ms = config.number("connection.failed.authentication.delay.ms").unwrap_or(0);
    if (0..=delay_ms).contains(&config.connections_max_idle_ms()) {
        let reason = format!("must be -1 (no limit) or above connection.failed.authentication.delay.ms, {delay_ms}");
        return Err(bad(config, "connections.max.idle.ms", reason));
    }
    if config.max_connections_per_ip() == 0 && config.value("max.connections.per.ip.overrides") == Some("") {
        return Err(bad(config, "max.connections.per.ip", "can be 0 only with max.connections.per.ip.overrides"));
    }
    Ok(())
}

fn groups(config: &BrokerConfig) -> Result<(), ConfigError> {
    if i64::from(config.offsets_topic_segment_bytes()) < MIB {
        return Err(bad(config, "offsets.topic.segment.bytes", format!("must be at least {MIB}, as for any topic")));
    }
    if config.group_min_session_timeout_ms() > config.group_max_session_timeout_ms() {
        let reason = "must not be above group.max.session.timeout.ms";
        return Err(bad(config, "group.min.session.timeout.ms", reason));
    }
    for kind in ["consumer", "share", "streams"] {
        for what in ["session.timeout.ms", "heartbeat.interval.ms", "assignment.interval.ms"] {
            bounded(config, kind, what)?;
        }
        let (heartbeat, session) =
            (format!("group.{kind}.heartbeat.interval.ms"), format!("group.{kind}.session.timeout.ms"));
        if config.number(&heartbeat) >= config.number(&session) {
            return Err(bad(config, &heartbeat, format!("must be less than {session}")));
        }
    }
    for what in ["record.lock.duration.ms", "delivery.count.limit", "partition.max.record.locks"] {
        bounded(config, "share", what)?;
    }
    if config.number("group.streams.num.standby.replicas") > config.number("group.streams.max.standby.replicas") {
        let reason = "must not be above group.streams.max.standby.replicas";
        return Err(bad(config, "group.streams.num.standby.replicas", reason));
    }
    Ok(())
}

/// `group.KIND.WHAT` must lie between `group.KIND.min.WHAT` and `group.KIND.max.WHAT`.
fn bounded(config: &BrokerConfig, kind: &str, what: &str) -> Result<(), ConfigError> {
    let [name, least, most] =
        [format!("group.{kind}.{what}"), format!("group.{kind}.min.{what}"), format!("group.{kind}.max.{what}")];
    let number = |name: &str| config.number(name);
    if number(&least) > number(&most) {
        return Err(bad(config, &least, format!("must not be above {most}")));
    }
    if number(&name) < number(&least) {
        return Err(bad(config, &name, format!("must not be below {least}")));
    }
    if number(&name) > number(&most) {
        return Err(bad(config, &name, format!("must not be above {most}")));
    }
    Ok(())
}

fn bad(config: &BrokerConfig, name: &str, reason: impl Into<String>) -> ConfigError {
    config.layers().bad_value(name, reason)
}
