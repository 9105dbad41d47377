//! Levels of loggers (KIP-412): changed for as long as the process runs, in Kafka's words.

use std::collections::BTreeMap;

use config::{Described, Source};
use controller::Refusal;
use model::ErrorCode;
use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};

use super::{Operation, Wish};
use crate::broker::Broker;

/// The logger of all that have no level of their own.
pub const ROOT: &str = "root";

/// The levels of the process that runs a broker.
pub trait Loggers: Send + Sync {
    /// Each logger with the level in force; [`ROOT`] is one of them.
    fn levels(&self) -> BTreeMap<String, LevelFilter>;

    /// Sets the level of a known logger, or takes it back to that of [`ROOT`].
    fn set(&self, logger: &str, level: Option<LevelFilter>);
}

/// Kafka's levels, in the order in which it names them. FATAL lets nothing through: no error here
/// is one that the process survives.
const LEVELS: [(&str, LevelFilter); 6] = [
    ("DEBUG", LevelFilter::DEBUG),
    ("ERROR", LevelFilter::ERROR),
    ("FATAL", LevelFilter::OFF),
    ("INFO", LevelFilter::INFO),
    ("TRACE", LevelFilter::TRACE),
    ("WARN", LevelFilter::WARN),
];

impl Broker {
    /// All loggers, as DescribeConfigs shows them.
    pub(crate) fn describe_loggers(&self) -> Vec<Described> {
        let levels = self.loggers.get().map(|loggers| loggers.levels()).unwrap_or_default();
        let described = |(name, level): (String, LevelFilter)| Described {
            name,
            value: LEVELS.iter().find(|(_, known)| *known == level).map(|(word, _)| (*word).to_owned()),
            source: Source::BrokerLogger,
            synonyms: Vec::new(),
            kind: None,
            documentation: None,
            read_only: false,
            sensitive: false,
        };
        levels.into_iter().map(described).collect()
    }

    /// Changes levels, all of a wish or none.
    pub(super) fn alter_loggers(&self, wish: &Wish, validate_only: bool) -> Result<(), Refusal> {
        let me = self.id();
        match wish.name.parse::<i32>() {
            Err(_) => {
                return Err(Refusal::invalid_request(format!("Node id must be an integer, but it is: {}", wish.name)));
            }
            Ok(id) if id != me.0 => {
                return Err(Refusal::invalid_request(format!("Unexpected node id. Expected {me}, but received {id}")));
            }
            Ok(_) => {}
        }
        let levels = self.loggers.get().map(|loggers| loggers.levels()).unwrap_or_default();
        let changes = wish.settings.iter().map(|(logger, what)| Ok((logger.as_str(), level(&levels, logger, what)?)));
        let changes: Vec<_> = changes.collect::<Result<_, Refusal>>()?;
        if let Some(loggers) = self.loggers.get()
            && !validate_only
        {
            changes.into_iter().for_each(|(logger, level)| loggers.set(logger, level));
        }
        Ok(())
    }
}

fn level(
    known: &BTreeMap<String, LevelFilter>,
    logger: &str,
    what: &Operation,
) -> Result<Option<LevelFilter>, Refusal> {
    let invalid = |message: String| Err(Refusal::new(ErrorCode::InvalidConfig, message));
    let not_allowed = |verb| format!("{verb} operation is not allowed for the BROKER_LOGGER resource");
    if matches!(what, Operation::Set(_) | Operation::Delete) && !known.contains_key(logger) {
        return invalid(format!("Logger {logger} does not exist!"));
    }
    match what {
        Operation::Delete if logger == ROOT => {
            Err(Refusal::invalid_request("Removing the log level of the root logger is not allowed"))
        }
        Operation::Delete => Ok(None),
        Operation::Set(word) => {
            let word = word.as_deref().unwrap_or_default();
            match LEVELS.iter().find(|(known, _)| *known == word) {
                Some((_, level)) if *level <= STATIC_MAX_LEVEL => Ok(Some(*level)),
                Some(_) => invalid(format!("This build holds no messages of level {word}.")),
                None => {
                    let words = LEVELS.map(|(known, _)| known).join(", ");
                    invalid(format!(
                        "Cannot set the log level of {logger} to {word} as it is not a supported log level. Valid log \
                         levels are {words}"
                    ))
                }
            }
        }
        Operation::Append(_) => Err(Refusal::invalid_request(not_allowed("APPEND"))),
        Operation::Subtract(_) | Operation::Unknown(_) => Err(Refusal::invalid_request(not_allowed("SUBTRACT"))),
    }
}
