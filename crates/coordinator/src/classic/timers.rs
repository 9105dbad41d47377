//! Deadlines of all groups, soonest first.
//!
//! A timer that is set anew only has its date moved: the queue keeps the older, earlier entry and looks again when that
//! comes up. So a thousand commits between two wake-ups cost a thousand look-ups and no reordering. Each timer has
//! exactly one entry; a cancelled one has none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What can run out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The session of a member, or of an id handed out to one.
    Session { group: Arc<str>, member: Arc<str> },
    /// The join phase of a rebalance.
    Join { group: Arc<str> },
    /// The sync phase of a rebalance.
    Sync { group: Arc<str> },
}

impl Timer {
    pub(super) fn group(&self) -> &Arc<str> {
        match self {
            Timer::Session { group, .. } | Timer::Join { group } | Timer::Sync { group } => group,
        }
    }
}

struct Dates {
    due_ms: i64,
    /// Where the queue's entry stands: never after `due_ms`.
    queued_ms: i64,
}

#[derive(Default)]
pub(super) struct Timers {
    armed: BTreeMap<Timer, Dates>,
    queue: BTreeSet<(i64, Timer)>,
}

impl Timers {
    /// Sets a timer, or sets it anew.
    pub(super) fn arm(&mut self, timer: Timer, due_ms: i64) {
        match self.armed.get_mut(&timer) {
            Some(dates) if dates.queued_ms <= due_ms => dates.due_ms = due_ms,
            Some(dates) => {
                let queued_ms = std::mem::replace(&mut dates.queued_ms, due_ms);
                dates.due_ms = due_ms;
                let mut entry = (queued_ms, timer);
                self.queue.remove(&entry);
                entry.0 = due_ms;
                self.queue.insert(entry);
            }
            None => {
                self.armed.insert(timer.clone(), Dates { due_ms, queued_ms: due_ms });
                self.queue.insert((due_ms, timer));
            }
        }
    }

    pub(super) fn cancel(&mut self, timer: Timer) {
        if let Some(dates) = self.armed.remove(&timer) {
            self.queue.remove(&(dates.queued_ms, timer));
        }
    }

    /// The next date to look at the queue; never after the soonest deadline.
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.queue.first().map(|&(queued_ms, _)| queued_ms)
    }

    /// Takes out the timer that ran out first, if one did by now.
    pub(super) fn pop_due(&mut self, now_ms: i64) -> Option<Timer> {
        while self.next_ms()? <= now_ms {
            let (queued_ms, timer) = self.queue.pop_first()?;
            let dates = self.armed.get_mut(&timer).expect("every entry of the queue belongs to an armed timer");
            if dates.due_ms > queued_ms {
                dates.queued_ms = dates.due_ms;
                self.queue.insert((dates.due_ms, timer));
                continue;
            }
            self.armed.remove(&timer);
            return Some(timer);
        }
        None
    }

    pub(super) fn clear(&mut self) {
        self.armed.clear();
        self.queue.clear();
    }

    #[cfg(test)]
    pub(super) fn is_armed(&self, timer: &Timer) -> bool {
        self.armed.contains_key(timer)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.armed.len(), self.queue.len(), "one entry a timer");
        self.armed.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(group: &str) -> Timer {
        Timer::Join { group: group.into() }
    }

    #[test]
    fn timers_run_out_in_the_order_of_their_dates() {
        let mut timers = Timers::default();
        timers.arm(join("a"), 10);
        timers.arm(join("b"), 20);
        timers.arm(join("a"), 30);
        assert_eq!(timers.pop_due(100), Some(join("b")));
        assert_eq!(timers.pop_due(100), Some(join("a")));
        assert_eq!(timers.pop_due(100), None);
    }

    #[test]
    fn a_timer_moved_ahead_runs_out_ahead() {
        let mut timers = Timers::default();
        timers.arm(join("a"), 30);
        timers.arm(join("a"), 10);
        assert_eq!(timers.next_ms(), Some(10));
        assert_eq!(timers.pop_due(10), Some(join("a")));
        assert_eq!(timers.len(), 0);
    }

    #[test]
    fn a_postponed_timer_does_not_run_out_at_its_old_date() {
        let mut timers = Timers::default();
        timers.arm(join("a"), 10);
        timers.arm(join("a"), 30);
        assert_eq!(timers.pop_due(29), None);
        assert_eq!(timers.next_ms(), Some(30));
        assert_eq!(timers.pop_due(30), Some(join("a")));
    }

    #[test]
    fn a_cancelled_timer_leaves_nothing_behind() {
        let mut timers = Timers::default();
        timers.arm(join("a"), 10);
        timers.arm(join("a"), 30);
        timers.cancel(join("a"));
        timers.cancel(join("a"));
        assert_eq!((timers.len(), timers.next_ms()), (0, None));
    }
}
