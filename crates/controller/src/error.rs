//! What ends a controller, and why a command was not applied.

use manifest::ManifestError;
use model::{BrokerId, ErrorCode};
use raft::{ProposeError, RaftError};

use crate::apply::Refusal;
use crate::format::FormatError;

/// What ends a controller, rather than one request to it.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// The manifest or the log holds what this build can't read. The image stays as it was before.
    #[error("the cluster's metadata can't be read: {0}")]
    Format(#[from] FormatError),
    /// The manifest's file.
    #[error("the cluster's metadata can't be opened: {0}")]
    Manifest(#[from] ManifestError),
    /// The group, or the journal below it.
    #[error(transparent)]
    Raft(#[from] RaftError),
    /// The group stopped before it had a leader.
    #[error("the controller's group has stopped; the log says why")]
    Stopped,
}

impl ControllerError {
    /// Whether bytes of this broker's replica are bad or gone. (What only another version reads is no damage.)
    pub fn is_damage(&self) -> bool {
        use ManifestError::{Damaged, Io};
        matches!(
            self,
            ControllerError::Manifest(Damaged { .. } | Io { .. }) | ControllerError::Raft(RaftError::Lost { .. })
        )
    }
}

/// Why a command was not applied, or is not known to be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SubmitError {
    /// The command was applied, and said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The broker that leads the controller's group was not found, or not reached, in time; nothing
    /// happened.
    #[error("the controller was not reached in time ({}); nothing was changed, try again", leader.map_or("no broker leads it".to_owned(), |id| format!("broker {id} leads it")))]
    NotController {
        /// Who leads it, if known.
        leader: Option<BrokerId>,
    },
    /// The command was sent to the leader, and no answer came: it may or may not be applied.
    #[error("whether broker {leader} made the change is unknown ({reason}); look whether it was made")]
    Unknown {
        /// Who led.
        leader: BrokerId,
        /// What went wrong.
        reason: String,
    },
    /// No majority answered in time: the command may or may not be applied.
    #[error("the controller's group did not answer in time; look whether the change was made")]
    TimedOut,
    /// The group stopped, or its storage failed: the command may or may not be applied.
    #[error("the controller's group is not available: {0}")]
    Unavailable(ProposeError),
}

impl SubmitError {
    /// What a client is told.
    pub fn code(&self) -> ErrorCode {
        match self {
            SubmitError::Refused(refusal) => refusal.code,
            SubmitError::NotController { .. } | SubmitError::Unknown { .. } => ErrorCode::NotController,
            SubmitError::TimedOut => ErrorCode::RequestTimedOut,
            SubmitError::Unavailable(ProposeError::Storage { .. }) => ErrorCode::KafkaStorageError,
            SubmitError::Unavailable(_) => ErrorCode::NotController,
        }
    }
}

pub(crate) fn too_large(bytes: usize, limit: usize) -> Refusal {
    let message = format!("A change of {bytes} bytes is larger than the limit of {limit}: make it in parts.");
    Refusal::new(ErrorCode::PolicyViolation, message)
}
