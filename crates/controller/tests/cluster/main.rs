//! Three controllers in one process, over a transport that hands messages across.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod faults;
mod members;
mod submit;
mod support;
