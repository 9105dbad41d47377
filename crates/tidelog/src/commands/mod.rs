//! The command line of a cluster: what a person does without a Kafka client of their own.
//!
//! Results go to standard output (tables for a terminal, tab-separated for a pipe, JSON on request), everything else
//! to standard error. An error is one line that says what to do about it.

mod bench;
mod cluster;
mod config;
mod confirm;
mod connect;
mod consume;
mod group;
mod output;
mod produce;
mod repair;
mod shell;
mod stop;
mod target;
mod time;
mod topic;

pub(crate) use bench::Bench;
pub(crate) use cluster::Cluster;
pub(crate) use config::Config;
pub(crate) use consume::Consume;
pub(crate) use group::Group;
pub(crate) use produce::Produce;
pub(crate) use repair::Repair;
pub(crate) use shell::{Completions, Man};
pub(crate) use topic::Topic;

/// What keeps a command from its work: a line for a person.
type Failure = Box<dyn std::error::Error + Send + Sync>;
