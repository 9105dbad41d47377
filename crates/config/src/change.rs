//! Changes of settings while running: what would be kept without doing anything is refused.

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

    /// Checks a change that makes `after` of `before`, where `named` is what it names, with `None`
    /// for what it takes back.
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
        if let Effect::Later(with) = setting.effect
            && setting.normalize(value).ok().as_deref() != setting.default
        {
            return Err(ConfigError::NotYet { name: name.clone(), value: value.clone(), with });
        }
    }
    Ok(())
}

/// Listeners are opened at the start, and have no settings of their own.
fn check_listener(name: &str, value: Option<&str>, broker: &BrokerConfig) -> Result<(), ConfigError> {
    let refuse = |reason| {
        let value = value.unwrap_or("null").to_owned();
        Err(ConfigError::Unsupported { name: name.to_owned(), value, reason })
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
