//! The replicated half: what the records of one partition of `__consumer_offsets` add up to.
//!
//! Fed by apply on every replica alike, it is a pure function of the records applied: no clock, no
//! configuration. Leaders decide (expiry, deletion, generations) and write records; the store only replays.
//!
//! Offsets of open transactions will stand beside the committed ones, keyed by their producer, until its marker
//! is applied; [`CommittedOffset::record_offset`] then says which of two commits came later (the marker's
//! offsets may be older than a plain commit that overtook them).

mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use bytes::Bytes;
use model::TopicId;

use crate::schema::{Key, RecordError, decode_group, decode_offset};

/// A classic group as it was last written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredGroup {
    /// `consumer`, `connect`, ...; none if the group never had members.
    pub protocol_type: Option<String>,
    /// Counts rebalances.
    pub generation: i32,
    /// The assignment protocol that all members have in common; none while the group is empty.
    pub protocol: Option<String>,
    /// The member that assigns.
    pub leader: Option<String>,
    /// When the state last changed, in ms; for an empty group: since when it is empty. Absent in old formats.
    pub state_timestamp: Option<i64>,
    /// None: the group is empty. Some: it was stable.
    pub members: Vec<StoredMember>,
}

/// A member of a [`StoredGroup`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredMember {
    /// Made by the coordinator.
    pub member_id: String,
    /// Of a static member (KIP-345): given by its user.
    pub instance_id: Option<String>,
    /// As its request header names it.
    pub client_id: String,
    /// Where it connected from, as `/address`.
    pub client_host: String,
    /// How long a rebalance may wait for it.
    pub rebalance_timeout_ms: i32,
    /// How long it may be silent.
    pub session_timeout_ms: i32,
    /// Its metadata for the group's protocol, opaque.
    pub subscription: Bytes,
    /// What the leader gave it, opaque.
    pub assignment: Bytes,
}

/// How far a group has read one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next offset to read.
    pub offset: i64,
    /// Leader epoch of the last record read, -1 if unknown.
    pub leader_epoch: i32,
    /// The client's own words.
    pub metadata: Box<str>,
    /// When it was committed, in ms.
    pub commit_timestamp: i64,
    /// When it expires whatever the broker's retention says: for clients that asked for it (OffsetCommit 2-4).
    pub expire_timestamp: Option<i64>,
    /// The topic's id at commit, or [`TopicId::NIL`].
    pub topic_id: TopicId,
    /// Offset of the record itself in `__consumer_offsets`.
    pub record_offset: i64,
}

/// Offsets of one group, by topic and partition.
type Offsets = BTreeMap<Box<str>, BTreeMap<i32, CommittedOffset>>;

#[derive(Debug, Default)]
struct Entry {
    group: Option<StoredGroup>,
    offsets: Offsets,
}

impl Entry {
    fn is_empty(&self) -> bool {
        self.group.is_none() && self.offsets.is_empty()
    }
}

/// The state of all groups of one partition of `__consumer_offsets`.
#[derive(Debug, Default)]
pub struct GroupStore {
    groups: BTreeMap<Box<str>, Entry>,
    /// Keys of records whose value changed since the last [`GroupStore::take_dirty`]. Bounded by the store itself
    /// and what was deleted since the last checkpoint.
    dirty: BTreeSet<Bytes>,
}

impl GroupStore {
    /// Replays one record of the partition; no value is a tombstone.
    ///
    /// Records of other kinds of groups are passed over. An error leaves the store as it was: apply goes on, and
    /// the driver reports it.
    pub fn apply(&mut self, record_offset: i64, key: &[u8], value: Option<&[u8]>) -> Result<(), RecordError> {
        match Key::decode(key)? {
            Key::Offset { group, topic, partition } => {
                let offset = match value {
                    Some(value) => Some(CommittedOffset { record_offset, ..decode_offset(value)? }),
                    None => None,
                };
                self.put_offset(group, topic, partition, offset);
                self.mark_dirty(key, Key::Offset { group, topic, partition });
            }
            Key::Group(group) => {
                let stored = value.map(decode_group).transpose()?;
                self.put_group(group, stored);
                self.mark_dirty(key, Key::Group(group));
            }
            Key::Other(_) => {}
        }
        Ok(())
    }

    /// The group's generation and members, if it ever had any.
    pub fn group(&self, group: &str) -> Option<&StoredGroup> {
        self.groups.get(group)?.group.as_ref()
    }

    /// Whether the group is known: by its members, or by offsets alone (a simple group).
    pub fn contains(&self, group: &str) -> bool {
        self.groups.contains_key(group)
    }

    /// All groups in the order of their names; simple ones have no [`StoredGroup`].
    pub fn groups(&self) -> impl Iterator<Item = (&str, Option<&StoredGroup>)> {
        self.groups_after(None)
    }

    /// As [`GroupStore::groups`], from behind a name on: for walks in portions.
    pub fn groups_after(&self, name: Option<&str>) -> impl Iterator<Item = (&str, Option<&StoredGroup>)> {
        let from = name.map_or(Bound::Unbounded, Bound::Excluded);
        let names = self.groups.range::<str, _>((from, Bound::Unbounded));
        names.map(|(name, entry)| (&**name, entry.group.as_ref()))
    }

    /// How many groups there are, simple ones included.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there is no group at all.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// What `group` committed for a partition.
    pub fn offset(&self, group: &str, topic: &str, partition: i32) -> Option<&CommittedOffset> {
        self.groups.get(group)?.offsets.get(topic)?.get(&partition)
    }

    /// All that `group` committed, in the order of topic names and partitions.
    pub fn offsets_of(&self, group: &str) -> impl Iterator<Item = (&str, i32, &CommittedOffset)> {
        let topics = self.groups.get(group).into_iter().flat_map(|entry| &entry.offsets);
        topics.flat_map(|(topic, partitions)| partitions.iter().map(|(&index, offset)| (&**topic, index, offset)))
    }

    /// Which groups committed offsets of a topic, and for which partitions.
    pub fn offsets_of_topic(&self, topic: &str) -> impl Iterator<Item = (&str, i32)> {
        self.groups.iter().flat_map(move |(group, entry)| {
            let partitions = entry.offsets.get(topic).into_iter().flatten();
            partitions.map(|(&partition, _)| (&**group, partition))
        })
    }

    fn put_group(&mut self, name: &str, group: Option<StoredGroup>) {
        match group {
            Some(group) => self.entry(name).group = Some(group),
            None => {
                if let Some(entry) = self.groups.get_mut(name) {
                    entry.group = None;
                    self.forget_if_empty(name);
                }
            }
        }
    }

    fn put_offset(&mut self, group: &str, topic: &str, partition: i32, offset: Option<CommittedOffset>) {
        match offset {
            Some(offset) => {
                let offsets = &mut self.entry(group).offsets;
                match offsets.get_mut(topic) {
                    Some(partitions) => partitions.insert(partition, offset),
                    None => offsets.entry(topic.into()).or_default().insert(partition, offset),
                };
            }
            None => self.remove_offset(group, topic, partition),
        }
    }

    fn remove_offset(&mut self, group: &str, topic: &str, partition: i32) {
        let Some(entry) = self.groups.get_mut(group) else { return };
        let Some(partitions) = entry.offsets.get_mut(topic) else { return };
        partitions.remove(&partition);
        if partitions.is_empty() {
            entry.offsets.remove(topic);
        }
        self.forget_if_empty(group);
    }

    fn entry(&mut self, name: &str) -> &mut Entry {
        if !self.groups.contains_key(name) {
            self.groups.insert(name.into(), Entry::default());
        }
        self.groups.get_mut(name).expect("it was put there if it was missing")
    }

    fn forget_if_empty(&mut self, name: &str) {
        if self.groups.get(name).is_some_and(Entry::is_empty) {
            self.groups.remove(name);
        }
    }
}
