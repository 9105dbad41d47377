//! One to five whole brokers, their clients, disks, network and clocks in one thread, from one seed.
//!
//! A run draws the brokers' settings, topics and clients from its seed, and lets them work while faults
//! strike: power cuts that lose and tear unsynced writes, kills, stops, pauses, a full disk, failed fsyncs
//! and writes, unreadable files, flipped bits, cut connections, jumps of a clock; in a cluster also
//! partitions of the network (of one broker, of two, in one direction), slow links, a wiped disk, and the end of
//! all brokers at once. Then it must all work again, and what was acknowledged must be there, on each replica
//! alike. The same seed gives the same run, to the byte.
//!
//! It is not a test of speed, and finds nothing that needs two threads at once.
//!
//! ```
//! let report = testkit::sim::run(1);
//! assert_eq!(report.findings, []);
//! assert_eq!(report.digest, testkit::sim::run(1).digest);
//! ```
//!
//! | module | what |
//! |---|---|
//! | `run`, `scenario` | a run from its beginning to its end, and what is drawn for it |
//! | `world`, `env`, `rng`, `trace` | what all parts share: time, threads, randomness, the fingerprint |
//! | `fleet`, `node`, `network` | the brokers and their connections |
//! | `client`, `topics` | producers, readers, group members, admins |
//! | `chores` | topics that come and go, deletions of records |
//! | `nemesis`, `heal`, `replicas` | faults, and what must hold after them |
//! | `promises` | what is checked besides the [history](crate::history) |

#[cfg(not(tokio_unstable))]
compile_error!("a run cannot repeat itself unless tokio is seeded: build with the flags of .cargo/config.toml");

mod chores;
mod client;
mod env;
mod fleet;
mod heal;
mod nemesis;
mod network;
mod node;
mod promises;
mod replicas;
mod report;
mod rng;
mod run;
mod scenario;
mod tampering;
#[cfg(test)]
mod tests;
mod topics;
mod trace;
mod world;

pub use promises::{Finding, Rule};
pub use report::{Report, Summary};
pub use run::{elapsed, run, run_cluster};
