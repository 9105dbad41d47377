//! What a coordinator answers. Versions are the handler's: below JoinGroup 7 a null protocol goes out as "", and
//! LeaveGroup below 3 answers with the error of its one member.

use bytes::Bytes;
use model::{ErrorCode, TopicId};

/// The answer to a [`Request`](super::Request), of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To JoinGroup.
    Join(JoinReply),
    /// To SyncGroup.
    Sync(SyncReply),
    /// To Heartbeat.
    Heartbeat(ErrorCode),
    /// To LeaveGroup.
    Leave(LeaveReply),
    /// To OffsetCommit.
    Commit(CommitReply),
    /// To DeleteGroups, for one group.
    DeleteGroup(ErrorCode),
    /// To OffsetDelete.
    DeleteOffsets(DeleteOffsetsReply),
}

/// To JoinGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinReply {
    /// MEMBER_ID_REQUIRED comes with the id to join with.
    pub error: ErrorCode,
    /// -1 with an error.
    pub generation: i32,
    /// Null with an error.
    pub protocol_type: Option<String>,
    /// Null with an error.
    pub protocol: Option<String>,
    /// Member id of the leader; empty with an error.
    pub leader: String,
    /// The static leader must not assign: the stored assignment stands (KIP-814).
    pub skip_assignment: bool,
    /// Whom this answer is for.
    pub member_id: String,
    /// For the leader only: all members.
    pub members: Vec<JoinedMember>,
}

impl JoinReply {
    /// An answer that carries nothing but an error.
    pub fn error(error: ErrorCode, member_id: &str) -> Self {
        JoinReply {
            error,
            generation: -1,
            protocol_type: None,
            protocol: None,
            leader: String::new(),
            skip_assignment: false,
            member_id: member_id.to_owned(),
            members: Vec::new(),
        }
    }
}

/// A member, as the leader gets to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub member_id: String,
    /// Of a static member.
    pub instance_id: Option<String>,
    /// Its metadata for the chosen protocol.
    pub metadata: Bytes,
}

/// To SyncGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncReply {
    /// None, or why there is no assignment.
    pub error: ErrorCode,
    /// Null with an error.
    pub protocol_type: Option<String>,
    /// Null with an error.
    pub protocol: Option<String>,
    /// Opaque; empty with an error, and for a member that the leader left out.
    pub assignment: Bytes,
}

impl SyncReply {
    /// An answer that carries nothing but an error.
    pub fn error(error: ErrorCode) -> Self {
        SyncReply { error, protocol_type: None, protocol: None, assignment: Bytes::new() }
    }
}

/// To LeaveGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaveReply {
    /// Of the request as a whole.
    pub error: ErrorCode,
    /// One for each member asked for, in order; empty if the request as a whole failed.
    pub members: Vec<LeftMember>,
}

/// A member of a [`LeaveReply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftMember {
    /// As in the request.
    pub member_id: String,
    /// As in the request.
    pub instance_id: Option<String>,
    /// None: it has left.
    pub error: ErrorCode,
}

/// To OffsetCommit: one result for each partition, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommitReply {
    /// The topics.
    pub topics: Vec<CommittedTopic>,
}

/// A topic of a [`CommitReply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedTopic {
    /// As in the request.
    pub name: String,
    /// As in the request.
    pub id: TopicId,
    /// Its partitions.
    pub partitions: Vec<CommittedPartition>,
}

/// A partition of a [`CommittedTopic`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommittedPartition {
    /// Its number.
    pub partition: i32,
    /// None: the offset is durable.
    pub error: ErrorCode,
}

/// To OffsetDelete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteOffsetsReply {
    /// Of the request as a whole; then there are no topics.
    pub error: ErrorCode,
    /// Topics, with an error for each partition, in the order of the request.
    pub topics: Vec<(String, Vec<(i32, ErrorCode)>)>,
}
