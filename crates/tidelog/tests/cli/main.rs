//! The command line against a broker, both the real binary.

mod consume;
mod errors;
mod greeting;
mod produce;
mod support;
mod topic;
