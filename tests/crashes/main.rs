//! The real binary started, stopped and killed, at rest and under load.
#![expect(clippy::unwrap_used, reason = "a step that fails is the test's failure")]

mod load;
mod start_and_stop;
mod under_load;
