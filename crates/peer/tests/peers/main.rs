//! Brokers that connect with one another over a network in memory, in stopped time.
//!
//! | module | what it is about |
//! |---|---|
//! | `presence` | connections that come about, break, and are made again; who is gone |
//! | `membership` | who is refused: other clusters, ids in use, wrong addresses |
//! | `secrecy` | strangers, wrong secrets, tampering |
//! | `calls` | replies, order, urgency, bounds, deadlines |
//! | `trouble` | all of that at random, from a seed |
//! | `support` | the network, and a service that does what the kind of a call says |

#![expect(clippy::unwrap_used, reason = "tests")]

mod calls;
mod membership;
mod presence;
mod secrecy;
mod support;
mod trouble;
