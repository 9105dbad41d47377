//! A Raft group from the outside, on a simulated disk and a clock that stands still.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod appends;
mod calm;
mod catch_up;
mod cluster;
mod crash;
mod elections;
mod fault;
mod members;
mod replication;
mod restart;
mod support;
