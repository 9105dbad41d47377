//! Broker settings that are changed while running (KIP-226).

use std::collections::BTreeMap;

use crate::error::ConfigError;
use crate::setting::{Mode, Setting};
use crate::table;

/// Checks one change of a broker setting: of one broker, or (`of_all`) of the cluster's default.
/// `None` takes the setting back. The value is given back as Kafka would print it. A name that
/// nobody knows is let through, since an older version may have stored it: [`Owner::check_change`](crate::Owner) refuses
/// to set one.
///
/// # Errors
/// In Kafka's words; [`ConfigError::code`] tells INVALID_REQUEST from INVALID_CONFIG.
pub fn validate_dynamic(name: &str, value: Option<&str>, of_all: bool) -> Result<Option<String>, ConfigError> {
    let Some(setting) = table::find_broker(name) else {
        return Ok(value.map(str::to_owned));
    };
    check_scopes([name], of_all)?;
    check_min_insync_replicas(name, value, of_all)?;
    value.map(|value| setting.admit(value)).transpose().map_err(|error| ConfigError::BrokerChange(error.to_string()))
}

/// Whether settings of these names may change at all: of one broker, or of all.
pub(crate) fn check_scopes<'a>(names: impl IntoIterator<Item = &'a str>, of_all: bool) -> Result<(), ConfigError> {
    let mut refused: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for setting in names.into_iter().filter_map(table::find_broker) {
        if let Err(reason) = check_scope(setting, of_all) {
            refused.entry(reason).or_default().push(setting.name);
        }
    }
    match refused.first_key_value() {
        Some((reason, names)) => Err(ConfigError::BrokerChange(format!("{reason}: [{}]", names.join(", ")))),
        None => Ok(()),
    }
}

fn check_scope(setting: &Setting, of_all: bool) -> Result<(), &'static str> {
    let keys = setting.name.starts_with("ssl.key") || setting.name.starts_with("ssl.trust");
    match setting.mode {
        Mode::ReadOnly => Err("Cannot update these configs dynamically"),
        Mode::PerBroker if keys && !setting.name.ends_with(".algorithm") => {
            Err("These security configs can be dynamically updated only per-listener using the listener prefix")
        }
        Mode::PerBroker if of_all => {
            Err("Cannot update these configs at default cluster level, broker id must be specified")
        }
        Mode::PerBroker | Mode::ClusterWide => Ok(()),
    }
}

/// The cluster has one value of it, which the controller sets at the start (KIP-966).
fn check_min_insync_replicas(name: &str, value: Option<&str>, of_all: bool) -> Result<(), ConfigError> {
    let reason = match (name, of_all, value) {
        ("min.insync.replicas", false, _) => "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
        ("min.insync.replicas", true, None) => {
            "Cluster-level min.insync.replicas cannot be removed while ELR is enabled."
        }
        _ => return Ok(()),
    };
    Err(ConfigError::Conflict(reason.to_owned()))
}
