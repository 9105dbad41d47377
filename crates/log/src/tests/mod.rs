//! Tests of the log as its callers see it. Those of a single module stand beside it.

mod common;
mod compaction;
mod concurrency;
mod damage;
mod golden;
mod mending;
mod reading;
mod recovery;
mod retention;
mod timestamps;
