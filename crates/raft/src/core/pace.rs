//! How a follower keeps pace with what its leader has committed.

use tokio::time::Instant;

/// What the leader told, and when; see [`crate::Group::kept_up_ago`].
#[derive(Debug, Default)]
pub(super) struct Pace {
    kept_up: Option<Instant>,
    /// A moment, and the index after what was committed then: still to be reached.
    mark: Option<(Instant, u64)>,
    /// The last that was heard.
    latest: Option<(Instant, u64)>,
}

impl Pace {
    /// The leader says that all below this index is committed.
    pub(super) fn heard(&mut self, now: Instant, committed: u64) {
        self.latest = Some((now, committed));
        self.mark.get_or_insert((now, committed));
    }

    /// When all was applied last that was known to be committed, where all below this index is now.
    pub(super) fn kept_up(&mut self, applied: u64) -> Option<Instant> {
        let reached =
            |it: Option<(Instant, u64)>| it.filter(|(_, committed)| applied >= *committed).map(|(heard, _)| heard);
        if let Some(heard) = reached(self.latest) {
            (self.kept_up, self.mark) = (Some(heard), None);
        } else if let Some(heard) = reached(self.mark) {
            (self.kept_up, self.mark) = (self.kept_up.max(Some(heard)), self.latest);
        }
        self.kept_up
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_that_applies_what_it_hears_of_has_kept_up_as_of_then() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut pace = Pace::default();
        assert_eq!(pace.kept_up(10), None, "nothing was heard");
        pace.heard(at(1), 10);
        assert_eq!(pace.kept_up(10), Some(at(1)));
        pace.heard(at(2), 10);
        assert_eq!(pace.kept_up(10), Some(at(2)));
        assert_eq!(pace.kept_up(10), Some(at(2)), "no later, though time goes on");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_never_catches_a_growing_log_has_kept_up_as_of_its_last_mark() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut pace = Pace::default();
        pace.heard(at(0), 10);
        pace.heard(at(1), 20);
        assert_eq!(pace.kept_up(9), None);
        assert_eq!(pace.kept_up(10), Some(at(0)));
        pace.heard(at(2), 30);
        assert_eq!(pace.kept_up(19), Some(at(0)));
        assert_eq!(pace.kept_up(20), Some(at(1)));
        assert_eq!(pace.kept_up(20), Some(at(1)));
    }
}
