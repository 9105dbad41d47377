//! The client against a broker of its own in this process, and against everything that is none.

mod failures;
mod producing;
mod proxy;
mod reading;
mod support;
mod topics;
