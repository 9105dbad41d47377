//! What can go wrong, as callers need to tell it apart.

use std::sync::Arc;

use model::{BrokerId, ErrorCode, GroupId};

use crate::Voter;

/// Why a group did not start, or did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RaftError {
    /// The journal or the state machine's files failed; the group is of no more use until a restart.
    #[error("storage of raft group {group} failed: {reason}; mend the disk and restart the broker")]
    Storage {
        /// Which group.
        group: GroupId,
        /// What the storage said.
        reason: Arc<str>,
    },
    /// What the journal or the manifest holds of this group can't be understood.
    #[error("raft group {group} holds a {what} that this version can't read; use the version that wrote it")]
    Unreadable {
        /// Which group.
        group: GroupId,
        /// Vote, membership, entry.
        what: &'static str,
    },
    /// The journal and the manifest do not belong together, or were damaged: entries are missing.
    #[error("raft group {group} has lost entries: {what}; restore the data directory, or start with an empty one")]
    Lost {
        /// Which group.
        group: GroupId,
        /// What is missing.
        what: Arc<str>,
    },
    /// A setting that cannot be.
    #[error("raft group {group} can't start: {reason}")]
    Config {
        /// Which group.
        group: GroupId,
        /// What is wrong with it.
        reason: Arc<str>,
    },
    /// A message reached the wrong broker, or one that has another directory now.
    #[error("raft group {group}: a message for voter {to} arrived here; whoever sent it has an old address")]
    NotMe {
        /// Which group.
        group: GroupId,
        /// Whom it was for.
        to: Voter,
    },
    /// The group was shut down.
    #[error("raft group {group} has stopped")]
    Stopped {
        /// Which group.
        group: GroupId,
    },
}

/// Why a proposal was not applied, or is not known to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// Another member leads; nothing was written here.
    #[error("raft group {group} is led by {}; send it there", leader.map_or("nobody yet".to_owned(), |id| format!("broker {id}")))]
    NotLeader {
        /// Which group.
        group: GroupId,
        /// The leader, as far as it is known.
        leader: Option<BrokerId>,
    },
    /// This member leads, but its term's first entry is not applied yet.
    #[error("raft group {group} is taking over leadership; try again in a moment")]
    NotReady {
        /// Which group.
        group: GroupId,
    },
    /// Another member took over while the entry was on its way. Whether it survives is unknown.
    #[error("raft group {group} changed its leader; whether the proposal survives is unknown")]
    Overtaken {
        /// Which group.
        group: GroupId,
    },
    /// The payload is above the group's budget, so that it could never be queued.
    #[error("a proposal of {bytes} bytes to raft group {group} is above its budget of {limit}; send less at once")]
    TooLarge {
        /// Which group.
        group: GroupId,
        /// Its size.
        bytes: usize,
        /// The budget.
        limit: usize,
    },
    /// Storage failed. What was not queued yet is not written; of what was, that is unknown.
    #[error("storage of raft group {group} failed; mend the disk and restart the broker")]
    Storage {
        /// Which group.
        group: GroupId,
    },
    /// The group stopped. Whether the proposal survives is unknown.
    #[error("raft group {group} has stopped; whether the proposal was written is unknown")]
    Stopped {
        /// Which group.
        group: GroupId,
    },
}

/// Why a change of who leads, or who is a member, was not made, or is not known to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Another member leads; ask that one.
    #[error("raft group {group} is led by {}; ask there", leader.map_or("nobody yet".to_owned(), |id| format!("broker {id}")))]
    NotLeader {
        /// Which group.
        group: GroupId,
        /// The leader, as far as it is known.
        leader: Option<BrokerId>,
    },
    /// Nobody could lead instead: no other voter answers and has nearly all entries.
    #[error("raft group {group} has no voter that could lead instead; wait until one has caught up")]
    NoSuccessor {
        /// Which group.
        group: GroupId,
    },
    /// A new voter can't be reached, or does not come nearer to what the others have.
    #[error("voter {voter} is too far behind to vote in raft group {group}; check its broker and try again")]
    Behind {
        /// Which group.
        group: GroupId,
        /// Who.
        voter: Voter,
    },
    /// A group can't do without voters.
    #[error("raft group {group} needs a voter; name one at least")]
    NoVoters {
        /// Which group.
        group: GroupId,
    },
    /// It was not done in time. It may still be: ask again.
    #[error("raft group {group} did not get to it in time; try again")]
    TimedOut {
        /// Which group.
        group: GroupId,
    },
    /// The group stopped.
    #[error("raft group {group} has stopped")]
    Stopped {
        /// Which group.
        group: GroupId,
    },
}

impl ProposeError {
    /// Kafka's error for a request on a partition of this group; all but one tell clients to retry.
    ///
    /// After a failed disk that is what Kafka answers where a log directory failed: clients look for a new
    /// leader and try again, as they do after NOT_LEADER_OR_FOLLOWER, and their users read what is wrong.
    pub fn code(&self) -> ErrorCode {
        match self {
            ProposeError::NotLeader { .. } | ProposeError::Overtaken { .. } | ProposeError::Stopped { .. } => {
                ErrorCode::NotLeaderOrFollower
            }
            ProposeError::NotReady { .. } => ErrorCode::LeaderNotAvailable,
            ProposeError::TooLarge { .. } => ErrorCode::MessageTooLarge,
            ProposeError::Storage { .. } => ErrorCode::KafkaStorageError,
        }
    }
}
