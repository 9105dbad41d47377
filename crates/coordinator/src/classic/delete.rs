//! DeleteGroups, OffsetDelete, and the end of topics: tombstones for what the store has and what is on its way there.

use std::collections::{BTreeMap, BTreeSet};

use model::ErrorCode;

use super::group::Group;
use super::request::DeleteOffsetsRequest;
use super::turn::Turn;
use super::writes::After;
use super::{CallerId, ClassicGroups, DeleteOffsetsReply, Effects, GroupState, Reply};
use crate::schema::{Key, KeyValue};
use crate::store::GroupStore;

impl ClassicGroups {
    /// Writes tombstones for all offsets of a topic that was deleted, whatever their group.
    pub fn topic_deleted(&mut self, now_ms: i64, store: &GroupStore, topic: &str) -> Effects {
        let mut of_groups: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
        for (group, partition) in store.offsets_of_topic(topic) {
            of_groups.entry(group.to_owned()).or_default().insert(partition);
        }
        for group in self.writes.groups() {
            let of_topic = self.writes.committing(group).filter(|&(name, _)| name == topic);
            let partitions: BTreeSet<i32> = of_topic.map(|(_, partition)| partition).collect();
            if !partitions.is_empty() {
                of_groups.entry(group.to_string()).or_default().extend(partitions);
            }
        }
        let mut effects = Effects::default();
        for (name, partitions) in of_groups {
            self.bring_in(now_ms, store, &name);
            self.in_group(now_ms, &name, &mut effects, |turn, group| {
                let records = partitions.iter().map(|&partition| gone(&name, topic, partition)).collect();
                turn.write(&group.name, records, After::Nothing);
            });
        }
        effects
    }
}

impl Turn<'_> {
    /// DeleteGroups: an empty group goes with all its offsets, and with the ids it handed out.
    pub(super) fn delete_group(&mut self, group: &mut Group, store: &GroupStore, caller: CallerId) {
        if group.state != GroupState::Empty {
            return self.reply(caller, Reply::DeleteGroup(ErrorCode::NonEmptyGroup));
        }
        for id in std::mem::take(&mut group.pending) {
            self.end_session(group, &id);
        }
        let offsets = self.offsets(store, &group.name);
        let mut records: Vec<_> = offsets.map(|(topic, partition)| gone(&group.name, topic, partition)).collect();
        records.push((Key::Group(&group.name).encode(), None));
        let write = self.write(&group.name, records, After::Deleted);
        self.writes.answer_after(write, caller, Reply::DeleteGroup(ErrorCode::None));
    }

    /// OffsetDelete: of topics that no member subscribes to.
    pub(super) fn delete_offsets(
        &mut self,
        group: &mut Group,
        store: &GroupStore,
        caller: CallerId,
        request: DeleteOffsetsRequest,
    ) {
        if group.state != GroupState::Empty && !group.is_consumer() {
            let reply = DeleteOffsetsReply { error: ErrorCode::NonEmptyGroup, topics: Vec::new() };
            return self.reply(caller, Reply::DeleteOffsets(reply));
        }
        let mut subscribed = BTreeSet::new();
        let asked: BTreeSet<&str> = request.topics.iter().map(|(topic, _)| topic.as_str()).collect();
        let known = group.each_subscribed_topic(|topic| {
            if let Some(&topic) = asked.get(topic) {
                subscribed.insert(topic);
            }
        });
        let present: BTreeSet<_> = self.offsets(store, &group.name).collect();
        let mut records = Vec::new();
        let mut topics = Vec::with_capacity(request.topics.len());
        for (topic, partitions) in &request.topics {
            let in_use = subscribed.contains(topic.as_str()) || !known;
            let error = if in_use { ErrorCode::GroupSubscribedToTopic } else { ErrorCode::None };
            if !in_use {
                let there = partitions.iter().filter(|&&partition| present.contains(&(topic.as_str(), partition)));
                records.extend(there.map(|&partition| gone(&group.name, topic, partition)));
            }
            topics.push((topic.clone(), partitions.iter().map(|&partition| (partition, error)).collect()));
        }
        let reply = Reply::DeleteOffsets(DeleteOffsetsReply { error: ErrorCode::None, topics });
        if records.is_empty() {
            return self.reply(caller, reply);
        }
        let write = self.write(&group.name, records, After::Nothing);
        self.writes.answer_after(write, caller, reply);
    }

    /// Partitions that the group has committed, durably or on the way there; some perhaps twice.
    fn offsets<'a>(&'a self, store: &'a GroupStore, group: &'a str) -> impl Iterator<Item = (&'a str, i32)> {
        let stored = store.offsets_of(group).map(|(topic, partition, _)| (topic, partition));
        stored.chain(self.writes.committing(group))
    }
}

/// The tombstone of an offset.
pub(super) fn gone(group: &str, topic: &str, partition: i32) -> KeyValue {
    (Key::Offset { group, topic, partition }.encode(), None)
}
