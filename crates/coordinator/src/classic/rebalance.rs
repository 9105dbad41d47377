//! Rebalances: from the first cause to the new generation.

use model::ErrorCode;

use super::group::{Group, InitialDelay};
use super::turn::Turn;
use super::writes::After;
use super::{GroupState, Reply, SyncReply, WriteId};

/// A join phase that nobody came to is not repeated faster than this: a client may say that its rebalance timeout is 0,
/// and the broker would be busy with its group for ever.
const LEAST_JOIN_PHASE_AGAIN_MS: i32 = 1_000;

impl Turn<'_> {
    /// Starts a rebalance for a cause that just came up; if one gathers already, sees whether all have come.
    ///
    /// Here and below: the write is that of an emptied group, if that is how it ends.
    pub(super) fn rebalance(&mut self, group: &mut Group) -> Option<WriteId> {
        match group.state {
            GroupState::PreparingRebalance => self.complete_if_all_joined(group),
            _ => self.prepare_rebalance(group),
        }
    }

    pub(super) fn prepare_rebalance(&mut self, group: &mut Group) -> Option<WriteId> {
        if group.state == GroupState::CompletingRebalance {
            self.withhold_assignment(group, ErrorCode::RebalanceInProgress);
        }
        group.assigning = None;
        group.unsynced.clear();
        self.end_sync_phase(group);
        let was_empty = group.state == GroupState::Empty;
        group.enter(GroupState::PreparingRebalance, self.now_ms);
        if was_empty {
            self.delay_first_rebalance(group);
            return None;
        }
        if group.all_joined() {
            return self.complete_join_phase(group);
        }
        self.start_join_phase(group, group.rebalance_timeout_ms());
        None
    }

    /// A group that starts up gets a moment to gather: else its first member would get all partitions and at once
    /// give most of them back.
    fn delay_first_rebalance(&mut self, group: &mut Group) {
        let current_ms = self.config.initial_rebalance_delay_ms;
        let remaining_ms = group.rebalance_timeout_ms().saturating_sub(current_ms).max(0);
        group.initial = Some(InitialDelay { current_ms, remaining_ms, someone_joined: false });
        self.start_join_phase(group, current_ms);
    }

    /// The first rebalance is not cut short: more members may come.
    pub(super) fn complete_if_all_joined(&mut self, group: &mut Group) -> Option<WriteId> {
        let first = group.previous == GroupState::Empty;
        if group.state == GroupState::PreparingRebalance && !first && group.all_joined() {
            return self.complete_join_phase(group);
        }
        None
    }

    pub(super) fn join_phase_ran_out(&mut self, group: &mut Group) {
        if let Some(initial) = &mut group.initial
            && initial.someone_joined
            && initial.remaining_ms > 0
        {
            let next_ms = self.config.initial_rebalance_delay_ms.min(initial.remaining_ms);
            initial.remaining_ms = (initial.remaining_ms - initial.current_ms).max(0);
            initial.current_ms = next_ms;
            initial.someone_joined = false;
            return self.start_join_phase(group, next_ms);
        }
        self.complete_join_phase(group);
    }

    /// Ends the join phase: who has not come is out, but for static members, whose place is kept for their session.
    pub(super) fn complete_join_phase(&mut self, group: &mut Group) -> Option<WriteId> {
        self.end_join_phase(group);
        group.initial = None;
        let stays = |member: &super::member::Member| member.joining.is_some() || member.is_static();
        let absent: Vec<_> = group.members.values().filter(|member| !stays(member)).map(|m| m.id.clone()).collect();
        for id in absent {
            group.remove(&id);
            self.end_session(group, &id);
        }
        if !group.members.is_empty() && !elect_joined_leader(group) {
            // Only static members are left and none has come: their sessions decide.
            self.start_join_phase(group, group.rebalance_timeout_ms().max(LEAST_JOIN_PHASE_AGAIN_MS));
            return None;
        }
        group.generation = group.generation.checked_add(1).unwrap_or(1);
        group.protocol = group.choose_protocol();
        if group.members.is_empty() {
            group.enter(GroupState::Empty, self.now_ms);
            return Some(self.write_group(group, |member| member.assignment.clone(), After::Emptied));
        }
        group.enter(GroupState::CompletingRebalance, self.now_ms);
        self.announce_generation(group);
        self.start_sync_phase(group, group.rebalance_timeout_ms());
        None
    }

    fn announce_generation(&mut self, group: &mut Group) {
        let ids: Vec<_> = group.members.keys().cloned().collect();
        for id in ids {
            if let Some(caller) = group.set_joining(&id, None) {
                let reply = self.joined(group, &id);
                self.reply(caller, Reply::Join(reply));
            }
            if let Some(member) = group.members.get_mut(&id) {
                member.is_new = false;
            }
            self.keep_alive(group, &id);
            group.unsynced.insert(id);
        }
    }

    /// Nobody gets an assignment in this generation.
    pub(super) fn withhold_assignment(&mut self, group: &mut Group, error: ErrorCode) {
        for member in group.members.values_mut() {
            member.assignment.clear();
        }
        self.answer_syncs(group, |_| SyncReply::error(error));
    }

    /// Answers all that wait in SyncGroup. Their sessions start anew: one that ran out while they waited was passed over.
    pub(super) fn answer_syncs(&mut self, group: &mut Group, reply: impl Fn(&super::member::Member) -> SyncReply) {
        let mut answered = Vec::new();
        for member in group.members.values_mut() {
            if let Some(caller) = member.syncing.take() {
                self.effects.replies.push((caller, Reply::Sync(reply(member))));
                answered.push(member.id.clone());
            }
        }
        for id in answered {
            self.keep_alive(group, &id);
        }
    }
}

/// Whether the leader has joined the new generation, after handing the lead to someone who has if it had not.
fn elect_joined_leader(group: &mut Group) -> bool {
    let has_joined = |id: &str| group.members.get(id).is_some_and(|member| member.joining.is_some());
    if group.leader.as_deref().is_some_and(has_joined) {
        return true;
    }
    match group.members.values().find(|member| member.joining.is_some()) {
        Some(member) => {
            group.leader = Some(member.id.clone());
            true
        }
        None => false,
    }
}
