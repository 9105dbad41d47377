//! When each follower last had all that the leader had.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::{Follower, Voter};

/// Followers' progress over one term; see [`Follower::caught_up`].
#[derive(Debug, Default)]
pub(crate) struct Progress {
    term: u64,
    followers: BTreeMap<Voter, Reached>,
}

#[derive(Debug, Clone, Copy)]
struct Reached {
    caught_up: Option<Instant>,
    /// A moment, and the log's end then: one that this follower still has to reach.
    mark: Option<(Instant, u64)>,
}

impl Progress {
    /// Notes where everyone stands now. `end` is the index after the leader's last entry.
    pub(super) fn note(&mut self, term: u64, now: Instant, end: u64, followers: &[Follower]) {
        if self.term != term {
            *self = Progress { term, followers: BTreeMap::new() };
        }
        self.followers.retain(|voter, _| followers.iter().any(|follower| follower.voter == *voter));
        for follower in followers {
            let has = follower.matched.map_or(0, |id| id.index + 1);
            let reached = self.followers.entry(follower.voter).or_insert(Reached { caught_up: None, mark: None });
            if has >= end {
                // As of when it was heard: one that is gone must not stay in sync because nothing is written.
                reached.caught_up = reached.caught_up.max(follower.heard);
                reached.mark = None;
            } else if let Some((marked, _)) = reached.mark.filter(|(_, marked_end)| has >= *marked_end) {
                reached.caught_up = reached.caught_up.max(Some(marked));
                reached.mark = Some((now, end));
            } else if reached.mark.is_none() {
                reached.mark = Some((now, end));
            }
        }
    }

    pub(super) fn caught_up(&self, term: u64, voter: Voter) -> Option<Instant> {
        self.followers.get(&voter).filter(|_| self.term == term)?.caught_up
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use journal::EntryId;
    use uuid::Uuid;

    use super::*;

    fn follower(has: u64, heard: Instant) -> Follower {
        let voter = Voter { broker: 2, directory: Uuid::nil() };
        let matched = has.checked_sub(1).map(|index| EntryId { term: 1, node: 1, index });
        Follower { voter, matched, caught_up: None, heard: Some(heard) }
    }

    fn caught_up(progress: &Progress, term: u64) -> Option<Instant> {
        progress.caught_up(term, follower(0, Instant::now()).voter)
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_keeps_pace_with_a_growing_log_is_caught_up_as_of_its_last_mark() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut progress = Progress::default();
        progress.note(1, at(0), 10, &[follower(0, at(0))]);
        assert_eq!(caught_up(&progress, 1), None);
        progress.note(1, at(1), 20, &[follower(9, at(1))]);
        assert_eq!(caught_up(&progress, 1), None);
        progress.note(1, at(2), 30, &[follower(10, at(2))]);
        assert_eq!(caught_up(&progress, 1), Some(at(0)));
        progress.note(1, at(3), 40, &[follower(30, at(3))]);
        assert_eq!(caught_up(&progress, 1), Some(at(2)));
        progress.note(1, at(4), 40, &[follower(40, at(4))]);
        assert_eq!(caught_up(&progress, 1), Some(at(4)));
        assert_eq!(caught_up(&progress, 2), None, "of another term");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_gone_falls_behind_though_nothing_is_written() {
        let start = Instant::now();
        let mut progress = Progress::default();
        for second in 0..5 {
            progress.note(1, start + Duration::from_secs(second), 10, &[follower(10, start)]);
        }
        assert_eq!(caught_up(&progress, 1), Some(start));
    }
}
