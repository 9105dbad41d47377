//! Bytes on their way: between clients and brokers, and between brokers.
//!
//! A client's connection may be slow and may break. The network between brokers can also be cut, whole or in
//! part, in both directions or in one, and be slow; connections over it know how their ends ended.

mod clients;
mod dialer;
#[cfg(test)]
mod tests;
mod wire;
mod wires;

pub(crate) use clients::{connect, meddled};
pub(crate) use dialer::{SimDialer, cluster_address};
pub(crate) use wires::{Door, End, Wires};

/// Bytes that may be on the way in one direction.
const WINDOW_BYTES: usize = 64 * 1024;
