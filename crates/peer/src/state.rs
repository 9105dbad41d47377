//! How it stands with another broker.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::Identity;

/// How it stands with another broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PeerState {
    /// There is a connection. Another incarnation than before means that the process before is gone: whoever
    /// follows these states through a watch may not see it down in between.
    Up {
        /// With this process.
        identity: Arc<Identity>,
    },
    /// There is none.
    Down {
        /// What the last attempt came to, in words for people.
        why: String,
        /// Whether the process that there was a connection with is known to be dead: it said so itself as it
        /// stopped, or its connection broke and its port refuses another
        /// ([`crate::Options::refusal_means_gone`]).
        gone: bool,
        /// When the last connection ended, or when this broker was first told of the other.
        since: Instant,
    },
}

impl PeerState {
    /// The process at the other end of the connection, if there is one.
    pub fn identity(&self) -> Option<&Arc<Identity>> {
        match self {
            PeerState::Up { identity } => Some(identity),
            PeerState::Down { .. } => None,
        }
    }

    /// Whether there is a connection.
    pub fn is_up(&self) -> bool {
        self.identity().is_some()
    }

    /// Whether there is a connection, or there was one not so long ago.
    pub fn was_up_within(&self, time: Duration) -> bool {
        match self {
            PeerState::Up { .. } => true,
            PeerState::Down { since, .. } => since.elapsed() < time,
        }
    }

    /// Whether the process is known to be dead.
    pub fn is_gone(&self) -> bool {
        matches!(self, PeerState::Down { gone: true, .. })
    }
}
