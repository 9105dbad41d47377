//! Tests of the crate as its callers see it. Those of a single module stand beside it.

mod golden;
mod recompressing;
mod refusals;
mod retaining;
mod round_trip;
