//! Applies what the files tell to the groups, in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::GroupId;

use super::scan::{FoundRecord, FoundWrite};
use crate::Damage;
use crate::files::Dir;
use crate::format::Position;
use crate::format::write::Tag;
use crate::group::{Fence, Group, State};
use crate::index::Terms;
use crate::written::{Change, Written};

/// A group as far as it was read.
struct Replayed {
    written: Written,
    terms: Terms,
    /// Entries below this are in files that are no longer there: a later purge must account for them.
    absent_below: u64,
    /// By index, the entries that can't be read.
    bad_entries: BTreeMap<u64, Damage>,
    bad_vote: Option<Damage>,
    /// The log has a hole.
    gap: Option<Damage>,
}

/// All groups.
pub(super) struct Replay<'a> {
    dir: &'a Dir,
    groups: BTreeMap<GroupId, Replayed>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(dir: &'a Dir) -> Self {
        Replay { dir, groups: BTreeMap::new() }
    }

    /// Applies a write. Its bad payloads, if any, are damage.
    pub(super) fn apply(&mut self, write: FoundWrite) {
        for found in write.records {
            self.apply_record(write.head.position, found);
        }
    }

    fn apply_record(&mut self, write: Position, found: FoundRecord) {
        let FoundRecord { record, good, vote } = found;
        let dir = self.dir;
        let damage = |what: String| {
            let file = dir.file_path(write.generation());
            Damage { file, position: write.offset(), group: Some(record.group), what }
        };
        let group = self.groups.entry(record.group).or_insert_with(Replayed::new);
        let index = record.id.index;
        match record.tag {
            Tag::Entry if index < group.written.first() => {} // a purge overtook it
            Tag::Entry => {
                if index != group.written.next {
                    let next = group.written.next;
                    group.gap.get_or_insert_with(|| damage(format!("entry {index} follows where {next} should")));
                } else if !good {
                    group.bad_entries.insert(index, damage(format!("entry {index} does not check")));
                }
                group.terms.push(record.id);
                group.written.apply(&Change::Appended { first: index, last: index }, write);
            }
            Tag::Vote if good => {
                group.bad_vote = None;
                group.written.apply(&Change::Vote(vote), write);
            }
            Tag::Vote => group.bad_vote = Some(damage("the vote does not check".to_owned())),
            Tag::Committed => group.written.apply(&Change::Committed(record.id), write),
            Tag::Purged => {
                group.terms.purge(index + 1);
                group.written.apply(&Change::Purged(record.id), write);
            }
            Tag::Truncated => group.truncate(index, write),
            Tag::Last if index >= group.written.next => {
                group.written.next = index + 1;
                group.absent_below = index + 1;
            }
            Tag::Last => {}
            Tag::Forgotten => *group = Replayed::new(),
        }
    }

    /// Entries that are there and not purged.
    pub(super) fn entries(&self) -> u64 {
        self.groups.values().map(|group| group.written.next.saturating_sub(group.written.first())).sum()
    }

    /// The groups, and what is wrong with them; `start` is where reading began.
    pub(super) fn finish(self, start: Position) -> (BTreeMap<GroupId, Arc<Group>>, Vec<Damage>) {
        let mut all_damage = Vec::new();
        let mut groups = BTreeMap::new();
        for (id, mut group) in self.groups {
            let file = self.dir.file_path(start.generation());
            let absent = group.absent(|what| Damage { file, position: start.offset(), group: Some(id), what });
            let live = group.bad_entries.split_off(&group.written.first());
            let is_all = group.bad_vote.is_none() && group.gap.is_none() && absent.is_none();
            let bad_entries = is_all.then(|| live.keys().copied().collect());
            let damage: Vec<Damage> = live.into_values().chain(group.bad_vote).chain(group.gap).chain(absent).collect();
            let fence = damage.first().map(|first| Fence { damage: first.clone(), start, bad_entries });
            let state = State::recovered(group.written, group.terms, fence);
            groups.insert(id, Arc::new(Group::new(id, state)));
            all_damage.extend(damage);
        }
        (groups, all_damage)
    }
}

impl Replayed {
    fn new() -> Self {
        Replayed {
            written: Written::new(),
            terms: Terms::new(),
            absent_below: 0,
            bad_entries: BTreeMap::new(),
            bad_vote: None,
            gap: None,
        }
    }

    fn truncate(&mut self, from: u64, write: Position) {
        let from = from.max(self.written.first());
        self.terms.truncate(from);
        self.bad_entries.split_off(&from);
        self.absent_below = self.absent_below.min(from);
        self.written.apply(&Change::Truncated(from), write);
    }

    /// Damage, if entries that should be there were in a file that is not.
    fn absent(&self, damage: impl FnOnce(String) -> Damage) -> Option<Damage> {
        let (first, below) = (self.written.first(), self.absent_below.min(self.written.next));
        (first < below)
            .then(|| damage(format!("entries {first} to {} are missing, with the files before this one", below - 1)))
    }
}
