//! JoinGroup.
//!
//! | who | in which state | what happens |
//! |---|---|---|
//! | new, dynamic | any | told its id first (KIP-394); below version 4 it is let in at once |
//! | new, static | any | let in; if its instance id is known it takes that member's place (see `static_join`) |
//! | with an id handed out | any | let in |
//! | member | PreparingRebalance | it has joined the coming generation |
//! | member, as before | CompletingRebalance | told of the generation again: it may have missed the answer |
//! | member, as before | Stable | told of the generation again; the *leader* starts a rebalance: it may know of new partitions |
//! | member, changed | both | starts a rebalance |

use std::sync::Arc;

use model::ErrorCode;
use uuid::Builder;

use super::config::{MAX_PENDING_MEMBERS, NEW_MEMBER_JOIN_TIMEOUT_MS};
use super::group::Group;
use super::member::Member;
use super::request::JoinRequest;
use super::turn::Turn;
use super::{CallerId, GroupState, JoinReply, JoinedMember, Reply};

impl Turn<'_> {
    pub(super) fn join(&mut self, group: &mut Group, caller: CallerId, request: JoinRequest) {
        if !self.has_room(group, &request.member_id) {
            self.turn_away(group, caller, &request.member_id);
        } else if !group.supports(&request.protocol_type, &request.protocols) {
            self.refuse_join(caller, ErrorCode::InconsistentGroupProtocol, &request.member_id);
        } else if request.member_id.is_empty() {
            self.join_new(group, caller, request);
        } else {
            self.join_known(group, caller, request);
        }
    }

    pub(super) fn refuse_join(&mut self, caller: CallerId, error: ErrorCode, member_id: &str) {
        self.reply(caller, Reply::Join(JoinReply::error(error, member_id)));
    }

    /// `group.max.size`. In a rebalance those count who have joined again, so that of a group that was
    /// over the limit the last to come are left out.
    fn has_room(&self, group: &Group, member_id: &str) -> bool {
        match group.state {
            GroupState::Empty | GroupState::Dead => true,
            GroupState::PreparingRebalance => {
                let waits = group.members.get(member_id).is_some_and(|member| member.joining.is_some());
                waits || group.joined() < self.config.max_size
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                group.members.contains_key(member_id) || group.members.len() < self.config.max_size
            }
        }
    }

    fn turn_away(&mut self, group: &mut Group, caller: CallerId, member_id: &str) {
        self.end_session(group, member_id);
        group.remove(member_id);
        self.refuse_join(caller, ErrorCode::GroupMaxSizeReached, "");
        self.complete_if_all_joined(group);
    }

    fn join_new(&mut self, group: &mut Group, caller: CallerId, request: JoinRequest) {
        let known_as = request.instance_id.as_ref().and_then(|instance| group.static_members.get(instance)).cloned();
        let name = request.instance_id.as_deref().unwrap_or(&request.client_id);
        let id: Arc<str> = format!("{name}-{}", Builder::from_random_bytes(self.random.bytes()).into_uuid()).into();
        match known_as {
            Some(old_id) => self.rejoin_static(group, caller, &old_id, &id, request),
            None if request.instance_id.is_none() && request.member_id_required => {
                self.hand_out_id(group, caller, id, request.session_timeout_ms);
            }
            None => self.let_in(group, caller, id, request),
        }
    }

    /// KIP-394: a client whose first join is lost would leave a member behind that nobody speaks for.
    fn hand_out_id(&mut self, group: &mut Group, caller: CallerId, id: Arc<str>, session_timeout_ms: i32) {
        if group.pending.len() >= MAX_PENDING_MEMBERS {
            return self.refuse_join(caller, ErrorCode::GroupMaxSizeReached, "");
        }
        self.start_session(group, &id, self.in_ms(session_timeout_ms));
        self.refuse_join(caller, ErrorCode::MemberIdRequired, &id);
        group.pending.insert(id);
    }

    fn let_in(&mut self, group: &mut Group, caller: CallerId, id: Arc<str>, request: JoinRequest) {
        if let Some(initial) = &mut group.initial {
            initial.someone_joined = true;
        }
        if group.members.is_empty() {
            group.protocol_type = Some(request.protocol_type.clone());
        }
        group.add(Member::new(id.clone(), caller, request));
        self.start_session(group, &id, self.in_ms(NEW_MEMBER_JOIN_TIMEOUT_MS));
        self.rebalance(group);
    }

    fn join_known(&mut self, group: &mut Group, caller: CallerId, request: JoinRequest) {
        let id = request.member_id.clone();
        if group.pending.contains(&*id) {
            return match request.instance_id {
                // Ids are handed out to dynamic members only. Kafka has no better word for it either.
                Some(_) => self.refuse_join(caller, ErrorCode::UnknownServerError, &id),
                None => self.let_in(group, caller, id.as_str().into(), request),
            };
        }
        if let Err(error) = group.validate(&id, request.instance_id.as_deref()) {
            return self.refuse_join(caller, error, &id);
        }
        let unchanged = group.members.get(&*id).is_some_and(|member| member.matches(&request.protocols));
        let stay = match group.state {
            GroupState::CompletingRebalance => unchanged,
            GroupState::Stable => unchanged && !group.is_leader(&id),
            GroupState::Empty | GroupState::PreparingRebalance | GroupState::Dead => false,
        };
        if stay {
            let reply = self.joined(group, &id);
            return self.reply(caller, Reply::Join(reply));
        }
        let (_, older) = group.update(&id, caller, request);
        self.answer_older_join(older, &id);
        self.rebalance(group);
    }

    /// A JoinGroup sent twice, since the client lost its connection: the older one still wants an answer.
    pub(super) fn answer_older_join(&mut self, older: Option<CallerId>, member_id: &str) {
        if let Some(older) = older {
            self.refuse_join(older, ErrorCode::RebalanceInProgress, member_id);
        }
    }

    /// What a member of the present generation is told.
    pub(super) fn joined(&self, group: &Group, member_id: &str) -> JoinReply {
        JoinReply {
            error: ErrorCode::None,
            generation: group.generation,
            protocol_type: group.protocol_type.clone(),
            protocol: group.protocol.clone(),
            leader: group.leader.as_deref().unwrap_or_default().to_owned(),
            skip_assignment: false,
            member_id: member_id.to_owned(),
            members: if group.is_leader(member_id) { joined_members(group) } else { Vec::new() },
        }
    }
}

fn joined_members(group: &Group) -> Vec<JoinedMember> {
    let protocol = group.protocol.as_deref();
    let known = |member: &Member| JoinedMember {
        member_id: member.id.to_string(),
        instance_id: member.instance_id.clone(),
        metadata: member.metadata(protocol).cloned().unwrap_or_default(),
    };
    group.members.values().map(known).collect()
}
