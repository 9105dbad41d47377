//! What was once visible stays visible, across restarts: a log's end never goes back. Nor does its
//! start, and it moves only where somebody asked it to.

use std::collections::BTreeMap;

use super::{Finding, Rule};
use crate::history::Partition;

/// What all clients together know of a log.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    start: i64,
    end: i64,
}

impl Known {
    /// The offset behind the last record that anybody was told of.
    pub(crate) fn end(self) -> i64 {
        self.end
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    known: BTreeMap<Partition, Known>,
    /// The highest offset that anybody asked to delete up to.
    deleted_to: BTreeMap<Partition, i64>,
}

impl Bounds {
    /// What whoever asks now may rely on: the answer must not fall behind it.
    pub(crate) fn asked(&self, at: &Partition) -> Known {
        self.known.get(at).copied().unwrap_or_default()
    }

    /// Somebody asks to delete what is below `offset`.
    pub(crate) fn deleting(&mut self, at: &Partition, offset: i64) {
        let deleted_to = self.deleted_to.entry(at.clone()).or_default();
        *deleted_to = offset.max(*deleted_to);
    }

    /// An answer says where the log ends, or that a record lies just before.
    pub(crate) fn told_end(&mut self, at: &Partition, asked: Known, end: i64) -> Option<Finding> {
        let known = self.known.entry(at.clone()).or_default();
        known.end = known.end.max(end);
        (end < asked.end).then(|| {
            let what = format!("{at} ended at {end} for someone who asked when it was known to end at {}", asked.end);
            Finding::new(Rule::EndWentBack, what)
        })
    }

    /// An answer says where the log starts.
    pub(crate) fn told_start(&mut self, at: &Partition, asked: Known, start: i64) -> Option<Finding> {
        let known = self.known.entry(at.clone()).or_default();
        known.start = known.start.max(start);
        let deleted_to = self.deleted_to.get(at).copied().unwrap_or_default();
        let what = match start {
            _ if start < asked.start => {
                format!("{at} started at {start} for someone who asked when it was known to start at {}", asked.start)
            }
            _ if start > deleted_to => {
                format!("{at} started at {start}, though nothing beyond {deleted_to} was to be deleted")
            }
            _ => return None,
        };
        Some(Finding::new(Rule::StartMoved, what))
    }

    /// A position at which a client has come is refused as out of range.
    pub(crate) fn refused(&self, at: &Partition, position: i64) -> Option<Finding> {
        let deleted_to = self.deleted_to.get(at).copied().unwrap_or_default();
        (position >= deleted_to).then(|| {
            let what = format!("offset {position} of {at} is out of range, though only up to {deleted_to} was deleted");
            Finding::new(Rule::EndWentBack, what)
        })
    }
}
