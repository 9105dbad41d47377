//! What is known of a log's entries without their bytes: whose they are, and where they lie. A few
//! bytes for a run of entries, not for each.

use std::collections::VecDeque;
use std::ops::Range;

use crate::EntryId;
use crate::format::Position;

/// Something that holds for all indexes from `first` on, up to the next run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Run<T> {
    first: u64,
    value: T,
}

/// Runs of indexes, ascending.
#[derive(Clone, Debug)]
struct Runs<T>(VecDeque<Run<T>>);

impl<T: Copy + PartialEq> Runs<T> {
    /// The indexes from `first` on have this value. Nothing was known of them before.
    fn push(&mut self, first: u64, value: T) {
        if self.0.back().is_none_or(|run| run.value != value) {
            self.0.push_back(Run { first, value });
        }
    }

    /// Forgets the indexes from `from` on.
    fn truncate(&mut self, from: u64) {
        self.0.truncate(self.0.partition_point(|run| run.first < from));
    }

    /// Forgets the indexes before `first`.
    fn purge(&mut self, first: u64) {
        while self.0.get(1).is_some_and(|run| run.first <= first) {
            self.0.pop_front();
        }
    }

    fn position_of(&self, index: u64) -> Option<usize> {
        self.0.partition_point(|run| run.first <= index).checked_sub(1)
    }
}

/// The leaders of a log's entries.
#[derive(Clone, Debug)]
pub(crate) struct Terms(Runs<(u64, i32)>);

impl Terms {
    pub(crate) fn new() -> Self {
        Terms(Runs(VecDeque::new()))
    }

    pub(crate) fn push(&mut self, id: EntryId) {
        self.0.push(id.index, (id.term, id.node));
    }

    pub(crate) fn truncate(&mut self, from: u64) {
        self.0.truncate(from);
    }

    pub(crate) fn purge(&mut self, first: u64) {
        self.0.purge(first);
    }

    pub(crate) fn id(&self, index: u64) -> Option<EntryId> {
        let (term, node) = self.0.0[self.0.position_of(index)?].value;
        Some(EntryId { term, node, index })
    }
}

/// The writes that hold a log's entries.
#[derive(Clone, Debug)]
pub(crate) struct Places(Runs<Position>);

impl Places {
    pub(crate) fn new() -> Self {
        Places(Runs(VecDeque::new()))
    }

    pub(crate) fn push(&mut self, first: u64, write: Position) {
        self.0.push(first, write);
    }

    pub(crate) fn truncate(&mut self, from: u64) {
        self.0.truncate(from);
    }

    pub(crate) fn purge(&mut self, first: u64) {
        self.0.purge(first);
    }

    pub(crate) fn clear(&mut self) {
        self.0.0.clear();
    }

    /// The write that holds the oldest entry.
    pub(crate) fn oldest(&self) -> Option<Position> {
        self.0.0.front().map(|run| run.value)
    }

    /// The first index whose write is in a file of this generation or later.
    pub(crate) fn first_from(&self, generation: u64) -> Option<u64> {
        let runs = &self.0.0;
        runs.get(runs.partition_point(|run| u64::from(run.value.generation()) < generation)).map(|run| run.first)
    }

    /// The writes that hold the entries from `index` on, at most so many, each with the indexes for
    /// which it counts (it may hold later ones, that were truncated).
    pub(crate) fn from(&self, index: u64, most: usize) -> Vec<(Range<u64>, Position)> {
        let runs = &self.0.0;
        let start = self.0.position_of(index).unwrap_or(runs.len());
        let ends = runs.iter().skip(start + 1).map(|run| run.first).chain([u64::MAX]);
        runs.iter().skip(start).zip(ends).take(most).map(|(run, end)| (run.first..end, run.value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(term: u64, index: u64) -> EntryId {
        EntryId { term, node: 1, index }
    }

    #[test]
    fn ids_are_found_by_run() {
        let mut terms = Terms::new();
        for (term, index) in [(1, 5), (1, 6), (2, 7), (4, 8), (4, 9)] {
            terms.push(id(term, index));
        }
        assert_eq!(terms.0.0.len(), 3);
        assert_eq!((terms.id(6), terms.id(7), terms.id(9)), (Some(id(1, 6)), Some(id(2, 7)), Some(id(4, 9))));
        assert_eq!(terms.id(4), None);
        terms.truncate(8);
        terms.push(id(5, 8));
        assert_eq!((terms.id(7), terms.id(8)), (Some(id(2, 7)), Some(id(5, 8))));
        terms.purge(7);
        assert_eq!((terms.id(7), terms.0.0.len()), (Some(id(2, 7)), 2));
    }

    #[test]
    fn the_first_entry_of_a_file_or_a_later_one_is_found() {
        let mut places = Places::new();
        for (first, generation) in [(1, 1), (5, 1), (7, 3)] {
            places.push(first, Position::new(generation, first));
        }
        let found = [0, 1, 2, 3, 4].map(|generation| places.first_from(generation));
        assert_eq!(found, [Some(1), Some(1), Some(7), Some(7), None]);
    }

    #[test]
    fn a_truncation_within_a_run_leaves_its_head_and_the_next_push_goes_on() {
        let mut places = Places::new();
        places.push(1, Position(10));
        places.truncate(3);
        places.push(3, Position(10)); // within one write
        places.push(4, Position(20));
        assert_eq!(places.from(2, 9), [(1..4, Position(10)), (4..u64::MAX, Position(20))]);
        assert_eq!(places.from(2, 1), [(1..4, Position(10))]);
        places.purge(4);
        assert_eq!(places.oldest(), Some(Position(20)));
    }
}
