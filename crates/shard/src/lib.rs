//! A shard: the Raft group that carries many partitions, and the state that it replicates.
//!
//! Entries come out of the Raft group committed and in order; [`Machine`] applies them to the
//! partition logs. Everybody else on the broker reads the partitions through a [`View`]. It is not
//! concerned with who may write what, nor with time: leaders decide, entries say so.
//!
//! | module | what it holds |
//! |---|---|
//! | [`entry`] | the entries, byte by byte |
//! | `machine`, `append`, `lifecycle`, `moves` | apply |
//! | `producers` | idempotence: duplicates, gaps, fencing |
//! | `stall`, `health` | what happens when the disk refuses |
//! | `checkpoint`, `garbage`, `restore` | the manifest, and starting from it |
//! | `catch_up` | taking another member's state |
//! | `repair`, `leave` | going on without entries that are damaged; removing a shard |
//! | `partition`, `view`, `waiters` | what readers see |

mod append;
mod catch_up;
mod checkpoint;
pub mod entry;
mod error;
mod garbage;
mod health;
mod leave;
mod lifecycle;
mod limits;
mod machine;
mod moves;
mod partition;
mod producers;
mod questions;
mod repair;
mod restore;
mod shard;
mod stall;
mod sweep;
mod view;
mod waiters;

pub use append::{AppendResult, Appended};
pub use catch_up::{Reading, Source};
pub use error::ShardError;
pub use health::Health;
pub use leave::{distrust, distrusted, forget, is_left, mark_left, remove_left, trust};
pub use log::PIECE_BYTES;
pub use machine::{Machine, Outcome};
pub use partition::{EpochBase, KnownProducers, Partition, Stage};
pub use questions::ActiveProducer;
pub use repair::{Loss, LostRecords, accept, examine};
pub use shard::{Options, Shard};
pub use sweep::sweep;
pub use view::View;
pub use waiters::{Wait, Waiters};
