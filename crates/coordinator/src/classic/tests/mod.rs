//! The behaviour of classic groups, as scripts: see [`script`] for how to read one.

mod heartbeat;
mod join;
mod leave;
mod rebalance;
mod script;
mod sync;

use script::{Scene, check};
