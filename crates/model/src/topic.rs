//! Topic names and what makes one legal.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A legal topic name: 1 to 249 of `[a-zA-Z0-9._-]`, and neither `.` nor `..`.
///
/// Since it is checked once, at the door, it may be used as a directory name afterwards.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TopicName(Arc<str>);

/// Kafka's bound, so that `<topic>-<partition>` fits a file name.
pub const MAX_TOPIC_NAME_LENGTH: usize = 249;

/// Why a topic name was refused; worded as Kafka words it, since tools print it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopicName {
    /// The empty string.
    #[error("Topic name is invalid: the empty string is not allowed")]
    Empty,
    /// `.` or `..`.
    #[error("Topic name is invalid: '{0}' is not allowed")]
    Dots(String),
    /// Longer than 249 characters.
    #[error("Topic name is invalid: the length of '{0}' is longer than the max allowed length {MAX_TOPIC_NAME_LENGTH}")]
    TooLong(String),
    /// A character out of the set.
    #[error(
        "Topic name is invalid: '{0}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
    )]
    IllegalCharacter(String),
}

impl TopicName {
    /// The topic of committed offsets and group metadata.
    pub const CONSUMER_OFFSETS: &'static str = "__consumer_offsets";

    /// Checks a name by Kafka's rules.
    pub fn parse(name: &str) -> Result<Self, InvalidTopicName> {
        if name.is_empty() {
            return Err(InvalidTopicName::Empty);
        }
        if name == "." || name == ".." {
            return Err(InvalidTopicName::Dots(name.to_owned()));
        }
        if name.len() > MAX_TOPIC_NAME_LENGTH {
            return Err(InvalidTopicName::TooLong(name.to_owned()));
        }
        let legal = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
        if !name.bytes().all(legal) {
            return Err(InvalidTopicName::IllegalCharacter(name.to_owned()));
        }
        Ok(TopicName(name.into()))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the broker itself writes this topic, so that clients may not produce to it.
    pub fn is_internal(&self) -> bool {
        matches!(self.as_str(), Self::CONSUMER_OFFSETS | "__transaction_state" | "__share_group_state")
    }

    /// Whether two names would be one in a metric's name, where `.` and `_` are alike.
    pub fn collides_with(&self, other: &TopicName) -> bool {
        let plain = |c: char| if c == '.' { '_' } else { c };
        self != other && self.as_str().chars().map(plain).eq(other.as_str().chars().map(plain))
    }
}

impl TryFrom<String> for TopicName {
    type Error = InvalidTopicName;

    fn try_from(name: String) -> Result<Self, InvalidTopicName> {
        TopicName::parse(&name)
    }
}

impl From<TopicName> for String {
    fn from(name: TopicName) -> String {
        name.0.as_ref().to_owned()
    }
}

impl std::borrow::Borrow<str> for TopicName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_kafka_allows_are_allowed() {
        for name in ["a", "orders", "my.topic_1-x", "...", &"x".repeat(249)] {
            assert_eq!(TopicName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_kafka_refuses_are_refused() {
        for name in ["", ".", "..", "a b", "a/b", "ä", "a\0", &"x".repeat(250)] {
            assert!(TopicName::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn dots_and_underscores_collide() {
        let name = |text| TopicName::parse(text).unwrap();
        assert!(name("a.b").collides_with(&name("a_b")));
        assert!(!name("a.b").collides_with(&name("a.b")));
        assert!(!name("a-b").collides_with(&name("a_b")));
    }
}
