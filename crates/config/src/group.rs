//! A group's settings: checked when they are set, clamped to the broker's bounds when they are used.

use std::collections::{BTreeMap, BTreeSet};

use crate::broker::BrokerConfig;
use crate::error::ConfigError;
use crate::setting::Setting;
use crate::table;

/// Broker settings that bound a group's setting.
struct Bounds {
    name: &'static str,
    least: Bound,
    most: Bound,
}

#[derive(Clone, Copy)]
enum Bound {
    None,
    /// A broker setting.
    Of(&'static str),
    /// The default of a broker setting that is internal in Kafka and unknown here.
    Fixed(i64),
}

const fn between(name: &'static str, least: &'static str, most: &'static str) -> Bounds {
    Bounds { name, least: Bound::Of(least), most: Bound::Of(most) }
}

#[rustfmt::skip]
const BOUNDS: &[Bounds] = &[
    between("consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms"),
    between("consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms"),
    between("consumer.assignment.interval.ms", "group.consumer.min.assignment.interval.ms", "group.consumer.max.assignment.interval.ms"),
    between("share.session.timeout.ms", "group.share.min.session.timeout.ms", "group.share.max.session.timeout.ms"),
    between("share.heartbeat.interval.ms", "group.share.min.heartbeat.interval.ms", "group.share.max.heartbeat.interval.ms"),
    between("share.assignment.interval.ms", "group.share.min.assignment.interval.ms", "group.share.max.assignment.interval.ms"),
    between("share.record.lock.duration.ms", "group.share.min.record.lock.duration.ms", "group.share.max.record.lock.duration.ms"),
    between("share.delivery.count.limit", "group.share.min.delivery.count.limit", "group.share.max.delivery.count.limit"),
    between("share.partition.max.record.locks", "group.share.min.partition.max.record.locks", "group.share.max.partition.max.record.locks"),
    between("streams.session.timeout.ms", "group.streams.min.session.timeout.ms", "group.streams.max.session.timeout.ms"),
    between("streams.heartbeat.interval.ms", "group.streams.min.heartbeat.interval.ms", "group.streams.max.heartbeat.interval.ms"),
    between("streams.assignment.interval.ms", "group.streams.min.assignment.interval.ms", "group.streams.max.assignment.interval.ms"),
    Bounds { name: "streams.num.standby.replicas", least: Bound::None, most: Bound::Of("group.streams.max.standby.replicas") },
    Bounds { name: "streams.num.warmup.replicas", least: Bound::None, most: Bound::Fixed(20) },
    Bounds { name: "streams.task.offset.interval.ms", least: Bound::Fixed(15_000), most: Bound::None },
];

/// Checks the settings of a group that is configured so.
///
/// # Errors
/// The first unknown name, bad value, value outside the broker's bounds, or conflict, in Kafka's
/// words; all are INVALID_CONFIG (40).
pub fn validate_group_overrides(
    overrides: &BTreeMap<String, String>,
    broker: &BrokerConfig,
) -> Result<(), ConfigError> {
    if let Some(stranger) = overrides.keys().find(|name| table::find_group(name).is_none()) {
        return Err(ConfigError::UnknownGroupSetting(stranger.clone()));
    }
    for (name, value) in overrides {
        let plain = find(name)?.admit(value)?;
        check_bounds(name, &plain, broker)?;
        check_words(name, value, broker)?;
    }
    for kind in ["consumer", "share", "streams"] {
        let (session, heartbeat) = (format!("{kind}.session.timeout.ms"), format!("{kind}.heartbeat.interval.ms"));
        let number = |name: &str| group_value(name, overrides, broker).and_then(|value| value.parse::<i64>().ok());
        if number(&session) <= number(&heartbeat) {
            return Err(ConfigError::Conflict(format!("{session} must be greater than {heartbeat}")));
        }
    }
    Ok(())
}

/// A group's setting as it is used: the group's own value clamped to the broker's bounds, or the
/// broker's default. `None` is Kafka's null, or a name that no group setting has.
pub fn group_value(name: &str, overrides: &BTreeMap<String, String>, broker: &BrokerConfig) -> Option<String> {
    let setting = table::find_group(name)?;
    match overrides.get(name).and_then(|value| setting.admit(value).ok()) {
        Some(value) => Some(clamped(setting, value, broker)),
        None => default_of(setting, broker),
    }
}

/// The broker's value for groups that have none of their own.
pub(crate) fn default_of(setting: &Setting, broker: &BrokerConfig) -> Option<String> {
    let inherited = setting.inherits.iter().find_map(|from| broker.value(from.name));
    match setting.name {
        "streams.assignor.name" => inherited.and_then(|names| names.split(',').next()).map(str::to_owned),
        _ => inherited.or(setting.default).map(str::to_owned),
    }
}

fn find(name: &str) -> Result<&'static Setting, ConfigError> {
    table::find_group(name).ok_or_else(|| ConfigError::UnknownGroupSetting(name.to_owned()))
}

fn bounds_of(name: &str, broker: &BrokerConfig) -> Option<(Option<i64>, Option<i64>)> {
    let bounds = BOUNDS.iter().find(|bounds| bounds.name == name)?;
    let number = |bound: Bound| match bound {
        Bound::None => None,
        Bound::Of(setting) => broker.number(setting),
        Bound::Fixed(number) => Some(number),
    };
    Some((number(bounds.least), number(bounds.most)))
}

fn clamped(setting: &Setting, value: String, broker: &BrokerConfig) -> String {
    let (Some((least, most)), Ok(number)) = (bounds_of(setting.name, broker), value.parse::<i64>()) else {
        return value;
    };
    number.max(least.unwrap_or(i64::MIN)).min(most.unwrap_or(i64::MAX)).to_string()
}

fn check_bounds(name: &str, value: &str, broker: &BrokerConfig) -> Result<(), ConfigError> {
    let (Some((least, most)), Ok(number)) = (bounds_of(name, broker), value.parse::<i64>()) else {
        return Ok(());
    };
    match (least, most) {
        (Some(least), Some(most)) if !(least..=most).contains(&number) => {
            Err(ConfigError::Conflict(format!("{name} must be in the range {least} to {most} inclusive.")))
        }
        (None, Some(most)) if number > most => {
            Err(ConfigError::Conflict(format!("{name} must be less than or equal to {most}")))
        }
        (Some(least), None) if number < least => {
            Err(ConfigError::Conflict(format!("{name} must be greater than or equal to {least}")))
        }
        _ => Ok(()),
    }
}

fn check_words(name: &str, value: &str, broker: &BrokerConfig) -> Result<(), ConfigError> {
    match name {
        "errors.deadletterqueue.topic.name" if value.starts_with("__") => {
            Err(ConfigError::Conflict(format!("{name}: DLQ topic name must not start with '__'")))
        }
        "streams.rack.aware.assignment.tags" if has_twins(value) => {
            Err(ConfigError::Conflict(format!("{name} must not contain duplicate tag keys.")))
        }
        "streams.assignor.name" => {
            let registered = broker.value("group.streams.assignors").unwrap_or_default();
            if registered.split(',').any(|known| known == value) {
                return Ok(());
            }
            Err(ConfigError::Conflict(format!(
                "{name} '{value}' is not a registered task assignor. Registered assignors are: [{}].",
                registered.replace(',', ", ")
            )))
        }
        _ => Ok(()),
    }
}

fn has_twins(list: &str) -> bool {
    let mut seen = BTreeSet::new();
    list.split(',').any(|element| !seen.insert(element.trim()))
}
