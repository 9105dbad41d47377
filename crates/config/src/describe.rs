//! What DescribeConfigs answers: each setting with its value, where it comes from, and what else was
//! said about it.

use std::collections::BTreeMap;

use crate::broker::BrokerConfig;
use crate::group;
use crate::setting::{Kind, Mode, Setting};
use crate::table;

/// DescribeConfigs' numbers of where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum Source {
    /// Set on the topic.
    Topic = 1,
    /// Set on this broker while running.
    Broker = 2,
    /// Set for all brokers while running.
    ClusterDefault = 3,
    /// Given when the broker started.
    Static = 4,
    /// Nobody said anything.
    Default = 5,
    /// The level of a logger.
    BrokerLogger = 6,
    /// Set on the subscription to client metrics.
    ClientMetrics = 7,
    /// Set on the group.
    Group = 8,
}

/// One setting in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Kafka's name.
    pub name: String,
    /// `None` is null: no value, or one that must not be shown.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: Source,
    /// All that was said about it, the strongest first.
    pub synonyms: Vec<Synonym>,
    /// `None` where nobody knows (DescribeConfigs' UNKNOWN, 0).
    pub kind: Option<Kind>,
    /// One sentence.
    pub documentation: Option<&'static str>,
    /// Whether it counts only at start.
    pub read_only: bool,
    /// Whether its value is hidden.
    pub sensitive: bool,
}

/// One thing that was said about a setting, perhaps under another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synonym {
    /// Whose value this is.
    pub name: String,
    /// `None` if it must not be shown.
    pub value: Option<String>,
    /// Who said it.
    pub source: Source,
}

/// All settings of a topic, in the order of their names.
pub fn describe_topic(overrides: &BTreeMap<String, String>, broker: &BrokerConfig) -> Vec<Described> {
    let shown = table::TOPIC.iter().filter(|setting| !setting.hidden || overrides.contains_key(setting.name));
    let describe = |setting: &'static Setting| {
        let mut synonyms = setting.inherits.first().map_or_else(Vec::new, |from| broker_synonyms(from.name, broker));
        let own = overrides.get(setting.name).and_then(|value| setting.normalize(value).ok());
        if let Some(value) = &own {
            synonyms.insert(
                0,
                Synonym { name: setting.name.to_owned(), value: Some(value.clone()), source: Source::Topic },
            );
        }
        let value = own.or_else(|| broker.layers().inherited(setting));
        described(setting, value, synonyms, false)
    };
    shown.map(describe).collect()
}

/// All settings of a group, in the order of their names.
pub fn describe_group(overrides: &BTreeMap<String, String>, broker: &BrokerConfig) -> Vec<Described> {
    let shown = table::GROUP.iter().filter(|setting| !setting.hidden || overrides.contains_key(setting.name));
    let describe = |setting: &'static Setting| {
        let synonym = |value: String, source| Synonym { name: setting.name.to_owned(), value: Some(value), source };
        let mut synonyms = match (setting.inherits.first(), setting.default) {
            (Some(from), _) => broker_synonyms(from.name, broker),
            (None, Some(default)) => vec![synonym(default.to_owned(), Source::Default)],
            (None, None) => Vec::new(),
        };
        let own = overrides.get(setting.name).and_then(|value| setting.normalize(value).ok());
        if let Some(value) = &own {
            synonyms.insert(0, synonym(value.clone(), Source::Group));
        }
        described(setting, own.or_else(|| group::default_of(setting, broker)), synonyms, false)
    };
    shown.map(describe).collect()
}

/// All settings of a subscription to client metrics, in the order of their names.
pub fn describe_client_metrics(overrides: &BTreeMap<String, String>) -> Vec<Described> {
    let describe = |setting: &'static Setting| {
        let own = overrides.get(setting.name).and_then(|value| setting.normalize(value).ok());
        let synonym = own.clone().map(|value| Synonym {
            name: setting.name.to_owned(),
            value: Some(value),
            source: Source::ClientMetrics,
        });
        let value = own.or_else(|| setting.default.map(str::to_owned));
        described(setting, value, synonym.into_iter().collect(), false)
    };
    table::CLIENT_METRICS.iter().map(describe).collect()
}

/// All settings of this broker, in the order of their names; those set under unknown names too.
pub fn describe_broker(broker: &BrokerConfig) -> Vec<Described> {
    let known = table::broker().iter().map(|setting| {
        let value = broker.value(setting.name).map(str::to_owned);
        described(setting, value, broker_synonyms(setting.name, broker), setting.mode == Mode::ReadOnly)
    });
    let strangers =
        broker.dynamic.keys().chain(broker.cluster.keys()).filter(|name| table::find_broker(name).is_none());
    let mut all: Vec<Described> =
        known.chain(strangers.map(|name| stranger(name, broker_synonyms(name, broker)))).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all.dedup_by(|one, other| one.name == other.name);
    all
}

/// What is set for all brokers while running: the resource with the empty name.
pub fn describe_cluster_default(broker: &BrokerConfig) -> Vec<Described> {
    let describe = |(name, value): (&String, &String)| {
        let mut synonyms = broker_synonyms(name, broker);
        synonyms.retain(|synonym| synonym.source == Source::ClusterDefault);
        match table::find_broker(name) {
            Some(setting) => described(setting, Some(value.clone()), synonyms, setting.mode == Mode::ReadOnly),
            None => stranger(name, synonyms),
        }
    };
    broker.cluster.iter().map(describe).collect()
}

fn described(
    setting: &'static Setting,
    value: Option<String>,
    mut synonyms: Vec<Synonym>,
    read_only: bool,
) -> Described {
    let sensitive = setting.kind == Kind::Password;
    if sensitive {
        synonyms.iter_mut().for_each(|synonym| synonym.value = None);
    }
    Described {
        name: setting.name.to_owned(),
        value: value.filter(|_| !sensitive),
        source: synonyms.first().map_or(Source::Default, |strongest| strongest.source),
        synonyms,
        kind: Some(setting.kind),
        documentation: Some(setting.doc),
        read_only,
        sensitive,
    }
}

/// A setting that no table knows: it may be a secret, so its value is not shown.
fn stranger(name: &str, mut synonyms: Vec<Synonym>) -> Described {
    synonyms.iter_mut().for_each(|synonym| synonym.value = None);
    Described {
        name: name.to_owned(),
        value: None,
        source: synonyms.first().map_or(Source::Default, |strongest| strongest.source),
        synonyms,
        kind: None,
        documentation: None,
        read_only: true,
        sensitive: true,
    }
}

/// Settings that Kafka takes for one another, the strongest first.
fn names_of(name: &str) -> Vec<&str> {
    const FAMILIES: &[&[&str]] = &[
        &["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
        &["log.roll.ms", "log.roll.hours"],
        &["log.roll.jitter.ms", "log.roll.jitter.hours"],
    ];
    if name == "log.flush.interval.ms" {
        return vec![name, "log.flush.scheduler.interval.ms"];
    }
    FAMILIES.iter().find(|family| family.contains(&name)).map_or_else(|| vec![name], |family| family.to_vec())
}

/// All that was said about a broker setting: layer by layer, and within a layer name by name. As in
/// Kafka, what comes before the first word about the name itself is left out.
fn broker_synonyms(name: &str, broker: &BrokerConfig) -> Vec<Synonym> {
    let mut synonyms = Vec::new();
    let names = names_of(name);
    let mut layer = |source: Source, value: &dyn Fn(&str) -> Option<String>| {
        for name in &names {
            if let Some(value) = value(name) {
                synonyms.push(Synonym { name: (*name).to_owned(), value: Some(value), source });
            }
        }
    };
    layer(Source::Broker, &|name| broker.dynamic.get(name).cloned());
    layer(Source::ClusterDefault, &|name| broker.cluster.get(name).cloned());
    layer(Source::Static, &|name| broker.fixed.get(name).map(|given| given.value.clone()));
    layer(Source::Default, &|name| table::find_broker(name)?.default.map(str::to_owned));
    let before = synonyms.iter().take_while(|synonym| synonym.name != name).count();
    synonyms.split_off(before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::Given;
    use crate::origin::Origin;

    #[test]
    fn a_password_that_is_set_is_not_shown() {
        let given = Given { value: "hush".to_owned(), origin: Origin::Set };
        let fixed = BTreeMap::from([("ssl.keystore.password", given)]);
        let broker = BrokerConfig::build(fixed, BTreeMap::new(), BTreeMap::new(), String::new()).unwrap();
        let shown = format!("{:?} {:?}", describe_broker(&broker), broker.effective());
        assert!(shown.contains("ssl.keystore.password") && !shown.contains("hush"));
    }
}
