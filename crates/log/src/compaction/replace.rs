//! The one moment at which a compaction changes the log.

use std::sync::atomic::Ordering;

use crate::partition_log::Shared;
use crate::segment::{Segment, SegmentFacts};

impl Shared {
    /// Puts segments in the place of others, if all of these are still there, side by side and closed. Returns the bytes
    /// of batches before and after. The old files stay until `take_dropped`.
    pub(super) fn replace(&self, old: &[Segment], new: &[SegmentFacts]) -> Option<(u64, u64)> {
        let _hands = self.hands();
        let mut state = self.state();
        let first = state.place_of(old.first()?.name())?;
        let places = first..first + old.len();
        let is_closed = places.end < state.segments.len();
        let are_there = || state.segments[places.clone()].iter().zip(old).all(|(now, then)| now.name() == then.name());
        if !is_closed || !are_there() {
            return None;
        }
        let before = old.iter().map(|segment| segment.facts.log_bytes).sum();
        let after = new.iter().map(|facts| facts.log_bytes).sum();
        state.segments.splice(places, new.iter().map(|facts| Segment::new(*facts)));
        state.dropped.extend(old.iter().map(Segment::name));
        state.changed = true;
        state.new_names = true;
        self.size_bytes.fetch_add(after, Ordering::Relaxed);
        self.size_bytes.fetch_sub(before, Ordering::Relaxed);
        Some((before, after))
    }
}
