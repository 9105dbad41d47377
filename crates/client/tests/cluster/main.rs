//! The client against a broker of its own in this process, and against everything that is none.
#![expect(clippy::unwrap_used, reason = "a step that fails is the test's failure")]

mod failures;
mod members;
mod producing;
mod proxy;
mod reading;
mod support;
mod topics;
