//! Heartbeat, and what happens when none comes.

use model::ErrorCode;

use super::group::Group;
use super::request::HeartbeatRequest;
use super::turn::Turn;
use super::{GroupState, Reply, SyncReply};

impl Group {
    /// The member's session begins anew. Its timer stays where it is, and looks for that when its time has come: so a
    /// heartbeat touches nothing but the member.
    pub(super) fn heartbeat(&mut self, now_ms: i64, request: &HeartbeatRequest) -> ErrorCode {
        if let Err(error) = self.validate(&request.member_id, request.instance_id.as_deref()) {
            return error;
        }
        if request.generation != self.generation {
            return ErrorCode::IllegalGeneration;
        }
        if let Some(member) = self.members.get_mut(&*request.member_id) {
            member.extend_session(now_ms);
        }
        match self.state {
            GroupState::PreparingRebalance => ErrorCode::RebalanceInProgress,
            // Members may call as soon as they have joined, before the assignment is there.
            GroupState::CompletingRebalance | GroupState::Stable => ErrorCode::None,
            GroupState::Empty | GroupState::Dead => ErrorCode::UnknownMemberId,
        }
    }
}

impl Turn<'_> {
    /// Nothing was heard of a member, or of an id handed out, for its whole session.
    pub(super) fn session_ran_out(&mut self, group: &mut Group, member_id: &str) {
        if group.pending.remove(member_id) {
            self.complete_without(group);
            return;
        }
        let Some(member) = group.members.get(member_id).filter(|member| !member.waits()) else { return };
        if member.session_ends_ms > self.now_ms {
            self.start_session(group, &member.id, member.session_ends_ms); // it was heard of since
        } else {
            self.remove_member(group, member_id);
            match group.state {
                GroupState::Stable | GroupState::CompletingRebalance => {
                    self.rebalance(group);
                }
                _ => self.complete_without(group),
            }
        }
    }

    /// Someone that a rebalance waited for will not come. If that was the last, it need not wait out even its first delay.
    fn complete_without(&mut self, group: &mut Group) {
        if group.state == GroupState::PreparingRebalance && group.all_joined() {
            self.complete_join_phase(group);
        }
    }

    /// Takes a member out and answers what it waits for, so that it joins anew if it still lives.
    pub(super) fn remove_member(&mut self, group: &mut Group, member_id: &str) {
        self.end_session(group, member_id);
        let Some(member) = group.remove(member_id) else { return };
        if let Some(caller) = member.joining {
            self.refuse_join(caller, ErrorCode::UnknownMemberId, "");
        }
        if let Some(caller) = member.syncing {
            self.reply(caller, Reply::Sync(SyncReply::error(ErrorCode::UnknownMemberId)));
        }
    }
}
