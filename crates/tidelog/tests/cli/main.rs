//! The command line against a broker, both the real binary.
#![expect(clippy::unwrap_used, reason = "a step that fails is the test's failure")]

mod bench;
mod cluster;
mod config;
mod consume;
mod errors;
mod greeting;
mod group;
mod member;
mod produce;
mod shell;
mod support;
mod terminal;
mod topic;
