//! A Raft group, generic over the state machine that it applies its entries to: a leader's
//! proposals go to the journal, and, once committed, to the machine, in one order everywhere.
//!
//! It is not a place for what entries mean (`shard`, `controller`), nor for files (`journal`).
//! openraft does the consensus; nothing outside of this crate names it.
//!
//! With several members: what one sends to another goes through a [`Transport`], which hands it to
//! [`Group::receive`] there ([`transport`] has its bytes). [`Group::holds_lease`] says whether a leader
//! may answer by itself, [`Group::hand_over`] and [`Group::leader_gone`] pass leadership on,
//! [`Group::set_members`] changes who is in the group, and one that is behind what the others have
//! purged takes the state, by [`StateMachine::offer`], [`CatchUp`] and [`StateMachine::install`].
//!
//! ```
//! use std::{io, path::Path, sync::Arc};
//! use bytes::Bytes;
//! use raft::{Applied, Config, EntryId, Group, StateMachine, Voter};
//!
//! /// Counts the bytes of all proposals.
//! struct Sum(usize);
//!
//! impl StateMachine for Sum {
//!     type Response = usize;
//!     fn applied(&self) -> Option<Applied> { None }
//!     fn apply(&mut self, _id: EntryId, payload: &Bytes) -> usize { self.0 += payload.len(); self.0 }
//!     fn term_started(&mut self, _id: EntryId) {}
//!     fn checkpoint(&mut self, _applied: Applied) -> Box<dyn FnOnce() -> io::Result<()> + Send> {
//!         Box::new(|| Ok(()))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let disk = Arc::new(disk::SimDisk::new(1));
//! let threads = Arc::new(model::Threads);
//! let options = journal::Options::default();
//! let (journal, _) = journal::Journal::open(disk, Path::new("journal"), [7; 16], options, threads.clone())?;
//! let me = Voter::new(model::BrokerId(1), uuid::Uuid::from_bytes([7; 16]));
//! let group = Group::start(Config::single(model::GroupId(1), me), journal, Sum(0), threads).await?;
//! group.status().wait_for(|status| status.ready).await?;
//!
//! let first = group.propose("one".into()).await?; // queued
//! let second = group.propose("two".into()).await?;
//! assert_eq!(first.await?.1, 3); // durable and applied
//! assert_eq!(second.await?.1, 6);
//! group.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod cluster;
mod config;
mod core;
mod error;
mod group;
mod members;
mod state_machine;
mod status;
pub mod transport;

pub use config::{Config, MAX_PROPOSED_BYTES, MAX_RETAINED_BYTES, Timings, Voter, vote_after};
pub use error::{ChangeError, ProposeError, RaftError};
pub use group::{Group, Proposal};
pub use journal::EntryId;
pub use members::{Follower, Members, Reach};
pub use state_machine::{Applied, CatchUp, Kept, StateMachine};
pub use status::Status;
pub use transport::Transport;
