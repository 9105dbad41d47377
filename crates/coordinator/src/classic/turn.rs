//! One turn of the machine: the time it is, and everything that one group's step may touch besides the group.

use std::sync::Arc;

use bytes::Bytes;
use model::Random;

use super::group::Group;
use super::timers::{Timer, Timers};
use super::writes::{After, Writes};
use super::{CallerId, Config, Effects, Reply, Write, WriteId};
use crate::schema::{Key, KeyValue, encode_group};

/// The behaviour of groups is written as steps of a turn, one file for each.
pub(super) struct Turn<'a> {
    pub(super) now_ms: i64,
    pub(super) config: &'a Config,
    pub(super) random: &'a dyn Random,
    pub(super) timers: &'a mut Timers,
    pub(super) writes: &'a mut Writes,
    pub(super) effects: &'a mut Effects,
}

impl Turn<'_> {
    pub(super) fn reply(&mut self, caller: CallerId, reply: Reply) {
        self.effects.replies.push((caller, reply));
    }

    pub(super) fn write(&mut self, group: &Arc<str>, records: Vec<KeyValue>, after: After) -> WriteId {
        let id = self.writes.begin(group, after);
        self.effects.writes.push(Write { id, group: group.to_string(), records });
        id
    }

    /// Writes generation and members, with the assignments that `assignment` gives.
    pub(super) fn write_group(
        &mut self,
        group: &Group,
        assignment: impl FnMut(&super::member::Member) -> Bytes,
        after: After,
    ) -> WriteId {
        let value = encode_group(&group.stored(assignment));
        self.write(&group.name, vec![(Key::Group(&group.name).encode(), Some(value))], after)
    }

    pub(super) fn in_ms(&self, delay_ms: i32) -> i64 {
        self.now_ms.saturating_add(i64::from(delay_ms.max(0)))
    }

    pub(super) fn start_session(&mut self, group: &Group, member: &Arc<str>, ends_ms: i64) {
        let timer = Timer::Session { group: group.name.clone(), member: member.clone() };
        self.timers.arm(timer, ends_ms);
    }

    /// Starts a member's session anew, in full.
    pub(super) fn keep_alive(&mut self, group: &mut Group, member_id: &str) {
        let Some(member) = group.members.get_mut(member_id) else { return };
        member.extend_session(self.now_ms);
        let (id, ends_ms) = (member.id.clone(), member.session_ends_ms);
        self.start_session(group, &id, ends_ms);
    }

    pub(super) fn end_session(&mut self, group: &Group, member: &str) {
        self.timers.cancel(Timer::Session { group: group.name.clone(), member: member.into() });
    }

    pub(super) fn start_join_phase(&mut self, group: &Group, timeout_ms: i32) {
        self.timers.arm(Timer::Join { group: group.name.clone() }, self.in_ms(timeout_ms));
    }

    pub(super) fn end_join_phase(&mut self, group: &Group) {
        self.timers.cancel(Timer::Join { group: group.name.clone() });
    }

    pub(super) fn start_sync_phase(&mut self, group: &Group, timeout_ms: i32) {
        self.timers.arm(Timer::Sync { group: group.name.clone() }, self.in_ms(timeout_ms));
    }

    pub(super) fn end_sync_phase(&mut self, group: &Group) {
        self.timers.cancel(Timer::Sync { group: group.name.clone() });
    }
}
