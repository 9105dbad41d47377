//! Changes of settings while running, and settings of new topics: what would be kept without doing anything is refused.

use std::collections::BTreeMap;

use crate::broker::BrokerConfig;
use crate::client_metrics;
use crate::dynamic::{check_scopes, validate_dynamic};
use crate::error::ConfigError;
use crate::group::validate_group_overrides;
use crate::setting::{Effect, Kind, Setting};
use crate::table;
use crate::topic::TopicConfig;

/// Settings by name, as they are stored.
type Settings = BTreeMap<String, String>;

/// Most bytes of settings, names included, that are kept for one topic, broker, group or subscription: each broker holds
/// them all in memory. The longest that make sense list the replicas of ten thousand partitions.
pub const MAX_SETTINGS_BYTES: usize = 256 * 1024;

/// Whose settings change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A topic.
    Topic,
    /// All brokers.
    AllBrokers,
    /// One broker.
    Broker,
    /// A group.
    Group,
    /// A subscription to client metrics (KIP-714).
    ClientMetrics,
}

impl Owner {
    /// The default of a list, to which AlterConfigs' APPEND and SUBTRACT apply where nothing is set;
    /// `None` where the setting is no list. As in Kafka, lists of client metrics are none.
    pub fn list_default(self, name: &str) -> Option<&'static str> {
        let setting = match self {
            Owner::Topic => table::find_topic(name),
            Owner::AllBrokers | Owner::Broker => table::find_broker(name),
            Owner::Group => table::find_group(name),
            Owner::ClientMetrics => None,
        };
        setting.filter(|setting| setting.kind == Kind::List).map(|setting| setting.default.unwrap_or_default())
    }

    /// Checks a change that makes `after` of `before` (empty where the resource is new), where `named` is what it names,
    /// with `None` for what it takes back.
    ///
    /// # Errors
    /// In Kafka's words where Kafka refuses it, too; [`ConfigError::code`] tells the code.
    pub fn check_change(
        self,
        before: &Settings,
        after: &Settings,
        named: &BTreeMap<String, Option<String>>,
        broker: &BrokerConfig,
    ) -> Result<(), ConfigError> {
        let bytes = after.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > MAX_SETTINGS_BYTES {
            return Err(ConfigError::TooMuch { bytes, most: MAX_SETTINGS_BYTES });
        }
        match self {
            Owner::Topic => {
                TopicConfig::from_overrides(after, broker)?;
                check_effects(before, after, table::find_topic)
            }
            Owner::Group => {
                validate_group_overrides(after, broker)?;
                check_effects(before, after, table::find_group)
            }
            Owner::ClientMetrics => client_metrics::validate(after),
            Owner::AllBrokers | Owner::Broker => {
                let of_all = self == Owner::AllBrokers;
                check_scopes(named.keys().map(String::as_str), of_all)?;
                for (name, value) in named {
                    validate_dynamic(name, value.as_deref(), of_all)?;
                    check_listener(name, value.as_deref(), broker)?;
                    check_known(name, value.as_deref())?;
                }
                check_effects(before, after, table::find_broker)
            }
        }
    }
}

/// What is newly set must do something: that a value is taken is a promise.
fn check_effects(
    before: &Settings,
    after: &Settings,
    find: impl Fn(&str) -> Option<&'static Setting>,
) -> Result<(), ConfigError> {
    let new = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
    for (name, value) in new {
        let Some(setting) = find(name) else { continue };
        if setting.normalize(value).ok().as_deref() == setting.default {
            continue;
        }
        let (name, value) = (name.clone(), value.clone());
        match setting.effect {
            Effect::Later(with) => return Err(ConfigError::NotYet { name, value, with }),
            Effect::Idle(reason) => return Err(ConfigError::NoEffect { name, value, reason }),
            Effect::Works | Effect::Refused(_) => {}
        }
    }
    Ok(())
}

/// Rates at which replicas are copied, in bytes a second. They can be set while running alone, and bound partitions that
/// are reassigned.
const COPYING_RATES: [&str; 3] = [
    "follower.replication.throttled.rate",
    "leader.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
];

/// Kafka keeps whatever names a plug-in might read. There are none here.
fn check_known(name: &str, value: Option<&str>) -> Result<(), ConfigError> {
    match (table::find_broker(name), value) {
        (None, Some(rate)) if COPYING_RATES.contains(&name) => match rate.trim().parse::<i64>() {
            Ok(0..) => Ok(()),
            _ => Err(ConfigError::BrokerChange(format!(
                "Invalid value {rate} for configuration {name}: Value must be a whole number of at least 0"
            ))),
        },
        (None, Some(_)) => {
            let remedy = crate::load::suggest::remedy(name);
            Err(ConfigError::UnknownDynamicSetting { name: name.to_owned(), remedy })
        }
        _ => Ok(()),
    }
}

/// Listeners are opened at the start, and have no settings of their own.
fn check_listener(name: &str, value: Option<&str>, broker: &BrokerConfig) -> Result<(), ConfigError> {
    let refuse = |reason| {
        let value = value.unwrap_or("null");
        Err(ConfigError::Conflict(format!("Invalid value {value} for configuration {name}: {reason}")))
    };
    if name.starts_with("listener.name.") {
        return refuse("listeners have no settings of their own here");
    }
    let is_listener = matches!(name, "listeners" | "listener.security.protocol.map");
    if is_listener && value.is_some() && value != broker.value(name) {
        return refuse("listeners are opened at the start: set it there and start the broker anew");
    }
    Ok(())
}
