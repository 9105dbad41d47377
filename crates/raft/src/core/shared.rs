//! What a group's handle, its transport and its worker know together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use model::GroupId;

use super::lock;
use super::progress::Progress;
use crate::transport::{Append, Ballot, Transport};
use crate::{Config, Timings, Voter};

/// See the module.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) group: GroupId,
    pub(crate) me: Voter,
    pub(crate) incarnation: u64,
    pub(crate) timings: Timings,
    pub(crate) transport: Arc<dyn Transport>,
    /// Members are changed by one at a time.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// What a leader knows of its followers.
    pub(super) progress: Mutex<Progress>,
    /// The index below which no member needs entries any more: at a leader as it sees it, elsewhere
    /// as the leader said.
    needed_from: AtomicU64,
    /// The term in which this member gave its leadership away.
    given_away: AtomicU64,
    /// The last leader that was heard, and which life of its process.
    followed: Mutex<Option<(Ballot, u64)>>,
}

impl Shared {
    pub(super) fn new(config: &Config) -> Self {
        Shared {
            group: config.group,
            me: config.me,
            incarnation: config.incarnation,
            timings: config.timings,
            transport: config.transport.clone(),
            changing: tokio::sync::Mutex::default(),
            progress: Mutex::default(),
            needed_from: AtomicU64::new(0),
            given_away: AtomicU64::new(0),
            followed: Mutex::new(None),
        }
    }

    /// Takes from an append what openraft does not carry.
    pub(super) fn heard(&self, append: &Append) {
        let mut followed = lock(&self.followed);
        if followed.is_none_or(|(before, _)| before.term <= append.ballot.term) {
            *followed = Some((append.ballot, append.incarnation));
            self.needed_from.store(append.needed_from, Ordering::Relaxed);
        }
    }

    /// The leader that was heard last, if this life of its process was it.
    pub(super) fn followed(&self, incarnation: u64) -> Option<Ballot> {
        lock(&self.followed).filter(|(_, life)| *life == incarnation).map(|(ballot, _)| ballot)
    }

    pub(super) fn needed_from(&self) -> u64 {
        self.needed_from.load(Ordering::Relaxed)
    }

    pub(super) fn set_needed_from(&self, index: u64) {
        self.needed_from.store(index, Ordering::Relaxed);
    }

    /// From here on nothing is served on the lease of this term: voters will not wait for it.
    pub(super) fn give_away(&self, term: u64) {
        self.given_away.fetch_max(term, Ordering::SeqCst);
    }

    pub(crate) fn gave_away(&self, term: u64) -> bool {
        self.given_away.load(Ordering::SeqCst) >= term
    }
}
