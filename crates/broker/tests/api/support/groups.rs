//! Members of classic groups, step by step.

use bytes::Bytes;
use model::ErrorCode;
use wire::messages::join_group_request::JoinGroupRequestProtocol;
use wire::messages::sync_group_request::SyncGroupRequestAssignment;
use wire::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest,
};

use super::requests::str_bytes;
use super::{Connection, Target, error};

/// The versions in which most scenarios speak.
pub(crate) const JOIN: i16 = 9;
pub(crate) const SYNC: i16 = 5;
pub(crate) const HEARTBEAT: i16 = 4;
pub(crate) const LEAVE: i16 = 5;

/// A consumer's JoinGroup, with one protocol, `range`.
pub(crate) fn join(group: &str, member: &str) -> JoinGroupRequest {
    JoinGroupRequest::default()
        .with_group_id(GroupId(str_bytes(group)))
        .with_member_id(str_bytes(member))
        .with_session_timeout_ms(30_000)
        .with_rebalance_timeout_ms(60_000)
        .with_protocol_type(str_bytes("consumer"))
        .with_protocols(vec![protocol("range", b"subscription")])
}

pub(crate) fn protocol(name: &str, metadata: &'static [u8]) -> JoinGroupRequestProtocol {
    JoinGroupRequestProtocol::default().with_name(str_bytes(name)).with_metadata(Bytes::from_static(metadata))
}

/// A JoinGroup of a static member.
pub(crate) fn join_as(group: &str, member: &str, instance: &str) -> JoinGroupRequest {
    join(group, member).with_group_instance_id(Some(str_bytes(instance)))
}

/// SyncGroup, with an assignment for each member named.
pub(crate) fn sync(
    group: &str,
    member: &str,
    generation: i32,
    assignments: &[(&str, &'static [u8])],
) -> SyncGroupRequest {
    let assignments = assignments.iter().map(|(member, assignment)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(str_bytes(member))
            .with_assignment(Bytes::from_static(assignment))
    });
    SyncGroupRequest::default()
        .with_group_id(GroupId(str_bytes(group)))
        .with_member_id(str_bytes(member))
        .with_generation_id(generation)
        .with_protocol_type(Some(str_bytes("consumer")))
        .with_protocol_name(Some(str_bytes("range")))
        .with_assignments(assignments.collect())
}

pub(crate) fn heartbeat(group: &str, member: &str, generation: i32) -> HeartbeatRequest {
    HeartbeatRequest::default()
        .with_group_id(GroupId(str_bytes(group)))
        .with_member_id(str_bytes(member))
        .with_generation_id(generation)
}

pub(crate) fn leave(group: &str, members: &[(&str, Option<&str>)]) -> LeaveGroupRequest {
    use wire::messages::leave_group_request::MemberIdentity;
    let members = members.iter().map(|(member, instance)| {
        let instance = instance.map(str_bytes);
        MemberIdentity::default().with_member_id(str_bytes(member)).with_group_instance_id(instance)
    });
    LeaveGroupRequest::default().with_group_id(GroupId(str_bytes(group))).with_members(members.collect())
}

/// A member of a group, on a connection of its own.
pub(crate) struct Member {
    pub(crate) connection: Connection,
    pub(crate) group: String,
    pub(crate) id: String,
    pub(crate) generation: i32,
}

impl Member {
    /// Someone who has been told an id and not joined yet.
    pub(crate) async fn pending(target: &Target, group: &str) -> Member {
        let mut connection = target.coordinator(group).await;
        let told = connection.call(JOIN, &join(group, "")).await;
        assert_eq!(error(told.error_code), ErrorCode::MemberIdRequired);
        Member { connection, group: group.to_owned(), id: told.member_id.to_string(), generation: -1 }
    }

    /// The only member of a new group, with an assignment.
    pub(crate) async fn alone(target: &Target, group: &str) -> Member {
        let mut member = Member::pending(target, group).await;
        let joined = member.join().await;
        assert_eq!((error(joined.error_code), joined.leader.as_str()), (ErrorCode::None, &*member.id));
        let id = member.id.clone();
        assert_eq!(member.sync(&[(&id, b"everything")]).await, (ErrorCode::None, Bytes::from_static(b"everything")));
        member
    }

    /// Joins under its id, and waits until the others have, too.
    pub(crate) async fn join(&mut self) -> JoinGroupResponse {
        self.begin_join().await;
        self.joined().await
    }

    pub(crate) async fn begin_join(&mut self) {
        self.connection.send(JOIN, &join(&self.group, &self.id)).await;
    }

    pub(crate) async fn joined(&mut self) -> JoinGroupResponse {
        let joined = self.connection.hear::<JoinGroupRequest>(JOIN).await;
        // In which order members are told is the broker's to choose.
        let (mut shown, members) = (joined.clone(), joined.members.len());
        shown.members.truncate(if members > 1 { 0 } else { members });
        self.connection.note(format!("{members} members: {shown:?}"));
        self.generation = joined.generation_id;
        joined
    }

    pub(crate) async fn sync(&mut self, assignments: &[(&str, &'static [u8])]) -> (ErrorCode, Bytes) {
        self.begin_sync(assignments).await;
        self.synced().await
    }

    pub(crate) async fn begin_sync(&mut self, assignments: &[(&str, &'static [u8])]) {
        self.connection.send(SYNC, &sync(&self.group, &self.id, self.generation, assignments)).await;
    }

    pub(crate) async fn synced(&mut self) -> (ErrorCode, Bytes) {
        let synced = self.connection.receive::<SyncGroupRequest>(SYNC).await;
        (error(synced.error_code), synced.assignment)
    }

    pub(crate) async fn heartbeat(&mut self) -> ErrorCode {
        let request = heartbeat(&self.group, &self.id, self.generation);
        error(self.connection.call(HEARTBEAT, &request).await.error_code)
    }

    /// Heartbeats until the answer is another than this one.
    pub(crate) async fn heartbeat_while(&mut self, answer: ErrorCode) -> ErrorCode {
        loop {
            let request = heartbeat(&self.group, &self.id, self.generation);
            let found = error(self.connection.ask(HEARTBEAT, &request).await.error_code);
            if found != answer {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

/// Two members of a stable group: the leader first.
pub(crate) async fn pair(target: &Target, group: &str) -> (Member, Member) {
    let mut leader = Member::alone(target, group).await;
    let mut other = Member::pending(target, group).await;
    other.begin_join().await;
    assert_eq!(leader.heartbeat_while(ErrorCode::None).await, ErrorCode::RebalanceInProgress);
    let joined = leader.join().await;
    assert_eq!(joined.leader.as_str(), leader.id);
    other.joined().await;
    let (first, second) = (leader.id.clone(), other.id.clone());
    other.begin_sync(&[]).await;
    leader.sync(&[(&first, b"one half"), (&second, b"the other")]).await;
    assert_eq!(other.synced().await, (ErrorCode::None, Bytes::from_static(b"the other")));
    (leader, other)
}
