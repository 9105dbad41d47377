//! What the scenarios share: a broker to talk to, connections that say anything in any version, and a record of all
//! that was answered.

pub(crate) mod broken;
mod connection;
pub(crate) mod groups;
pub(crate) mod records;
pub(crate) mod requests;
mod target;
mod transcript;

pub(crate) use connection::{Connection, Stream};
pub(crate) use target::{Target, Topic};
pub(crate) use transcript::Transcript;

use model::ErrorCode;

/// Before one looks again for what Kafka does a little after it has answered: nothing tells when.
pub(crate) async fn a_moment() {
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
}

/// The error of a response, by its name.
pub(crate) fn error(code: i16) -> ErrorCode {
    ErrorCode::from_code(code)
}
