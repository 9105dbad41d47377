//! openraft's state machine: applies to ours, and builds a "snapshot" by having it take a checkpoint.

use std::fmt::Debug;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::{Stream, StreamExt};
use model::Executor;
use openraft::storage::{EntryResponder, RaftSnapshotBuilder, RaftStateMachine};
use tokio::sync::{mpsc, oneshot, watch};

use super::encoding::{decode_stored_membership, encode_stored_membership};
use super::lock;
use super::types::{
    LogEntry, LogId, Offer, Payload, Reply, Snapshot, SnapshotMeta, StoredMembership, Types, entry_id, log_id,
};
use crate::{Applied, StateMachine};

/// Someone who waits for a checkpoint: which entry it reached, or why it did not.
pub(crate) type CheckpointWaiter = oneshot::Sender<io::Result<Option<LogId>>>;

/// Our state machine with what Raft has to know of it.
pub(crate) struct Machine<S: StateMachine> {
    // openraft asks for `Sync`; all its calls are exclusive, so that this is never locked.
    machine: Mutex<S>,
    executor: Arc<dyn Executor>,
    applied: Option<LogId>,
    membership: StoredMembership,
    checkpointed: Arc<Mutex<SnapshotMeta>>,
    waiters: mpsc::Receiver<CheckpointWaiter>,
    /// The term whose first entry was applied last.
    term_started: watch::Sender<u64>,
    /// Set once openraft runs: from then on it asks for the state only to ship it.
    runs: Arc<AtomicBool>,
    /// Held by all that may touch the state machine's files.
    alive: Alive,
}

/// While one lives, the group has not ended.
type Alive = mpsc::Sender<()>;

impl<S: StateMachine> Machine<S> {
    /// `None`: the checkpoint's membership is not one that this version reads.
    pub(super) fn new(
        machine: S,
        executor: Arc<dyn Executor>,
        waiters: mpsc::Receiver<CheckpointWaiter>,
        term_started: watch::Sender<u64>,
        alive: Alive,
    ) -> Option<Self> {
        let (applied, membership) = match machine.applied() {
            Some(Applied { id, membership }) => (Some(log_id(id)), decode_stored_membership(&membership)?),
            None => (None, StoredMembership::default()),
        };
        let checkpointed = SnapshotMeta { last_log_id: applied, last_membership: membership.clone() };
        Some(Machine {
            machine: Mutex::new(machine),
            executor,
            applied,
            membership,
            checkpointed: Arc::new(Mutex::new(checkpointed)),
            waiters,
            term_started,
            runs: Arc::default(),
            alive,
        })
    }

    pub(super) fn runs(&self) -> Arc<AtomicBool> {
        self.runs.clone()
    }

    pub(super) fn applied_id(&self) -> Option<LogId> {
        self.applied
    }

    pub(super) fn apply_entry(&mut self, entry: &LogEntry) -> Option<S::Response> {
        let id = entry_id(entry.id);
        let machine = self.machine.get_mut().unwrap_or_else(PoisonError::into_inner);
        let response = match &entry.payload {
            Payload::Proposed(bytes) => Some(machine.apply(id, bytes)),
            Payload::Blank => {
                machine.term_started(id);
                self.term_started.send_replace(id.term);
                None
            }
            Payload::Membership(membership) => {
                let membership = openraft::Membership::clone(membership);
                self.membership = StoredMembership::new(Some(entry.id), membership);
                None
            }
        };
        self.applied = Some(entry.id);
        response
    }
}

impl<S: StateMachine> RaftStateMachine<Types<S::Response>> for Machine<S> {
    type SnapshotData = Offer;
    type SnapshotBuilder = Checkpoint;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        Ok((self.applied, self.membership.clone()))
    }

    async fn apply<Entries>(&mut self, mut entries: Entries) -> io::Result<()>
    where
        Entries: Stream<Item = io::Result<EntryResponder<Types<S::Response>>>> + Unpin + Send,
    {
        while let Some(entry) = entries.next().await {
            let (entry, responder) = entry?;
            let response = self.apply_entry(&entry);
            if let Some(responder) = responder {
                responder.send(Reply::new(response));
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Checkpoint {
        let waiters = std::iter::from_fn(|| self.waiters.try_recv().ok()).collect();
        let meta = SnapshotMeta { last_log_id: self.applied, last_membership: self.membership.clone() };
        // Nothing was applied since the last one: nothing to write.
        let news = self.applied.filter(|_| self.applied != lock(&self.checkpointed).last_log_id);
        let job = news.map(|id| {
            let applied = Applied { id: entry_id(id), membership: encode_stored_membership(&self.membership) };
            let job = self.machine.get_mut().unwrap_or_else(PoisonError::into_inner).checkpoint(applied);
            let alive = self.alive.clone();
            let job: Job = Box::new(move || {
                let outcome = job();
                drop(alive);
                outcome
            });
            job
        });
        let (executor, checkpointed) = (self.executor.clone(), self.checkpointed.clone());
        Checkpoint { job: Mutex::new(job), meta, executor, checkpointed, waiters }
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, offer: Offer) -> io::Result<()> {
        let (Some(id), Ok(offer)) = (meta.last_log_id, offer) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a snapshot of nothing"));
        };
        let applied = Applied { id: entry_id(id), membership: encode_stored_membership(&meta.last_membership) };
        self.machine.get_mut().unwrap_or_else(PoisonError::into_inner).install(applied, offer)?;
        (self.applied, self.membership) = (Some(id), meta.last_membership.clone());
        *lock(&self.checkpointed) = meta.clone();
        Ok(())
    }

    /// At start, what the last checkpoint holds; later, what a follower is to take: the state as it
    /// is now. That it is not offered is said in its place, since an error would end the group.
    async fn get_current_snapshot(&mut self) -> io::Result<Option<Snapshot>> {
        if !self.runs.load(Ordering::Acquire) {
            let meta = lock(&self.checkpointed).clone();
            return Ok(meta.last_log_id.is_some().then_some(Snapshot { meta, snapshot: Err("not asked for".into()) }));
        }
        let meta = SnapshotMeta { last_log_id: self.applied, last_membership: self.membership.clone() };
        let offer = self.machine.get_mut().unwrap_or_else(PoisonError::into_inner).offer();
        Ok(Some(Snapshot { meta, snapshot: offer.map_err(|error| error.to_string().into()) }))
    }
}

/// The blocking part of a checkpoint of the state machine.
type Job = Box<dyn FnOnce() -> io::Result<()> + Send>;

/// A checkpoint on its way: the state is captured, the files are not synced yet.
pub(crate) struct Checkpoint {
    // For `Sync`, as above.
    job: Mutex<Option<Job>>,
    meta: SnapshotMeta,
    executor: Arc<dyn Executor>,
    checkpointed: Arc<Mutex<SnapshotMeta>>,
    waiters: Vec<CheckpointWaiter>,
}

impl Checkpoint {
    async fn run(&mut self) -> io::Result<()> {
        let Some(job) = lock(&self.job).take() else { return Ok(()) };
        let (done, outcome) = oneshot::channel();
        self.executor.blocking(Box::new(move || drop(done.send(job()))));
        outcome.await.unwrap_or_else(|_| Err(io::Error::other("the checkpoint was given up")))?;
        *lock(&self.checkpointed) = self.meta.clone();
        Ok(())
    }
}

impl<R: Send + Debug + 'static> RaftSnapshotBuilder<Types<R>> for Checkpoint {
    type SnapshotData = Offer;

    /// A checkpoint that failed, on a full disk say, is no reason to stop the group: it is told to
    /// who asked for it, and openraft sees the one before, up to which nothing is left to purge.
    async fn build_snapshot(&mut self) -> io::Result<Snapshot> {
        let outcome = self.run().await;
        for waiter in self.waiters.drain(..) {
            let told = match &outcome {
                Ok(()) => Ok(self.meta.last_log_id),
                Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
            };
            // Who asked may have gone.
            waiter.send(told).ok();
        }
        Ok(Snapshot { meta: lock(&self.checkpointed).clone(), snapshot: Err("not asked for".into()) })
    }
}
