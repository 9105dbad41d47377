//! Why a controller could not be opened or kept.

use crate::format::FormatError;

/// What ends a controller, rather than one request to it.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// The manifest or the log holds what this build can't read.
    #[error("the cluster's metadata can't be read: {0}")]
    Format(#[from] FormatError),
}
