//! What retention would delete. It decides nothing: the leader proposes the new log start as an entry.

use crate::PartitionLog;

impl PartitionLog {
    /// The log start that `retention.ms` and `retention.bytes` (-1: no limit) ask for, if it is above the present one.
    ///
    /// Whole segments go, the oldest first, as in Kafka's `UnifiedLog.deleteOldSegments`: while all records of the
    /// oldest are older than `retention_ms`, and while the log without it still has `retention_bytes`. If that is all
    /// of them it is the log end.
    pub fn retention_start(&self, now_ms: i64, retention_ms: i64, retention_bytes: i64) -> Option<i64> {
        let state = self.shared.state();
        let mut excess = match u64::try_from(retention_bytes) {
            Ok(limit) => self.size_bytes().saturating_sub(limit),
            Err(_) => 0,
        };
        let limited_by_size = retention_bytes >= 0;
        let mut start = self.log_start();
        for (segment, end) in state.segments.iter().zip(self.shared.segment_ends(&state)) {
            let facts = &segment.facts;
            let is_old = retention_ms >= 0 && now_ms.saturating_sub(facts.newest_ms()) > retention_ms;
            let is_excess = limited_by_size && facts.log_bytes <= excess;
            if facts.log_bytes == 0 || !(is_old || is_excess) {
                break;
            }
            excess = excess.saturating_sub(facts.log_bytes);
            start = end;
        }
        (start > self.log_start()).then_some(start)
    }

    /// Whether the active segment is so old that the next append would roll it, by the clock: retention can't delete
    /// what is in it, nor compaction clean it, before it is rolled.
    pub fn roll_due(&self, now_ms: i64) -> bool {
        let state = self.shared.state();
        state.segments.last().is_some_and(|active| {
            let roll_after_ms = state.settings.roll_after_ms(&self.shared.dir, active.facts.base_offset);
            let facts = &active.facts;
            facts.log_bytes > 0 && !facts.sealed && facts.open_for_ms(now_ms, now_ms) > roll_after_ms
        })
    }

    /// Closes the active segment: the next append starts a new one. An entry decides so.
    pub fn roll(&self) {
        let _hands = self.shared.hands();
        let mut state = self.shared.state();
        if let Some(active) = state.segments.last_mut()
            && active.facts.log_bytes > 0
            && !active.facts.sealed
        {
            active.facts.sealed = true;
            state.changed = true;
        }
    }
}
