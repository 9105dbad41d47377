//! What a group's handle, its transport and its worker know together.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use journal::{EntryId, GroupLog};
use model::GroupId;
use tokio::time::Instant;

use super::encoding::decode_vote;
use super::lock;
use super::pace::Pace;
use super::progress::Progress;
use super::taking::Taking;
use crate::transport::{Append, Ballot, Transport};
use crate::{CatchUp, Config, Follower, Timings, Voter};

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
    /// The members that take our state now, and the index after what it holds.
    offered: Mutex<BTreeMap<Voter, u64>>,
    /// The state that is being taken.
    pub(super) taking: Mutex<Option<Taking>>,
    /// One state is taken at a time.
    pub(super) installing: tokio::sync::Mutex<()>,
    /// Why none could be taken, as it was last told.
    trouble: Mutex<String>,
    pub(super) catch_up: Arc<dyn CatchUp>,
    pub(super) max_retained_bytes: u64,
    /// The term in which this member gave its leadership away.
    given_away: AtomicU64,
    /// The last leader that was heard, and which life of its process.
    followed: Mutex<Option<(Ballot, u64)>>,
    /// How this member keeps up with it.
    pace: Mutex<Pace>,
    log: GroupLog,
    /// A leader has other entries than those that are committed here.
    contradicted: AtomicBool,
}

impl Shared {
    pub(super) fn new(config: &Config, log: GroupLog) -> Self {
        Shared {
            group: config.group,
            me: config.me,
            incarnation: config.incarnation,
            timings: config.timings,
            transport: config.transport.clone(),
            changing: tokio::sync::Mutex::default(),
            progress: Mutex::default(),
            needed_from: AtomicU64::new(0),
            offered: Mutex::default(),
            taking: Mutex::default(),
            installing: tokio::sync::Mutex::default(),
            trouble: Mutex::default(),
            catch_up: config.catch_up.clone(),
            max_retained_bytes: config.max_retained_bytes,
            given_away: AtomicU64::new(0),
            followed: Mutex::new(None),
            pace: Mutex::default(),
            log,
            contradicted: AtomicBool::new(false),
        }
    }

    /// Whether a leader has other entries than those that are committed here, which openraft takes for impossible: it
    /// would go on as if they were the same. It happens where a majority lost what it had confirmed.
    pub(super) fn contradicts(&self, append: &Append) -> bool {
        let state = self.log.state();
        let Some(EntryId { index: committed, .. }) = state.committed else { return false };
        let mut theirs = append.previous.into_iter().chain(append.entries.iter().map(|entry| entry.id));
        let is_other = |id: EntryId| self.log.entry_id(id.index).is_some_and(|ours| ours != id);
        // An old leader may well have what nobody committed.
        let term = || state.vote.as_deref().and_then(decode_vote).map_or(0, |vote| vote.leader_id.term);
        let contradicts =
            theirs.by_ref().take_while(|id| id.index <= committed).any(is_other) && append.ballot.term >= term();
        if contradicts && !self.contradicted.swap(true, Ordering::SeqCst) {
            let (group, leader) = (self.group, append.ballot.voter);
            tracing::error!(%group, %leader, "the leader has other entries than those that are committed here");
        }
        contradicts
    }

    pub(crate) fn is_contradicted(&self) -> bool {
        self.contradicted.load(Ordering::SeqCst)
    }

    /// Takes from an append what openraft does not carry.
    pub(super) fn heard(&self, append: &Append) {
        let mut followed = lock(&self.followed);
        if followed.is_none_or(|(before, _)| before.term <= append.ballot.term) {
            *followed = Some((append.ballot, append.incarnation));
            self.needed_from.store(append.needed_from, Ordering::Relaxed);
            if let Some(committed) = append.committed {
                lock(&self.pace).heard(Instant::now(), committed.index + 1);
            }
        }
    }

    /// How long ago all was applied that the leader had committed, as it said, where all below this index is now.
    pub(crate) fn kept_up_ago(&self, applied: u64) -> Option<Duration> {
        lock(&self.pace).kept_up(applied).map(|at| at.elapsed())
    }

    /// The leader that was heard last, if this life of its process was it.
    pub(super) fn followed(&self, incarnation: u64) -> Option<Ballot> {
        lock(&self.followed).filter(|(_, life)| *life == incarnation).map(|(ballot, _)| ballot)
    }

    pub(super) fn needed_from(&self) -> u64 {
        self.needed_from.load(Ordering::Relaxed)
    }

    /// At the leader: what the followers still need of the log, which ends at `end`.
    pub(super) fn note_needed(&self, followers: &[Follower], end: u64) {
        let offered = lock(&self.offered);
        let needs = |follower: &Follower| {
            let has = follower.matched.map_or(0, |id| id.index + 1);
            has.max(offered.get(&follower.voter).copied().unwrap_or(0))
        };
        let needed_from = followers.iter().map(needs).min().unwrap_or(end).min(end);
        self.needed_from.store(needed_from, Ordering::Relaxed);
    }

    /// While what this returns is kept, a member takes our state up to `end`: it will need the
    /// entries from there on, and none before.
    pub(super) fn offer(self: &Arc<Self>, to: Voter, end: u64) -> Offered {
        lock(&self.offered).insert(to, end);
        Offered { shared: self.clone(), to }
    }

    /// Tells why a leader's state can't be taken, and the same reason only once: it is tried every few seconds.
    pub(super) fn note_trouble(&self, why: Option<&String>) {
        let mut told = lock(&self.trouble);
        match why {
            Some(why) if *why != *told => {
                tracing::warn!(group = %self.group, why, "the leader's state can't be taken, to be tried again");
                told.clone_from(why);
            }
            Some(_) => {}
            None => told.clear(),
        }
    }

    /// From here on nothing is served on the lease of this term: voters will not wait for it.
    pub(super) fn give_away(&self, term: u64) {
        self.given_away.fetch_max(term, Ordering::SeqCst);
    }

    pub(crate) fn gave_away(&self, term: u64) -> bool {
        self.given_away.load(Ordering::SeqCst) >= term
    }
}

/// See [`Shared::offer`].
pub(super) struct Offered {
    shared: Arc<Shared>,
    to: Voter,
}

impl Drop for Offered {
    fn drop(&mut self) {
        lock(&self.shared.offered).remove(&self.to);
    }
}
