//! `offsets.retention.minutes`: offsets that nobody has used for long are removed, and groups that are left with nothing.
//!
//! | group | an offset's age counts from | kept in any case |
//! |---|---|---|
//! | simple (never had members) | its commit | |
//! | empty | when the group became empty, or, in old formats, its commit | |
//! | stable, of consumers | its commit | of topics that a member subscribes to, or may |
//! | rebalancing, or of another protocol type | | all |

use std::collections::BTreeSet;

use super::delete::gone;
use super::group::Group;
use super::turn::Turn;
use super::writes::After;
use super::{ClassicGroups, Effects, GroupState};
use crate::schema::Key;
use crate::store::{CommittedOffset, GroupStore};

/// Records of one write: some 100 bytes each, so that it stays well below a topic's `max.message.bytes`.
const TOMBSTONES_PER_WRITE: usize = 2_000;

impl ClassicGroups {
    /// Writes tombstones for offsets that are past their retention, and for groups that are left with nothing.
    ///
    /// Looks at no more than `groups` groups, those behind `after` in the order of names, and returns the name to go on
    /// behind; `None` when the end was reached. To be called every `offsets.retention.check.interval.ms`.
    pub fn expire_offsets(
        &mut self,
        now_ms: i64,
        store: &GroupStore,
        after: Option<&str>,
        groups: usize,
    ) -> (Effects, Option<String>) {
        let mut effects = Effects::default();
        let names: Vec<&str> = store.groups_after(after).take(groups).map(|(name, _)| name).collect();
        for &name in &names {
            // A tombstone now would come behind a commit that is on its way, and take it with it.
            if !self.writes.any_for(name) {
                self.bring_in(now_ms, store, name);
                self.in_group(now_ms, name, &mut effects, |turn, group| turn.expire_offsets(group, store));
            }
        }
        let next = names.last().filter(|_| names.len() == groups).map(|&name| name.to_owned());
        (effects, next)
    }
}

impl Turn<'_> {
    fn expire_offsets(&mut self, group: &Group, store: &GroupStore) {
        let in_use = topics_in_use(group, store);
        let mut records = Vec::new();
        let mut any_left = false;
        for (topic, partition, offset) in store.offsets_of(&group.name) {
            let used = in_use.as_ref().is_none_or(|topics| topics.contains(topic));
            if !used && self.is_expired(group, offset) {
                records.push(gone(&group.name, topic, partition));
            } else {
                any_left = true;
            }
        }
        if group.state == GroupState::Empty && !any_left && store.group(&group.name).is_some() {
            records.push((Key::Group(&group.name).encode(), None));
        }
        while !records.is_empty() {
            let rest = records.split_off(records.len().min(TOMBSTONES_PER_WRITE));
            self.write(&group.name, records, After::Nothing);
            records = rest;
        }
    }

    fn is_expired(&self, group: &Group, offset: &CommittedOffset) -> bool {
        if let Some(expire_timestamp) = offset.expire_timestamp {
            return self.now_ms >= expire_timestamp;
        }
        let emptied =
            group.state_timestamp.filter(|_| group.state == GroupState::Empty && group.protocol_type.is_some());
        let since = emptied.unwrap_or(offset.commit_timestamp);
        self.now_ms.saturating_sub(since) >= self.config.offsets_retention_ms
    }
}

/// Those of the topics with offsets that are not to expire; `None`: none of them may.
fn topics_in_use<'a>(group: &Group, store: &'a GroupStore) -> Option<BTreeSet<&'a str>> {
    let mut in_use = BTreeSet::new();
    if group.state == GroupState::Empty {
        return Some(in_use);
    }
    if group.state != GroupState::Stable || !group.is_consumer() {
        return None;
    }
    let topics: BTreeSet<&str> = store.offsets_of(&group.name).map(|(topic, ..)| topic).collect();
    let known = group.each_subscribed_topic(|topic| {
        if let Some(&topic) = topics.get(topic) {
            in_use.insert(topic);
        }
    });
    known.then_some(in_use)
}
