//! What a broker does unasked.

pub(crate) mod checkpoints;
pub(crate) mod compaction;
pub(crate) mod reconcile;
pub(crate) mod retention;
pub(crate) mod room;
