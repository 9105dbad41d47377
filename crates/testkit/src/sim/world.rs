//! What all parts of a run share: its randomness, its clock, what was recorded and what was found.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::env::{SimClock, SimRandom, lock};
use super::promises::{Finding, Promises, Rule};
use super::rng::Rng;
use super::trace::Trace;
use crate::history::Recorder;

/// How far a run has come; clients watch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Clients work, faults strike.
    Storm,
    /// No more faults; producers finish what they began, consumers catch up.
    Calm,
    /// All clients end.
    Over,
}

/// See the module.
pub(crate) struct World {
    /// The right time, and that of clients.
    pub(crate) clock: Arc<SimClock>,
    pub(crate) random: Arc<SimRandom>,
    /// How long threads take.
    pub(crate) threads: Arc<Mutex<Rng>>,
    pub(crate) trace: Arc<Trace>,
    pub(crate) history: Recorder,
    phase: watch::Sender<Phase>,
    rng: Mutex<Rng>,
    promises: Mutex<Promises>,
    findings: Mutex<Vec<Finding>>,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    numbers: AtomicU64,
}

impl World {
    /// The world of a seed; within the runtime that it lives in.
    pub(crate) fn new(seed: u64) -> Arc<World> {
        let mut rng = Rng::new(seed);
        let clock = Arc::new(SimClock::new());
        Arc::new(World {
            random: Arc::new(SimRandom(Mutex::new(rng.fork()))),
            threads: Arc::new(Mutex::new(rng.fork())),
            trace: Arc::new(Trace::new(clock.clone())),
            clock,
            history: Recorder::default(),
            phase: watch::Sender::new(Phase::Storm),
            rng: Mutex::new(rng),
            promises: Mutex::default(),
            findings: Mutex::default(),
            counts: Mutex::default(),
            numbers: AtomicU64::new(0),
        })
    }

    /// Randomness for one more part of the run.
    pub(crate) fn rng(&self) -> Rng {
        lock(&self.rng).fork()
    }

    /// A number that nobody in this run had before: a record's value, a commit's name.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// One more of something happened.
    pub(crate) fn count(&self, what: &'static str) {
        self.count_many(what, 1);
    }

    /// Several more of something happened.
    pub(crate) fn count_many(&self, what: &'static str, many: u64) {
        *lock(&self.counts).entry(what).or_default() += many;
    }

    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.counts).clone()
    }

    /// Looks at or tells the promises.
    pub(crate) fn promises<T>(&self, with: impl FnOnce(&mut Promises) -> T) -> T {
        with(&mut lock(&self.promises))
    }

    /// Tells the promises something, which may break one.
    pub(crate) fn hold(&self, with: impl FnOnce(&mut Promises) -> Option<Finding>) {
        if let Some(finding) = self.promises(with) {
            self.find(finding);
        }
    }

    /// A promise is broken.
    pub(crate) fn found(&self, rule: Rule, what: impl Into<String>) {
        self.find(Finding::new(rule, what));
    }

    fn find(&self, finding: Finding) {
        tracing::error!(%finding, "FOUND");
        lock(&self.findings).push(finding);
    }

    pub(crate) fn findings(&self) -> Vec<Finding> {
        lock(&self.findings).clone()
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    pub(crate) fn enter(&self, phase: Phase) {
        tracing::info!(?phase, "the run goes on");
        self.phase.send_replace(phase);
    }

    /// Returns when the run has come to a phase, or beyond.
    pub(crate) async fn reached(&self, phase: Phase) {
        // The sender lives as long as the world.
        self.phase.subscribe().wait_for(|now| *now >= phase).await.ok();
    }
}
