//! SyncGroup: the leader brings the assignment, all wait until it is durable.

use std::collections::BTreeMap;

use bytes::Bytes;
use model::ErrorCode;

use super::group::Group;
use super::request::SyncRequest;
use super::turn::Turn;
use super::writes::After;
use super::{CallerId, GroupState, Reply, SyncReply, WriteId};

impl Turn<'_> {
    pub(super) fn sync(&mut self, group: &mut Group, caller: CallerId, request: SyncRequest) {
        if let Err(error) = validate(group, &request) {
            return self.reply(caller, Reply::Sync(SyncReply::error(error)));
        }
        match group.state {
            GroupState::CompletingRebalance => self.await_assignment(group, caller, request),
            GroupState::Stable => {
                self.has_synced(group, &request.member_id);
                let assignment = group.members.get(&*request.member_id).map(|member| member.assignment.clone());
                let reply = assigned(group, assignment.unwrap_or_default());
                self.reply(caller, Reply::Sync(reply));
            }
            GroupState::PreparingRebalance => {
                self.reply(caller, Reply::Sync(SyncReply::error(ErrorCode::RebalanceInProgress)));
            }
            GroupState::Empty | GroupState::Dead => {
                self.reply(caller, Reply::Sync(SyncReply::error(ErrorCode::UnknownMemberId)));
            }
        }
    }

    fn await_assignment(&mut self, group: &mut Group, caller: CallerId, request: SyncRequest) {
        self.has_synced(group, &request.member_id);
        let member = group.members.get_mut(&*request.member_id).expect("it was validated");
        if let Some(older) = member.syncing.replace(caller) {
            self.reply(older, Reply::Sync(SyncReply::error(ErrorCode::RebalanceInProgress)));
        }
        if group.is_leader(&request.member_id) && group.assigning.is_none() {
            let assignments = of_members(group, request.assignments);
            let of = assignments.clone();
            let after = After::Assigned { assignments };
            let given = |member: &super::member::Member| of.get(&*member.id).cloned().unwrap_or_default();
            group.assigning = Some(self.write_group(group, given, after));
        }
    }

    fn has_synced(&mut self, group: &mut Group, member_id: &str) {
        group.unsynced.remove(member_id);
        if group.unsynced.is_empty() {
            self.end_sync_phase(group);
        }
    }

    /// The leader's assignment is durable, or is not to be. Meanwhile a rebalance may have begun; then it is of no use.
    pub(super) fn assigned(
        &mut self,
        group: &mut Group,
        write: WriteId,
        mut assignments: BTreeMap<String, Bytes>,
        result: Result<(), ErrorCode>,
    ) {
        if group.state != GroupState::CompletingRebalance || group.assigning != Some(write) {
            return;
        }
        group.assigning = None;
        if let Err(error) = result {
            self.withhold_assignment(group, error);
            self.rebalance(group);
            return;
        }
        for member in group.members.values_mut() {
            member.assignment = assignments.remove(&*member.id).unwrap_or_default();
        }
        group.enter(GroupState::Stable, self.now_ms);
        let (protocol_type, protocol) = (group.protocol_type.clone(), group.protocol.clone());
        self.answer_syncs(group, |member| SyncReply {
            error: ErrorCode::None,
            protocol_type: protocol_type.clone(),
            protocol: protocol.clone(),
            assignment: member.assignment.clone(),
        });
    }

    /// Members that joined and then never asked for their assignment are out.
    pub(super) fn sync_phase_ran_out(&mut self, group: &mut Group) {
        for id in std::mem::take(&mut group.unsynced) {
            self.remove_member(group, &id);
        }
        self.prepare_rebalance(group);
    }
}

fn validate(group: &Group, request: &SyncRequest) -> Result<(), ErrorCode> {
    group.validate(&request.member_id, request.instance_id.as_deref())?;
    if request.generation != group.generation {
        return Err(ErrorCode::IllegalGeneration);
    }
    let differ = |asked: &Option<String>, group: &Option<String>| asked.is_some() && group.is_some() && asked != group;
    if differ(&request.protocol_type, &group.protocol_type) || differ(&request.protocol, &group.protocol) {
        return Err(ErrorCode::InconsistentGroupProtocol);
    }
    Ok(())
}

fn assigned(group: &Group, assignment: Bytes) -> SyncReply {
    let (protocol_type, protocol) = (group.protocol_type.clone(), group.protocol.clone());
    SyncReply { error: ErrorCode::None, protocol_type, protocol, assignment }
}

/// The assignments of those who are members, owning their bytes: those of a request would hold on to its whole frame.
fn of_members(group: &Group, assignments: Vec<(String, Bytes)>) -> BTreeMap<String, Bytes> {
    let known = assignments.into_iter().filter(|(id, _)| group.members.contains_key(&**id));
    known.map(|(id, bytes)| (id, Bytes::copy_from_slice(&bytes))).collect()
}
