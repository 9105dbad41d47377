//! The names in one directory in three states, as with a file's bytes.

use std::collections::{BTreeMap, VecDeque};

use super::random::Rng;

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Node {
    File(u64),
    Dir(u64),
}

/// A change of names that is atomic: a rename is two.
type Change = Vec<(String, Option<Node>)>;

/// A directory.
#[derive(Clone, Default)]
pub(super) struct Directory {
    seen: BTreeMap<String, Node>,
    durable: BTreeMap<String, Node>,
    unsynced: VecDeque<Change>,
}

impl Directory {
    pub(super) fn seen(&self) -> &BTreeMap<String, Node> {
        &self.seen
    }

    pub(super) fn durable(&self) -> &BTreeMap<String, Node> {
        &self.durable
    }

    /// All nodes that a name stands for, or may stand for after a crash.
    pub(super) fn nodes(&self) -> impl Iterator<Item = Node> {
        let unsynced = self.unsynced.iter().flatten().filter_map(|(_, node)| node.as_ref());
        self.seen.values().chain(self.durable.values()).chain(unsynced).copied()
    }

    pub(super) fn get(&self, name: &str) -> Option<Node> {
        self.seen.get(name).copied()
    }

    pub(super) fn change(&mut self, change: Change) {
        apply(&mut self.seen, &change);
        self.unsynced.push_back(change);
    }

    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            apply(&mut self.durable, &change);
        }
    }

    /// The names after a crash: those on the platter, and the first few of the unsynced changes.
    pub(super) fn after_crash(&self, rng: &mut Rng) -> Directory {
        let mut names = self.durable.clone();
        let kept = rng.up_to(self.unsynced.len() as u64) as usize;
        for change in self.unsynced.iter().take(kept) {
            apply(&mut names, change);
        }
        Directory { seen: names.clone(), durable: names, unsynced: VecDeque::new() }
    }
}

fn apply(names: &mut BTreeMap<String, Node>, change: &Change) {
    for (name, node) in change {
        match node {
            Some(node) => names.insert(name.clone(), *node),
            None => names.remove(name),
        };
    }
}
