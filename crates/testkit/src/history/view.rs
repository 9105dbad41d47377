//! A history seen from the log's side: what is known of each partition, and of each value.

use std::collections::{BTreeMap, BTreeSet};

use super::{Event, History, Partition, Value};

/// What all clients together know.
#[derive(Debug, Default)]
pub(super) struct View {
    /// Each partition's known offsets with the values acknowledged or polled there: one, if all is well.
    pub(super) logs: BTreeMap<Partition, BTreeMap<i64, BTreeSet<Value>>>,
    /// Every value that was sent or seen.
    pub(super) values: BTreeMap<Value, Known>,
    /// Each process's values in the order of sending.
    pub(super) sent: BTreeMap<(String, Partition), Vec<Value>>,
    /// The highest offset that was polled from each partition.
    pub(super) read_to: BTreeMap<Partition, i64>,
    /// The highest offset below which each partition's records were to be deleted.
    removed_below: BTreeMap<Partition, i64>,
}

/// What is known of one value.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) sent_to: Option<Partition>,
    pub(super) acknowledged: Option<i64>,
    pub(super) failed: bool,
    pub(super) polled: BTreeSet<(Partition, i64)>,
}

impl View {
    pub(super) fn of(history: &History) -> Self {
        let mut view = Self::default();
        for event in &history.events {
            view.add(event);
        }
        view
    }

    /// Whether somebody asked to delete what stands there.
    pub(super) fn may_be_removed(&self, at: &Partition, offset: i64) -> bool {
        self.removed_below.get(at).is_some_and(|below| offset < *below)
    }

    fn add(&mut self, event: &Event) {
        match event {
            Event::Send { process, at, value } => {
                self.values.entry(*value).or_default().sent_to = Some(at.clone());
                self.sent.entry((process.clone(), at.clone())).or_default().push(*value);
            }
            Event::Acknowledged { value, offset } => {
                let known = self.values.entry(*value).or_default();
                known.acknowledged = Some(*offset);
                if let Some(at) = known.sent_to.clone() {
                    self.logs.entry(at).or_default().entry(*offset).or_default().insert(*value);
                }
            }
            Event::Failed { value } => self.values.entry(*value).or_default().failed = true,
            Event::Polled { at, offset, value, .. } => {
                self.values.entry(*value).or_default().polled.insert((at.clone(), *offset));
                self.logs.entry(at.clone()).or_default().entry(*offset).or_default().insert(*value);
                let read_to = self.read_to.entry(at.clone()).or_insert(*offset);
                *read_to = (*read_to).max(*offset);
            }
            Event::Removed { at, below } => {
                let removed_below = self.removed_below.entry(at.clone()).or_insert(*below);
                *removed_below = (*removed_below).max(*below);
            }
            Event::Repositioned { .. } => {}
        }
    }
}
