//! A "no" that a client is told.

use std::fmt;

use model::ErrorCode;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a command, or one item of it, changed nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// What the protocol calls it.
    #[serde(serialize_with = "write_code", deserialize_with = "read_code")]
    pub code: ErrorCode,
    /// For people; worded as Kafka words it where Kafka has the case, since tools print it.
    pub message: String,
}

impl Refusal {
    /// A refusal with Kafka's code and a message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Refusal { code, message: message.into() }
    }

    /// What the command was planned on has changed: look at the image anew and plan again.
    pub fn stale(message: impl Into<String>) -> Self {
        Refusal::new(ErrorCode::InvalidUpdateVersion, message)
    }

    /// Whether planning again on the newest image may help. No client is told this code.
    pub fn is_stale(&self) -> bool {
        self.code == ErrorCode::InvalidUpdateVersion
    }

    /// INVALID_REQUEST 42.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Refusal::new(ErrorCode::InvalidRequest, message)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Refusal {}

/// A code travels as Kafka's number.
fn write_code<S: Serializer>(code: &ErrorCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_i16(code.code())
}

fn read_code<'de, D: Deserializer<'de>>(from: D) -> Result<ErrorCode, D::Error> {
    i16::deserialize(from).map(ErrorCode::from_code)
}
