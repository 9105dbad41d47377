//! The behaviour of classic groups, as scripts: see [`script`] for how to read one.

mod commit;
mod delete;
mod heartbeat;
mod join;
mod leadership;
mod leave;
mod listing;
mod rebalance;
mod retention;
mod script;
mod static_members;
mod sync;
mod walk;

use script::{Scene, check};
