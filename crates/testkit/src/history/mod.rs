//! A recorded history of sends and polls, and the checks that hold it to what Tidelog promises
//! (after Jepsen's Kafka workload; the rows of `docs/guarantees.md`).
//!
//! The log of a partition is not known, only what clients saw of it: acknowledged offsets and polled records.
//! Each check is a pure function in a file of its own, from a [`History`] to [`Finding`]s.
//!
//! ```
//! use testkit::history::{Check, Partition, Recorder, check};
//! let recorder = Recorder::default();
//! let at = Partition::new("orders", 0);
//! recorder.send("producer", &at, 1);
//! recorder.acknowledged(1, 0);
//! recorder.polled("consumer", &at, 0, 2); // another value than the one acknowledged at offset 0
//! let findings = check(&recorder.history());
//! assert_eq!(findings[0].check, Check::InconsistentOffsets);
//! ```

mod aborted_read;
mod duplicate;
mod event;
mod inconsistent_offsets;
mod lost_write;
mod poll_order;
mod send_order;
#[cfg(test)]
mod tests;
mod unseen;
mod view;

pub use event::{Event, History, Partition, Recorder, Value};

use view::View;

/// The checks, by the names they have in Jepsen's Kafka workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// One offset was seen with more than one value.
    InconsistentOffsets,
    /// One value stands at more than one offset.
    Duplicate,
    /// An acknowledged send at or below the highest position read, which no poll returned.
    LostWrite,
    /// An acknowledged send that nobody polled by the end.
    Unseen,
    /// A poll returned a value whose write definitely failed (G1a).
    AbortedRead,
    /// A process's successive polls jump over known values.
    PollSkip,
    /// A process's successive polls go back or repeat.
    NonmonotonicPoll,
    /// A process's sends go backwards in the log.
    NonmonotonicSend,
}

/// One place where a history breaks a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which promise.
    pub check: Check,
    /// Where and what, for a person.
    pub what: String,
}

/// Runs all checks; an empty answer is a history without fault. It is meant for histories whose consumers
/// read on until nothing was left: otherwise [`Check::Unseen`] names what they had yet to read.
pub fn check(history: &History) -> Vec<Finding> {
    let view = View::of(history);
    let mut findings = inconsistent_offsets::findings(&view);
    findings.extend(duplicate::findings(&view));
    findings.extend(lost_write::findings(&view));
    findings.extend(unseen::findings(&view));
    findings.extend(aborted_read::findings(&view));
    findings.extend(poll_order::findings(history, &view));
    findings.extend(send_order::findings(&view));
    findings
}
