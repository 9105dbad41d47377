//! Subscriptions to the metrics of clients (KIP-714): which clients push what, and how often.

use std::collections::BTreeMap;

use regex::Regex;

use crate::error::ConfigError;
use crate::table;

/// Most and least that `interval.ms` may be: an hour, a tenth of a second.
const INTERVAL_MS: std::ops::RangeInclusive<i32> = 100..=3_600_000;

/// Memory that one expression may take once compiled.
const EXPRESSION_BYTES: usize = 64 * 1024;

/// What a client may be recognised by.
const SELECTORS: [&str; 6] = [
    "client_id",
    "client_instance_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

/// A subscription, typed.
#[derive(Clone, Debug)]
pub struct ClientMetricsConfig {
    /// `interval.ms`
    pub interval_ms: i32,
    /// `metrics`: the beginnings of metrics' names; `*` is all.
    pub metrics: Vec<String>,
    /// `match`: the whole of what a client says of itself must match, by the name of what it says.
    pub matches: BTreeMap<String, Regex>,
}

impl ClientMetricsConfig {
    /// Reads a subscription's settings.
    ///
    /// # Errors
    /// INVALID_REQUEST for an unknown name and an interval out of range, INVALID_CONFIG for a value
    /// that can't be read or an expression that matches nothing known.
    pub fn from_settings(settings: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        for name in settings.keys() {
            if table::find_client_metrics(name).is_none() {
                return Err(ConfigError::Request(format!("Unknown client metrics configuration: {name}")));
            }
        }
        let value = |name: &'static str| -> Result<String, ConfigError> {
            let setting = table::find_client_metrics(name).expect("the names read here are in the table");
            setting.normalize(settings.get(name).map_or(setting.default.unwrap_or_default(), String::as_str))
        };
        let interval_ms = value("interval.ms")?.parse().expect("a number was checked to be one");
        if !INTERVAL_MS.contains(&interval_ms) {
            let bounds = "interval must be between 100 and 3600000 (1 hour)";
            return Err(ConfigError::Request(format!("Invalid value {interval_ms} for interval.ms, {bounds}")));
        }
        let metrics = value("metrics")?;
        let patterns = value("match")?;
        let patterns = patterns.split(',').filter(|pattern| !pattern.is_empty());
        Ok(ClientMetricsConfig {
            interval_ms,
            metrics: metrics.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            matches: patterns.map(selector).collect::<Result<_, _>>()?,
        })
    }
}

/// Checks a subscription's settings.
pub(crate) fn validate(settings: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    ClientMetricsConfig::from_settings(settings).map(drop)
}

/// Reads `client_id=expression`. The expression must match the whole, as in Kafka.
fn selector(pattern: &str) -> Result<(String, Regex), ConfigError> {
    let illegal = || ConfigError::Conflict(format!("Illegal client matching pattern: {pattern}"));
    let (name, expression) = pattern.split_once('=').ok_or_else(illegal)?;
    let name = SELECTORS.into_iter().find(|known| *known == name.trim()).ok_or_else(illegal)?;
    let whole = format!("^(?:{})$", expression.trim());
    let compiled = regex::RegexBuilder::new(&whole).size_limit(EXPRESSION_BYTES).build();
    Ok((name.to_owned(), compiled.map_err(|_| illegal())?))
}
