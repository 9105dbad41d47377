//! Simulated clients: they speak the wire's bytes, keep to Kafka's rules of retrying, and tell the
//! history all that they do and see.

mod admin;
mod connection;
mod fetcher;
mod group;
mod member;
mod producer;
mod reader;

use std::sync::Arc;

pub(crate) use admin::{Admin, Wanted};
pub(crate) use connection::{Connection, Gone};
pub(crate) use fetcher::{Fetcher, Polled};
pub(crate) use group::committed;
pub(crate) use member::Member;
pub(crate) use producer::{Producer, Style};
pub(crate) use reader::Reader;

use super::node::Node;
use super::topics::Topics;
use super::world::World;

/// Where a client lives.
#[derive(Clone)]
pub(crate) struct Habitat {
    pub(crate) world: Arc<World>,
    pub(crate) node: Arc<Node>,
    pub(crate) topics: Arc<Topics>,
}
