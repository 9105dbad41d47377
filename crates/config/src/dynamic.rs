//! Broker settings that are changed while running (KIP-226).

use crate::error::ConfigError;
use crate::setting::{Kind, Mode};
use crate::table;

/// Checks one change of a broker setting: of one broker, or (`of_all`) of the cluster's default.
/// `None` takes the setting back. The value is given back as Kafka would print it. A name that
/// nobody knows is accepted, as in Kafka: plug-ins read such.
///
/// # Errors
/// [`ConfigError::ReadOnly`] and [`ConfigError::PerBrokerOnly`] are INVALID_REQUEST (42), the rest is
/// INVALID_CONFIG (40).
pub fn validate_dynamic(name: &str, value: Option<&str>, of_all: bool) -> Result<Option<String>, ConfigError> {
    let Some(setting) = table::find_broker(name) else {
        return Ok(value.map(str::to_owned));
    };
    match setting.mode {
        Mode::ReadOnly => return Err(ConfigError::ReadOnly(name.to_owned())),
        Mode::PerBroker if of_all => return Err(ConfigError::PerBrokerOnly(name.to_owned())),
        Mode::PerBroker | Mode::ClusterWide => {}
    }
    value.map(|value| setting.admit(value)).transpose().map_err(|error| match error {
        ConfigError::Invalid { name, reason, .. } if setting.kind == Kind::Password => {
            ConfigError::Invalid { name, value: "[hidden]".to_owned(), reason }
        }
        other => other,
    })
}
