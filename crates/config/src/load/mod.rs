//! From flags, `--set`, environment and file to a [`BrokerConfig`].

mod environment;
mod file;
pub(crate) mod suggest;

use std::collections::BTreeMap;

pub use environment::{environment_name, is_reserved};

use crate::broker::{BrokerConfig, Given, Layers};
use crate::error::ConfigError;
use crate::listeners;
use crate::origin::Origin;
use crate::rule::Rule;
use crate::setting::{Kind, Setting};
use crate::table;

/// Everything that may say something about a setting. What stands earlier here wins.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Flags of their own.
    pub flags: Flags,
    /// The arguments of `--set`, as `key=value`; the last of a key wins.
    pub set: Vec<String>,
    /// The process's environment; only names that begin with `TIDELOG_` are looked at.
    pub environment: Vec<(String, String)>,
    /// Path and text of the configuration file.
    pub file: Option<(String, String)>,
    /// This machine's name: what listeners on every interface advertise.
    pub host_name: String,
}

/// The flags that stand for a setting, as they were given.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--data-dir`
    pub data_dir: Option<String>,
    /// `--durability`
    pub durability: Option<String>,
    /// `--node-id`
    pub node_id: Option<String>,
    /// `--cluster`, as `cluster.nodes`
    pub cluster: Option<String>,
    /// `--join`, as `cluster.join`
    pub join: Option<String>,
    /// `--cluster-listen`
    pub cluster_listen: Option<String>,
    /// `--listen`, each `HOST:PORT`
    pub listen: Vec<String>,
    /// `--advertise`, each `HOST:PORT`
    pub advertise: Vec<String>,
}

impl BrokerConfig {
    /// Puts the layers together and checks all that they say, also what a stronger one overrides.
    ///
    /// # Errors
    /// The first thing that is wrong, with its key, value, origin and what would be right.
    pub fn load(sources: &Sources) -> Result<BrokerConfig, ConfigError> {
        let mut given = BTreeMap::new();
        if let Some((path, text)) = &sources.file {
            file::read(path, text, &mut given)?;
        }
        environment::read(&sources.environment, &mut given)?;
        for argument in &sources.set {
            let (name, value) = argument.split_once('=').ok_or_else(|| ConfigError::BadValue {
                name: "--set".to_owned(),
                value: argument.clone(),
                origin: Origin::Flag("command line"),
                reason: "must be KEY=VALUE, e.g. --set num.partitions=3".to_owned(),
            })?;
            put(&mut given, name.trim(), value, Origin::Set)?;
        }
        sources.flags.read(&mut given)?;
        BrokerConfig::build(given, BTreeMap::new(), BTreeMap::new(), sources.host_name.clone())
    }
}

impl Flags {
    fn read(&self, given: &mut BTreeMap<&'static str, Given>) -> Result<(), ConfigError> {
        let plain = [
            ("data-dir", "--data-dir", &self.data_dir),
            ("durability", "--durability", &self.durability),
            ("node.id", "--node-id", &self.node_id),
            ("cluster.nodes", "--cluster", &self.cluster),
            ("cluster.join", "--join", &self.join),
            ("cluster.listen", "--cluster-listen", &self.cluster_listen),
        ];
        for (name, flag, value) in plain {
            if let Some(value) = value {
                put(given, name, value, Origin::Flag(flag))?;
            }
        }
        if !self.listen.is_empty() {
            let value =
                listeners::from_flags(&self.listen).map_err(|reason| flag_error("--listen", &self.listen, reason))?;
            put(given, "listeners", &value, Origin::Flag("--listen"))?;
        }
        if !self.advertise.is_empty() {
            let (none, now) = (BTreeMap::new(), BTreeMap::new());
            let listeners =
                Layers { fixed: given, cluster: &none, dynamic: &now }.value("listeners").unwrap_or_default();
            let value = listeners::advertised_from_flags(&self.advertise, listeners, !self.listen.is_empty())
                .map_err(|reason| flag_error("--advertise", &self.advertise, reason))?;
            put(given, "advertised.listeners", &value, Origin::Flag("--advertise"))?;
        }
        Ok(())
    }
}

fn flag_error(flag: &'static str, values: &[String], reason: String) -> ConfigError {
    ConfigError::BadValue {
        name: flag.to_owned(),
        value: values.join(", "),
        origin: Origin::Flag("command line"),
        reason,
    }
}

/// Takes over one value if it is good.
fn put(given: &mut BTreeMap<&'static str, Given>, name: &str, value: &str, origin: Origin) -> Result<(), ConfigError> {
    let Some(setting) = table::find_broker(name) else {
        return Err(ConfigError::UnknownSetting { name: name.to_owned(), remedy: suggest::remedy(name), origin });
    };
    match setting.admit(value) {
        Ok(value) => {
            given.insert(setting.name, Given { value, origin });
            Ok(())
        }
        Err(error) => {
            let reason = match error {
                ConfigError::Unsupported { reason, .. } => match setting.default {
                    Some(default) => format!("{reason}; leave it at {default:?}"),
                    None => format!("{reason}; leave it out"),
                },
                _ => format!("must be {}", allowed(setting)),
            };
            Err(ConfigError::BadValue { name: name.to_owned(), value: shown(setting, value), origin, reason })
        }
    }
}

/// What a person may see of a value.
pub(crate) fn shown(setting: &Setting, value: &str) -> String {
    if setting.kind == Kind::Password { "********".to_owned() } else { value.to_owned() }
}

/// What a setting takes, as the rest of a sentence.
fn allowed(setting: &Setting) -> String {
    let (least, most) = match setting.kind {
        Kind::Int => (i64::from(i32::MIN), i64::from(i32::MAX)),
        Kind::Short => (i64::from(i16::MIN), i64::from(i16::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    match (setting.kind, setting.rule) {
        (Kind::Boolean, _) => "true or false".to_owned(),
        (Kind::Int | Kind::Short | Kind::Long, Rule::AtLeast(least)) => {
            format!("a whole number from {least} to {most}")
        }
        (Kind::Int | Kind::Short | Kind::Long, Rule::Between(least, most)) => {
            format!("a whole number from {least} to {most}")
        }
        (Kind::Int | Kind::Short | Kind::Long, Rule::GzipLevel) => "a whole number from 1 to 9, or -1".to_owned(),
        (Kind::Int | Kind::Short | Kind::Long, _) => format!("a whole number from {least} to {most}"),
        (Kind::Double, Rule::Fraction(least, most)) => format!("a number from {least} to {most}"),
        (Kind::Double, _) => "a number".to_owned(),
        (Kind::List, Rule::OneOf(words)) => format!("a list, separated by commas, of: {}", words.join(", ")),
        (Kind::List, _) => "a list without empty elements, separated by commas".to_owned(),
        (_, Rule::OneOf(words) | Rule::OneOfAnyCase(words)) => format!("one of: {}", words.join(", ")),
        (_, Rule::NotEmpty) => "at least one character".to_owned(),
        (_, rule) => rule.to_string(),
    }
}
