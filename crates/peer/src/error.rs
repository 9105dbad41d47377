//! What can become of a call.

use model::BrokerId;

use crate::secret::MIN_SECRET_BYTES;

/// Why a call has no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Nobody has told of this broker: see [`crate::Peers::know`]. Nothing was sent.
    #[error("broker {0} is not known here; the cluster image has to name it first")]
    Unknown(BrokerId),
    /// There is no connection. Nothing was sent.
    #[error("broker {to} can't be reached: {why}; check its process and the network between")]
    Down {
        /// Whom it was meant for.
        to: BrokerId,
        /// What the last attempt came to.
        why: String,
    },
    /// As many bytes wait to be sent as may ([`crate::Options::queue_bytes`]). Nothing was sent; try again
    /// when other calls are answered.
    #[error("broker {to} is slow: {queued_bytes} bytes wait to be sent to it; try again later")]
    Busy {
        /// Whom it was meant for.
        to: BrokerId,
        /// What is before it.
        queued_bytes: usize,
    },
    /// The message is longer than [`crate::MAX_MESSAGE_BYTES`]. Nothing was sent.
    #[error("a message of {bytes} bytes to a broker is longer than {}; send it in parts", crate::MAX_MESSAGE_BYTES)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The connection broke before the reply; the other broker may have received the call.
    #[error("the connection was lost before the reply came: {why}")]
    Lost {
        /// How it broke.
        why: String,
    },
    /// No reply within [`crate::Options::call_timeout`]; the other broker may have received the call.
    #[error("no reply came in time")]
    Timeout,
    /// The other broker's [`crate::Service`] has refused it, in these words.
    #[error("{0}")]
    Failed(String),
    /// Nobody answers at an address. Nothing was sent.
    #[error("{0}")]
    Unreachable(String),
    /// Who answers at an address is not of this cluster, or finds fault with this broker. Nothing was sent.
    #[error("{0}")]
    Refused(String),
    /// The address is this broker's own.
    #[error("this is the broker's own address")]
    Myself,
    /// This broker is being shut down.
    #[error("the broker is being shut down")]
    Stopped,
}

impl CallError {
    /// Whether the other broker can't have received the call, so that it may be sent again whatever it does.
    pub fn was_never_sent(&self) -> bool {
        match self {
            CallError::Unknown(_) | CallError::Down { .. } | CallError::Busy { .. } | CallError::TooLong { .. } => true,
            CallError::Unreachable(_) | CallError::Refused(_) | CallError::Myself => true,
            CallError::Lost { .. } | CallError::Timeout | CallError::Failed(_) | CallError::Stopped => false,
        }
    }
}

/// A text that is no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cluster's secret has {bytes} bytes, and needs {MIN_SECRET_BYTES} at least; take random ones")]
pub struct SecretError {
    pub(crate) bytes: usize,
}
