//! The real binary stopped and killed under load.
#![expect(clippy::unwrap_used, reason = "a step that fails is the test's failure")]

mod catching_up;
mod cluster;
mod load;
mod moves;
mod partitions;
mod rejoining;
mod under_load;
