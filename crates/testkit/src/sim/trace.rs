//! The fingerprint of a run: every byte on every connection, when it went, and what was noted.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

use super::env::{SimClock, lock};

/// Collects the fingerprint. Two runs of one seed have the same one.
pub(crate) struct Trace {
    clock: Arc<SimClock>,
    hasher: Mutex<DefaultHasher>, // its keys are fixed
}

impl Trace {
    pub(crate) fn new(clock: Arc<SimClock>) -> Self {
        Trace { clock, hasher: Mutex::default() }
    }

    /// Bytes went over a connection.
    pub(crate) fn bytes(&self, connection: u64, outbound: bool, bytes: &[u8]) {
        self.add((connection, outbound, bytes));
    }

    /// Something happened.
    pub(crate) fn add(&self, what: impl Hash) {
        let mut hasher = lock(&self.hasher);
        (self.clock.elapsed(), what).hash(&mut *hasher);
    }

    /// The fingerprint so far.
    pub(crate) fn digest(&self) -> u64 {
        lock(&self.hasher).finish()
    }
}
