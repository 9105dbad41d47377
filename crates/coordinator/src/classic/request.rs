//! What is asked of a coordinator. Fields are those of Kafka's requests; what differs by version is spelled out,
//! so that no API version comes in here.

use bytes::Bytes;
use model::TopicId;

/// A request to one group.
#[derive(Debug, Clone)]
pub enum Request {
    /// JoinGroup: answered when the rebalance's join phase ends.
    Join(JoinRequest),
    /// SyncGroup: answered when the leader's assignment is durable.
    Sync(SyncRequest),
    /// Heartbeat: answered at once.
    Heartbeat(HeartbeatRequest),
    /// LeaveGroup: answered at once, or when the emptied group is durable.
    Leave(LeaveRequest),
    /// OffsetCommit: answered when durable.
    Commit(CommitRequest),
    /// DeleteGroups, one group: answered when durable.
    DeleteGroup {
        /// The group to delete.
        group: String,
    },
    /// OffsetDelete: answered when durable.
    DeleteOffsets(DeleteOffsetsRequest),
}

impl Request {
    /// The group that it is about.
    pub fn group(&self) -> &str {
        match self {
            Request::Join(JoinRequest { group, .. })
            | Request::Sync(SyncRequest { group, .. })
            | Request::Heartbeat(HeartbeatRequest { group, .. })
            | Request::Leave(LeaveRequest { group, .. })
            | Request::Commit(CommitRequest { group, .. })
            | Request::DeleteGroup { group }
            | Request::DeleteOffsets(DeleteOffsetsRequest { group, .. }) => group,
        }
    }
}

/// JoinGroup.
#[derive(Debug, Clone, Default)]
pub struct JoinRequest {
    /// The group to join.
    pub group: String,
    /// Empty for a new member.
    pub member_id: String,
    /// Of a static member (KIP-345).
    pub instance_id: Option<String>,
    /// From the request header; empty if null.
    pub client_id: String,
    /// The peer as Kafka shows it: `/127.0.0.1`.
    pub client_host: String,
    /// How long the member may be silent.
    pub session_timeout_ms: i32,
    /// How long a rebalance may wait for the member; negative (version 0): as long as its session.
    pub rebalance_timeout_ms: i32,
    /// `consumer`, `connect`, ...
    pub protocol_type: String,
    /// What it can assign by, best first, with metadata for each. Names should be unique; of two alike the first counts.
    pub protocols: Vec<Protocol>,
    /// Version 4 and later: a new dynamic member is first told its id (KIP-394).
    pub member_id_required: bool,
    /// Version 9 and later: a static leader that comes back may be told to skip assigning (KIP-814).
    pub can_skip_assignment: bool,
    /// Why, in the client's words (version 8).
    pub reason: Option<String>,
}

/// One way to assign that a member supports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol {
    /// `range`, `cooperative-sticky`, ...
    pub name: String,
    /// Opaque to the broker.
    pub metadata: Bytes,
}

/// SyncGroup.
#[derive(Debug, Clone, Default)]
pub struct SyncRequest {
    /// The group.
    pub group: String,
    /// Who asks.
    pub member_id: String,
    /// Of a static member.
    pub instance_id: Option<String>,
    /// The generation joined.
    pub generation: i32,
    /// Version 5 and later: must be the group's, if given.
    pub protocol_type: Option<String>,
    /// Version 5 and later: must be the group's, if given.
    pub protocol: Option<String>,
    /// From the leader: what each member gets, by member id.
    pub assignments: Vec<(String, Bytes)>,
}

/// Heartbeat.
#[derive(Debug, Clone, Default)]
pub struct HeartbeatRequest {
    /// The group.
    pub group: String,
    /// Who is alive.
    pub member_id: String,
    /// Of a static member.
    pub instance_id: Option<String>,
    /// The generation it believes in.
    pub generation: i32,
}

/// LeaveGroup; before version 3 with one member.
#[derive(Debug, Clone, Default)]
pub struct LeaveRequest {
    /// The group.
    pub group: String,
    /// Who leaves.
    pub members: Vec<LeavingMember>,
}

/// A member that leaves.
#[derive(Debug, Clone, Default)]
pub struct LeavingMember {
    /// Empty when an administrator removes a static member by its instance id.
    pub member_id: String,
    /// Of a static member.
    pub instance_id: Option<String>,
    /// Why, in the client's words (version 5).
    pub reason: Option<String>,
}

/// OffsetCommit, of partitions whose topic exists and may be read: others are for the handler to answer.
#[derive(Debug, Clone, Default)]
pub struct CommitRequest {
    /// The group; may be empty, for compatibility with the oldest clients.
    pub group: String,
    /// Empty for consumers without membership, and for administrators.
    pub member_id: String,
    /// Of a static member.
    pub instance_id: Option<String>,
    /// Negative for consumers without membership.
    pub generation: i32,
    /// Versions 2 to 4: how long to keep the offsets; `None` (-1 on the wire): as the broker is configured.
    pub retention_ms: Option<i64>,
    /// Version 9 and later: an unknown group is GROUP_ID_NOT_FOUND; before that, ILLEGAL_GENERATION.
    pub group_not_found_known: bool,
    /// What to commit.
    pub topics: Vec<CommitTopic>,
}

/// A topic of a [`CommitRequest`].
#[derive(Debug, Clone)]
pub struct CommitTopic {
    /// Its name.
    pub name: String,
    /// Its id, or [`TopicId::NIL`] if the request came by name and the id is not known.
    pub id: TopicId,
    /// Its partitions.
    pub partitions: Vec<CommitPartition>,
}

/// A partition of a [`CommitTopic`].
#[derive(Debug, Clone)]
pub struct CommitPartition {
    /// Its number.
    pub partition: i32,
    /// The next offset to read.
    pub offset: i64,
    /// Of the last record read; -1 if unknown.
    pub leader_epoch: i32,
    /// The client's own words; null counts as empty.
    pub metadata: Option<String>,
}

/// OffsetDelete.
#[derive(Debug, Clone, Default)]
pub struct DeleteOffsetsRequest {
    /// The group.
    pub group: String,
    /// Topics with partitions.
    pub topics: Vec<(String, Vec<i32>)>,
}
