//! Records that a topic does not take, one by one (KIP-467).

use model::ErrorCode;

/// What a topic has against a record that is well formed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordProblem {
    /// It has no key, which a compacted topic needs.
    NoKey,
    /// Its timestamp is not within the topic's bounds.
    Timestamp {
        /// What the record says, in ms since the epoch.
        timestamp: i64,
        /// Least timestamp that `message.timestamp.before.max.ms` allows now.
        oldest: i64,
        /// Greatest timestamp that `message.timestamp.after.max.ms` allows now.
        newest: i64,
    },
    /// `LogAppendTime` is the broker's to set.
    StampedByProducer,
}

/// The records of a batch that are refused.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct RefusedRecords {
    /// The first ones, by their places in the batch: as many as [`Limits`](crate::Limits) say.
    pub named: Vec<(i32, RecordProblem)>,
    /// How many there are in all.
    pub count: u32,
    /// Whether a timestamp is among what is wrong, which decides the error code.
    pub has_bad_timestamp: bool,
}

impl RefusedRecords {
    pub(crate) fn add(&mut self, index: i32, problem: RecordProblem, most_named: usize) {
        self.count += 1;
        self.has_bad_timestamp |= problem != RecordProblem::NoKey;
        if self.named.len() < most_named {
            self.named.push((index, problem));
        }
    }

    pub(crate) fn code(&self) -> ErrorCode {
        if self.has_bad_timestamp { ErrorCode::InvalidTimestamp } else { ErrorCode::InvalidRecord }
    }
}
