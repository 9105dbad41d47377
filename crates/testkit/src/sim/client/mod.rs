//! Simulated clients: they speak the wire's bytes, keep to Kafka's rules of retrying, and tell the
//! history all that they do and see.

mod admin;
mod connection;
mod contacts;
mod fetcher;
mod group;
mod member;
mod producer;
mod reader;

use std::sync::Arc;

pub(crate) use admin::{Admin, Wanted};
pub(crate) use connection::{Gone, REQUEST_TIMEOUT};
pub(crate) use contacts::Contacts;
pub(crate) use fetcher::Fetcher;
pub(crate) use group::committed;
pub(crate) use member::Member;
use model::ErrorCode;
pub(crate) use producer::{Producer, Style};
pub(crate) use reader::Reader;
use wire::ApiKey;

use super::fleet::Fleet;
use super::promises::Rule;
use super::topics::Topics;
use super::world::World;

/// Where a client lives.
#[derive(Clone)]
pub(crate) struct Habitat {
    pub(crate) world: Arc<World>,
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) topics: Arc<Topics>,
}

impl Habitat {
    /// What an answer's error code means, if it is one that clients come back from by themselves;
    /// any other is a finding.
    pub(crate) fn judge(&self, client: &str, api: ApiKey, code: i16, expected: &[ErrorCode]) -> Result<(), ErrorCode> {
        let error = ErrorCode::from_code(code);
        if error == ErrorCode::None {
            return Ok(());
        }
        if !error.is_retriable() && !expected.contains(&error) {
            self.world.found(Rule::UnexpectedAnswer, format!("{client}: {api} was answered with {error}"));
        }
        self.world.count("errors answered");
        Err(error)
    }
}
