//! What clients did and saw, in the order in which it happened to each of them.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// What a record carries: a number that is sent only once in a history.
pub type Value = u64;

/// A partition of a topic, printed as `topic-0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub number: i32,
}

/// One step of one process (a producer or a consumer; the name is its own for the whole history).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A producer is about to hand a value to its client.
    Send {
        /// The producer.
        process: String,
        /// Where it goes.
        at: Partition,
        /// What it carries.
        value: Value,
    },
    /// The broker acknowledged the value at this offset.
    Acknowledged {
        /// What was sent.
        value: Value,
        /// Where it stands.
        offset: i64,
    },
    /// The value is definitely not in the log. (A time-out is no failure: the write may have happened.)
    Failed {
        /// What was sent.
        value: Value,
    },
    /// A consumer was handed a record.
    Polled {
        /// The consumer.
        process: String,
        /// Where it was.
        at: Partition,
        /// At which offset.
        offset: i64,
        /// What it carried.
        value: Value,
    },
    /// Somebody is about to ask that all offsets below this be deleted. Whether it happens or not, what was
    /// there need not be any more.
    Removed {
        /// Where.
        at: Partition,
        /// The first offset that has to stay.
        below: i64,
    },
    /// A consumer's partitions or positions changed (a rebalance, a seek): it may go back or jump.
    Repositioned {
        /// The consumer.
        process: String,
    },
}

/// All events, each process's in its own order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// In the order of recording.
    pub events: Vec<Event>,
}

/// Collects a history from many threads.
#[derive(Debug, Default)]
pub struct Recorder {
    events: Mutex<Vec<Event>>,
}

impl Partition {
    /// Partition `number` of `topic`.
    pub fn new(topic: &str, number: i32) -> Self {
        Self { topic: topic.to_owned(), number }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.number)
    }
}

impl Recorder {
    /// Records [`Event::Send`]; call it before the value is handed to the client.
    pub fn send(&self, process: &str, at: &Partition, value: Value) {
        self.push(Event::Send { process: process.to_owned(), at: at.clone(), value });
    }

    /// Records [`Event::Acknowledged`].
    pub fn acknowledged(&self, value: Value, offset: i64) {
        self.push(Event::Acknowledged { value, offset });
    }

    /// Records [`Event::Failed`].
    pub fn failed(&self, value: Value) {
        self.push(Event::Failed { value });
    }

    /// Records [`Event::Polled`].
    pub fn polled(&self, process: &str, at: &Partition, offset: i64, value: Value) {
        self.push(Event::Polled { process: process.to_owned(), at: at.clone(), offset, value });
    }

    /// Records [`Event::Removed`]; call it before the request is sent.
    pub fn removed(&self, at: &Partition, below: i64) {
        self.push(Event::Removed { at: at.clone(), below });
    }

    /// Records [`Event::Repositioned`].
    pub fn repositioned(&self, process: &str) {
        self.push(Event::Repositioned { process: process.to_owned() });
    }

    /// What was recorded so far.
    pub fn history(&self) -> History {
        History { events: self.events.lock().unwrap_or_else(PoisonError::into_inner).clone() }
    }

    fn push(&self, event: Event) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}
