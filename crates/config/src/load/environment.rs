//! Settings in environment variables: `TIDELOG_LOG_RETENTION_MS` is log.retention.ms.

use std::collections::BTreeMap;

use super::put;
use crate::broker::Given;
use crate::error::ConfigError;
use crate::origin::Origin;
use crate::table;

const PREFIX: &str = "TIDELOG_";

/// Variables of this prefix that are no settings: they belong to the command line and its log.
const RESERVED: &[&str] = &["TIDELOG_BOOTSTRAP", "TIDELOG_CONFIG", "TIDELOG_LOG", "TIDELOG_OUTPUT"];

/// The variable of a setting.
pub fn environment_name(setting: &str) -> String {
    format!("{PREFIX}{}", setting.replace(['.', '-'], "_").to_uppercase())
}

/// Whether a variable of our prefix is no setting: one of the command line's, or one that Kubernetes
/// puts into every container for a service called `tidelog...` (`TIDELOG_PORT_9092_TCP_ADDR`).
pub fn is_reserved(variable: &str) -> bool {
    if RESERVED.contains(&variable) || variable.ends_with("_SERVICE_HOST") || variable.contains("_SERVICE_PORT") {
        return true;
    }
    let of_a_port = |rest: &str| {
        let mut parts = rest.splitn(3, '_');
        let number = parts.next().is_some_and(|part| part.parse::<u16>().is_ok());
        number && parts.next().is_some_and(|part| matches!(part, "TCP" | "UDP" | "SCTP"))
    };
    variable.ends_with("_PORT") || variable.split("_PORT_").skip(1).any(of_a_port)
}

pub(super) fn read(
    environment: &[(String, String)],
    given: &mut BTreeMap<&'static str, Given>,
) -> Result<(), ConfigError> {
    let mut ours: Vec<_> = environment.iter().filter(|(variable, _)| variable.starts_with(PREFIX)).collect();
    ours.sort();
    for (variable, value) in ours {
        let known = table::broker().iter().find(|setting| environment_name(setting.name) == *variable);
        let name = match known {
            Some(setting) => setting.name.to_owned(),
            None if is_reserved(variable) => continue,
            None => variable[PREFIX.len()..].replace('_', ".").to_lowercase(),
        };
        put(given, &name, value, Origin::Environment(variable.clone()))?;
    }
    Ok(())
}
