//! Real processes for tests: the broker's binary, and client programs in any language.
//!
//! A process lives no longer than the value that stands for it, also when a test panics, and a broker's
//! data directory goes with it. Waiting is always for a thing (a line of output, the end of a process)
//! with a limit, never for a time.

mod broker;
mod child;
mod cluster;
mod error;
mod network;
#[cfg(test)]
mod tests;

pub use broker::{Broker, Launch, READY_LIMIT, STOP_LIMIT, binary};
pub use child::{Child, Finished, Stream};
pub use cluster::Cluster;
pub use error::ProcessError;
pub use network::Network;
