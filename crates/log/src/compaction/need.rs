//! Whether a log should be compacted, and which part of it may be. As `LogCleanerManager` of Kafka.

use crate::PartitionLog;
use crate::partition_log::Shared;
use crate::segment::{Segment, SegmentFacts};

/// The settings of a topic that say when it is compacted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CompactionRules {
    /// `min.compaction.lag.ms`: younger records are left alone.
    pub min_lag_ms: i64,
    /// `max.compaction.lag.ms`: a dirty record that is older makes compaction urgent.
    pub max_lag_ms: i64,
    /// `min.cleanable.dirty.ratio`: compaction is due when more than this share of the log is dirty.
    pub min_dirty_ratio: f64,
    /// `delete.retention.ms`: so long tombstones stay after the first pass that meets them.
    pub delete_retention_ms: i64,
}

/// Why a log should be compacted, and how much so. The greater ones first.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct CompactionNeed {
    /// A dirty record is older than `max.compaction.lag.ms`.
    pub is_urgent: bool,
    /// Dirty bytes by all that may be compacted; 0 if there are only tombstones to be dropped.
    pub dirty_ratio: f64,
}

impl PartitionLog {
    /// Whether a pass is due over what is below the offset `below`.
    pub fn compaction_need(&self, rules: &CompactionRules, below: i64, now_ms: i64) -> Option<CompactionNeed> {
        let plan = self.shared.compactable(rules, below, now_ms, self.log_start());
        let total: u64 = plan.segments.iter().map(|segment| segment.facts.log_bytes).sum();
        let dirty: u64 = plan.dirty().map(|segment| segment.facts.log_bytes).sum();
        if total == 0 {
            return None;
        }
        let oldest_ms = plan.dirty().map(|segment| segment.facts.oldest_ms()).min();
        let is_urgent = oldest_ms.is_some_and(|oldest| oldest < now_ms.saturating_sub(rules.max_lag_ms));
        let dirty_ratio = dirty as f64 / total as f64;
        let is_due = is_urgent || dirty_ratio > rules.min_dirty_ratio;
        let has_due_tombstones = || plan.segments.iter().any(|segment| segment.facts.has_due_tombstones(now_ms));
        match is_due {
            true => Some(CompactionNeed { is_urgent, dirty_ratio }),
            false => has_due_tombstones().then_some(CompactionNeed { is_urgent, dirty_ratio: 0.0 }),
        }
    }
}

/// The segments that may be compacted, from the log start on.
pub(super) struct Compactable {
    pub(super) segments: Vec<Segment>,
    /// From here on there may be two records of a key.
    pub(super) first_dirty: i64,
    /// The offset after the last of them.
    pub(super) end: i64,
    dirty_from: usize,
}

impl Compactable {
    /// Those that hold dirty records.
    pub(super) fn dirty(&self) -> impl Iterator<Item = &Segment> {
        self.segments[self.dirty_from..].iter()
    }
}

impl Shared {
    pub(super) fn compactable(&self, rules: &CompactionRules, below: i64, now_ms: i64, log_start: i64) -> Compactable {
        let state = self.state();
        let first_dirty = state.cleaned_to.max(log_start);
        let mut plan = Compactable { segments: Vec::new(), first_dirty, end: first_dirty, dirty_from: 0 };
        let youngest_ms = now_ms.saturating_sub(rules.min_lag_ms);
        let closed = state.segments.len().saturating_sub(1);
        for (segment, end) in state.segments.iter().zip(self.segment_ends(&state)).take(closed) {
            let is_dirty = end > first_dirty;
            let is_young = is_dirty && rules.min_lag_ms > 0 && segment.facts.newest_ms() > youngest_ms;
            if end > below || is_young {
                break;
            }
            plan.dirty_from += usize::from(!is_dirty);
            plan.end = end;
            plan.segments.push(segment.clone());
        }
        plan.first_dirty = first_dirty.min(plan.end);
        plan
    }

    /// No key has two records below this offset any more.
    pub(super) fn set_cleaned_to(&self, offset: i64) {
        let mut state = self.state();
        if offset > state.cleaned_to {
            state.cleaned_to = offset;
            state.changed = true;
        }
    }
}

impl SegmentFacts {
    /// When its first batch was appended, as far as is known.
    fn oldest_ms(&self) -> i64 {
        if self.first_timestamp >= 0 { self.first_timestamp } else { self.created_ms }
    }

    pub(super) fn has_due_tombstones(&self, now_ms: i64) -> bool {
        self.delete_horizon_ms != record::NONE && self.delete_horizon_ms <= now_ms
    }
}
