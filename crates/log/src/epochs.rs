//! Where each leader epoch starts in the log (KIP-101).

use serde::{Deserialize, Serialize};

/// "Unknown", for an epoch and for an offset.
const UNDEFINED: (i32, i64) = (-1, -1);

/// The first offset of each leader epoch that appended, both strictly increasing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Epochs(Vec<(i32, i64)>);

impl Epochs {
    /// Notes that `epoch` appends at `offset`, if it is a new one.
    pub(crate) fn assign(&mut self, epoch: i32, offset: i64) {
        if epoch >= 0 && self.latest().is_none_or(|latest| epoch > latest) {
            self.0.push((epoch, offset));
        }
    }

    pub(crate) fn latest(&self) -> Option<i32> {
        self.0.last().map(|(epoch, _)| *epoch)
    }

    /// The epoch that appended `offset`.
    pub(crate) fn at(&self, offset: i64) -> Option<i32> {
        let after = self.0.partition_point(|(_, start)| *start <= offset);
        after.checked_sub(1).map(|index| self.0[index].0)
    }

    /// OffsetForLeaderEpoch: the greatest epoch up to `epoch`, and the offset at which it ended; (-1, -1) where that
    /// is not known. As `LeaderEpochFileCache.endOffsetFor` of Kafka.
    pub(crate) fn end_of(&self, epoch: i32, log_end: i64) -> (i32, i64) {
        if epoch < 0 {
            return UNDEFINED;
        }
        if self.latest() == Some(epoch) {
            return (epoch, log_end);
        }
        let after = self.0.partition_point(|(known, _)| *known <= epoch);
        let Some((_, end)) = self.0.get(after) else { return UNDEFINED };
        match after.checked_sub(1) {
            Some(floor) => (self.0[floor].0, *end),
            None => (epoch, *end),
        }
    }

    /// Forgets the epochs that ended at or before `log_start`. The one that holds it starts there.
    pub(crate) fn truncate_before(&mut self, log_start: i64) {
        let after = self.0.partition_point(|(_, start)| *start <= log_start);
        if let Some(floor) = after.checked_sub(1) {
            self.0.drain(..floor);
            self.0[0].1 = log_start;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(starts: &[(i32, i64)]) -> Epochs {
        let mut epochs = Epochs::default();
        for (epoch, start) in starts {
            epochs.assign(*epoch, *start);
        }
        epochs
    }

    #[test]
    fn an_epoch_ends_where_the_next_one_starts() {
        let epochs = epochs(&[(2, 10), (2, 15), (4, 20), (7, 30)]);
        let end_of = |epoch| epochs.end_of(epoch, 40);
        assert_eq!(end_of(7), (7, 40), "the latest ends at the log end");
        assert_eq!(end_of(4), (4, 30));
        assert_eq!(end_of(5), (4, 30), "the one before an unknown epoch");
        assert_eq!(end_of(1), (1, 10), "before all that are known");
        assert_eq!(end_of(8), (-1, -1), "above all that are known");
        assert_eq!(end_of(-1), (-1, -1));
        assert_eq!(Epochs::default().end_of(0, 0), (-1, -1));
    }

    #[test]
    fn the_epoch_of_an_offset_is_the_last_that_started() {
        let epochs = epochs(&[(2, 10), (4, 20)]);
        assert_eq!([9, 10, 19, 20, 99].map(|offset| epochs.at(offset)), [None, Some(2), Some(2), Some(4), Some(4)]);
    }

    #[test]
    fn a_moved_log_start_forgets_what_ended_before_it() {
        let mut epochs = epochs(&[(2, 10), (4, 20), (7, 30)]);
        epochs.truncate_before(5);
        assert_eq!(epochs.0, [(2, 10), (4, 20), (7, 30)]);
        epochs.truncate_before(25);
        assert_eq!(epochs.0, [(4, 25), (7, 30)]);
        epochs.truncate_before(30);
        assert_eq!(epochs.0, [(7, 30)]);
    }
}
