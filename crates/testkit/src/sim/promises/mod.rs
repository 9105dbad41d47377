//! Promises that are checked while a run goes on, besides those that [`crate::history`] finds in the
//! records sent and read. One promise a file; each is told what clients asked and what they were
//! answered, and knows nothing of how.

mod bounds;
mod commits;
mod epochs;
mod generations;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::history::Check;

pub(crate) use bounds::{Bounds, Known};
pub(crate) use commits::Commits;
pub(crate) use epochs::{Epochs, Teller};
pub(crate) use generations::Generations;

/// A promise that a run may find broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// One of the checks of the history of sends and polls.
    History(Check),
    /// What was once visible stays visible: a log's end went back.
    EndWentBack,
    /// A log start went back, or past what anybody asked to delete.
    StartMoved,
    /// An offset commit that was answered is gone, or an older one came back.
    CommitLost,
    /// A group generation that was answered came again.
    GenerationReused,
    /// A leader epoch went back, or one offset has two.
    EpochWentBack,
    /// Two brokers lead a partition in one epoch.
    TwoLeaders,
    /// An idempotent producer that did nothing wrong was told that it did.
    ProducerForgotten,
    /// A client was told what no client would retry, or what makes no sense.
    UnexpectedAnswer,
    /// Replicas of a partition are not alike once all is quiet.
    ReplicasDiffer,
    /// A broker did not start or stop when it should have, or others did not take over.
    Unavailable,
    /// The faults were over, but something did not work again in time.
    NotHealed,
    /// Code panicked.
    Panicked,
}

/// One place where a run broke a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which promise.
    pub rule: Rule,
    /// Where and what, for a person.
    pub what: String,
}

impl Finding {
    pub(crate) fn new(rule: Rule, what: impl Into<String>) -> Self {
        Finding { rule, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule {
            Rule::History(check) => write!(f, "{check:?}: {}", self.what),
            rule => write!(f, "{rule:?}: {}", self.what),
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    pub(crate) bounds: Bounds,
    pub(crate) commits: Commits,
    pub(crate) epochs: Epochs,
    pub(crate) generations: Generations,
}
