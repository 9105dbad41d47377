//! The handle of a group.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use journal::{EntryId, Journal};
use model::{Executor, GroupId};
use tokio::sync::{Semaphore, oneshot, watch};

use crate::core::{self, Answer, Proposed, Running, Written};
use crate::{Config, ProposeError, RaftError, StateMachine, Status};

/// What a proposal counts for in the budget beyond its bytes: its place in queues, its channel.
const PROPOSAL_OVERHEAD_BYTES: usize = 256;

/// One Raft group on this broker. A cheap clone; the group itself lives on its own worker, and ends
/// when all handles are gone.
pub struct Group<S: StateMachine> {
    shared: Arc<Shared<S>>,
}

struct Shared<S: StateMachine> {
    group: GroupId,
    /// Asked why the group ended.
    journal: Journal,
    limit: usize,
    budget: Arc<Semaphore>,
    running: Running<S>,
    /// Checkpoints are taken one by one.
    checkpointing: tokio::sync::Mutex<()>,
}

impl<S: StateMachine> Group<S> {
    /// Starts the group on a worker of its own: applies again what the journal holds beyond the
    /// state machine's last checkpoint, and stands for election at once where it is the only voter.
    ///
    /// Resolves once the group runs; wait for [`Status::ready`] before proposing.
    pub async fn start(
        config: Config,
        journal: Journal,
        machine: S,
        executor: Arc<dyn Executor>,
    ) -> Result<Self, RaftError> {
        let (group, limit) = (config.group, config.max_proposed_bytes);
        let running = core::start(config, journal.clone(), machine, executor).await?;
        let budget = Arc::new(Semaphore::new(limit));
        let shared = Shared { group, journal, limit, budget, running, checkpointing: Default::default() };
        Ok(Group { shared: Arc::new(shared) })
    }

    /// Queues one entry, in the order of calls. Waits while the group's budget of bytes is used up.
    ///
    /// The payload is kept in the cache of recent entries: it must own its bytes, and not be a slice
    /// of a larger buffer.
    pub async fn propose(&self, payload: Bytes) -> Result<Proposal<S::Response>, ProposeError> {
        let shared = &*self.shared;
        let group = shared.group;
        let bytes = payload.len() + PROPOSAL_OVERHEAD_BYTES;
        if bytes > shared.limit {
            return Err(ProposeError::TooLarge { group, bytes, limit: shared.limit });
        }
        self.admit()?;
        let journal = shared.journal.clone();
        let ended = || ended(group, &journal);
        let permit = shared.budget.clone().acquire_many_owned(bytes as u32).await.map_err(|_| ended())?;
        let (sender, written) = oneshot::channel();
        let answer = Answer { sender, permit };
        shared.running.raft.client_write_ff(Proposed(payload), Some(answer)).await.map_err(|_| ended())?;
        Ok(Proposal { group, journal, written })
    }

    /// Leader, term and readiness, as they change. The sender is gone once the group has ended.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.shared.running.status.clone()
    }

    /// Takes a checkpoint, and purges the journal up to it, but for entries that another member lacks
    /// ([`Config::max_retained_bytes`]). A failed checkpoint leaves the group and the checkpoint before
    /// as they are.
    pub async fn checkpoint(&self) -> Result<(), RaftError> {
        let Shared { group, running, checkpointing, .. } = &*self.shared;
        let stopped = || RaftError::Stopped { group: *group };
        let _one_by_one = checkpointing.lock().await;
        let (waiter, outcome) = oneshot::channel();
        running.checkpoints.send(waiter).await.map_err(|_| stopped())?;
        running.raft.trigger().snapshot().await.map_err(|_| stopped())?;
        let reached = outcome.await.map_err(|_| stopped())?.map_err(|error| {
            let reason = format!("a checkpoint failed: {error}").into();
            RaftError::Storage { group: *group, reason }
        })?;
        core::purge(&running.raft, &running.shared, &self.shared.journal, reached).await.map_err(|_| stopped())
    }

    /// Ends the group: resolves when nothing of it runs any more. What was proposed and not answered
    /// yet resolves with an error; whether it survives is unknown.
    pub async fn shutdown(&self) {
        let mut status = self.status();
        self.shared.running.stop.send_replace(true);
        while status.changed().await.is_ok() {}
    }

    pub(crate) fn running(&self) -> &Running<S> {
        &self.shared.running
    }

    /// Which group this is.
    pub fn id(&self) -> GroupId {
        self.shared.group
    }

    fn admit(&self) -> Result<(), ProposeError> {
        let group = self.shared.group;
        let status = *self.shared.running.status.borrow();
        match status {
            Status { failed: true, .. } => Err(ProposeError::Storage { group }),
            Status { stopped: true, .. } => Err(ProposeError::Stopped { group }),
            Status { ready: true, .. } => Ok(()),
            Status { leader: None, .. } => Err(ProposeError::NotLeader { group, leader: None }),
            Status { leader: Some(_), .. } => Err(ProposeError::NotReady { group }),
        }
    }
}

impl<S: StateMachine> Clone for Group<S> {
    fn clone(&self) -> Self {
        Group { shared: self.shared.clone() }
    }
}

impl<S: StateMachine> fmt::Debug for Group<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("id", &self.shared.group).finish_non_exhaustive()
    }
}

/// An entry that is queued: resolves when it is applied, or when it is known that nobody here will
/// say whether it was.
#[must_use = "the answer tells where the entry stands"]
pub struct Proposal<R: Send + fmt::Debug + 'static> {
    group: GroupId,
    journal: Journal,
    written: oneshot::Receiver<Written<R>>,
}

impl<R: Send + fmt::Debug + 'static> Future for Proposal<R> {
    type Output = Result<(EntryId, R), ProposeError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.written).poll(context).map(|written| {
            let outcome = written.ok().and_then(|written| core::outcome(self.group, written));
            outcome.unwrap_or_else(|| Err(ended(self.group, &self.journal)))
        })
    }
}

/// Why nobody answers any more.
fn ended(group: GroupId, journal: &Journal) -> ProposeError {
    match journal.failed() {
        true => ProposeError::Storage { group },
        false => ProposeError::Stopped { group },
    }
}
