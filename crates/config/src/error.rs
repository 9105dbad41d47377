//! Everything that can be wrong with a setting.

use model::ErrorCode;

use crate::origin::Origin;

/// What is wrong. The wording of the first variants is Kafka's, since its tools print it. Those about
/// the start of the broker name key, value, origin and remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value of the wrong type, or out of range.
    #[error("Invalid value {value} for configuration {name}: {reason}")]
    Invalid {
        /// The setting.
        name: String,
        /// What was given.
        value: String,
        /// Kafka's words.
        reason: String,
    },
    /// `a,,b`.
    #[error("Configuration '{0}' values must not be empty.")]
    EmptyElement(String),
    /// No element where one is needed.
    #[error("Configuration '{0}' must not be empty. Valid values include: any non-empty value")]
    EmptyList(String),
    /// No topic setting has this name.
    #[error("Unknown topic config name: {0}")]
    UnknownTopicSetting(String),
    /// No group setting has this name.
    #[error("Unknown group config name: {0}")]
    UnknownGroupSetting(String),
    /// A topic or group setting whose value stands against another setting, in Kafka's words.
    #[error("{0}")]
    Conflict(String),
    /// A value that Kafka would take and that means something we do not do.
    #[error("Invalid value {value} for configuration {name}: {reason}; leave it unset")]
    Unsupported {
        /// The setting.
        name: String,
        /// What was given.
        value: String,
        /// Why it is refused.
        reason: &'static str,
    },
    /// `remote.storage.enable`, in Kafka's words.
    #[error(
        "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage."
    )]
    NoTieredStorage,
    /// A value that will mean something, and does not yet.
    #[error(
        "Invalid value {value} for configuration {name}: it takes effect with {with}, which this version lacks; leave it \
         unset"
    )]
    NotYet {
        /// The setting.
        name: String,
        /// What was given.
        value: String,
        /// What it waits for.
        with: &'static str,
    },
    /// A value for which there is nothing to steer.
    #[error("Invalid value {value} for configuration {name}: it would do nothing here, since {reason}; leave it unset")]
    NoEffect {
        /// The setting.
        name: String,
        /// What was given.
        value: String,
        /// Why there is nothing.
        reason: &'static str,
    },
    /// More text than is kept for one topic, broker, group or subscription.
    #[error("settings of {bytes} bytes are more than the {most} that are kept for one resource: set fewer")]
    TooMuch {
        /// What the settings would come to, names included.
        bytes: usize,
        /// The bound.
        most: usize,
    },
    /// While running: no broker setting has this name, and there are no plug-ins here that might read it.
    #[error("Unknown broker config name: {name}{remedy}")]
    UnknownDynamicSetting {
        /// As it was written.
        name: String,
        /// What to write instead, as the rest of the sentence.
        remedy: String,
    },
    /// What Kafka takes for a bad request rather than a bad setting, in its words.
    #[error("{0}")]
    Request(String),
    /// A change of a broker's setting that cannot be, in Kafka's words.
    #[error("{0}")]
    BrokerChange(String),

    /// At start: no broker setting has this name.
    #[error("unknown setting {name} ({origin}){remedy}")]
    UnknownSetting {
        /// As it was written.
        name: String,
        /// Where.
        origin: Origin,
        /// What to write instead, as the rest of the sentence.
        remedy: String,
    },
    /// At start: a value that cannot be.
    #[error("{name} = {value} ({origin}): {reason}")]
    BadValue {
        /// The setting.
        name: String,
        /// What was given; stars for a password.
        value: String,
        /// Where.
        origin: Origin,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// At start: the file is no TOML.
    #[error("{path}:{line}: {reason}")]
    File {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        reason: String,
    },
}

impl ConfigError {
    /// What a client is answered: INVALID_REQUEST for a broker's settings, else INVALID_CONFIG.
    pub fn code(&self) -> ErrorCode {
        match self {
            ConfigError::BrokerChange(_) | ConfigError::Request(_) | ConfigError::BadValue { .. } => {
                ErrorCode::InvalidRequest
            }
            _ => ErrorCode::InvalidConfig,
        }
    }
}
