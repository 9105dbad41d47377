//! The broker: listeners, connections, one handler for each API, and the work behind them.
//!
//! It is not where records are kept (`shard`, `log`), replicated (`raft`) or described (`wire`): it
//! ties them together.
//!
//! | module | what it holds |
//! |---|---|
//! | `start`, `directory`, `sizes`, `broker`, `env`, `meta` | a broker's life, and what its parts share |
//! | `cluster` | this broker among others |
//! | `repair` | giving up what is damaged, while no broker runs |
//! | `listener`, `connections`, `pace`, `connection`, `dispatch` | from a socket to a handler, and back |
//! | `api` | one file for each API key |
//! | `admission`, `recompression`, `room`, `topics` | what must hold before a batch is proposed, and what is done to it |
//! | `fetch` | reading within a budget, waiting, sessions |
//! | `groups` | the tasks of group coordinators |
//! | `telemetry` | metrics that clients push |
//! | `settings` | settings that change while running |
//! | `creation`, `distinct`, `endpoints`, `hints`, `operations`, `replies`, `text` | what several handlers need |
//! | `background` | reconciling, checkpoints, retention, compaction |

mod admission;
mod api;
mod background;
mod boot;
mod broker;
mod budget;
mod cluster;
mod connection;
mod connections;
mod creation;
mod directory;
mod dispatch;
mod distinct;
mod endpoints;
mod env;
mod error;
mod fetch;
mod gaps;
mod groups;
mod hints;
mod inbox;
mod listener;
mod meta;
mod operations;
mod pace;
mod recompression;
mod repair;
mod replies;
mod room;
mod settings;
mod sizes;
mod start;
mod telemetry;
mod text;
mod topics;

pub use broker::Broker;
pub use cluster::Incoming;
pub use env::Env;
pub use error::StartError;
pub use listener::Listener;
pub use meta::{FORMAT, Meta};
pub use repair::{Finding, repair};
pub use settings::{Loggers, ROOT as ROOT_LOGGER};
pub use start::Running;
pub use telemetry::PushedMetrics;
