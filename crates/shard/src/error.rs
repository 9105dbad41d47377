//! What can keep a shard from starting.

use manifest::ManifestError;
use model::GroupId;
use raft::RaftError;

/// A shard could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// Its manifest could not be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Its Raft group could not be started.
    #[error(transparent)]
    Raft(#[from] RaftError),
    /// Its manifest holds what this version cannot read.
    #[error(
        "the manifest of {group} holds a value that this version cannot read ({why}); start the version that wrote it"
    )]
    Malformed {
        /// The shard.
        group: GroupId,
        /// What is wrong.
        why: String,
    },
    /// More is damaged than entries of the journal.
    #[error("{group} can't be repaired: {why}; restore the data directory from a backup")]
    BeyondRepair {
        /// The shard.
        group: GroupId,
        /// What is wrong.
        why: String,
    },
}

impl ShardError {
    /// Whether what is wrong is this shard's alone: its bytes are bad or gone, and other shards of the
    /// same directory may be as they should. (What only another version reads is no damage.)
    pub fn is_damage(&self) -> bool {
        use ManifestError::{Damaged, Io};
        matches!(self, ShardError::Manifest(Damaged { .. } | Io { .. }) | ShardError::Raft(RaftError::Lost { .. }))
    }

    pub(crate) fn malformed(group: GroupId, why: impl std::fmt::Display) -> Self {
        ShardError::Malformed { group, why: why.to_string() }
    }
}
