//! LeaveGroup: one member of itself, or an administrator for several (KIP-345).

use model::ErrorCode;

use super::group::Group;
use super::request::{LeaveRequest, LeavingMember};
use super::turn::Turn;
use super::{CallerId, GroupState, LeaveReply, LeftMember, Reply};

impl Turn<'_> {
    pub(super) fn leave(&mut self, group: &mut Group, caller: CallerId, request: LeaveRequest) {
        let before = group.members.len();
        let leave = |leaving: LeavingMember| {
            let error = self.leave_one(group, &leaving).err().unwrap_or(ErrorCode::None);
            LeftMember { member_id: leaving.member_id, instance_id: leaving.instance_id, error }
        };
        let members = request.members.into_iter().map(leave).collect();
        let write = match group.state {
            GroupState::Stable | GroupState::CompletingRebalance if group.members.len() < before => {
                self.rebalance(group)
            }
            GroupState::PreparingRebalance => self.complete_if_all_joined(group),
            _ => None,
        };
        let reply = Reply::Leave(LeaveReply { error: ErrorCode::None, members });
        match write {
            Some(write) => self.writes.answer_after(write, caller, reply),
            None => self.reply(caller, reply),
        }
    }

    fn leave_one(&mut self, group: &mut Group, leaving: &LeavingMember) -> Result<(), ErrorCode> {
        let instance_id = leaving.instance_id.as_deref();
        if leaving.member_id.is_empty() {
            let id = instance_id.and_then(|instance| group.static_members.get(instance)).cloned();
            self.remove_member(group, &id.ok_or(ErrorCode::UnknownMemberId)?);
        } else if group.pending.remove(&*leaving.member_id) {
            self.end_session(group, &leaving.member_id);
        } else {
            group.validate(&leaving.member_id, instance_id)?;
            self.remove_member(group, &leaving.member_id);
        }
        Ok(())
    }
}

/// The answer where there is no such group: Kafka says it of each member.
pub(super) fn leave_unknown_group(request: LeaveRequest) -> LeaveReply {
    let error = ErrorCode::UnknownMemberId;
    let left = |LeavingMember { member_id, instance_id, .. }| LeftMember { member_id, instance_id, error };
    LeaveReply { error: ErrorCode::None, members: request.members.into_iter().map(left).collect() }
}
