//! What a group says about itself.

use model::BrokerId;

/// A group as its own member sees it; watch it with [`crate::Group::status`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Status {
    /// Who leads, as far as this member knows.
    pub leader: Option<BrokerId>,
    /// The current term; it only grows.
    pub term: u64,
    /// At the leader: its term's first entry is applied, so that it may answer. Elsewhere: a leader
    /// is known to follow.
    pub ready: bool,
    /// The group has stopped for good: shut down, or its storage failed.
    pub stopped: bool,
    /// It stopped because storage failed: only a restart helps.
    pub failed: bool,
}
