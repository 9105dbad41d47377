//! The handle of a group.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use journal::{EntryId, Journal};
use model::{Executor, GroupId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use crate::{Applied, Config, ProposeError, RaftError, StateMachine, Status};

/// What a proposal came to: where it stands, and what apply answered.
type Outcome<R> = Result<(EntryId, R), ProposeError>;

/// One Raft group on this broker. A cheap clone; the group itself lives on its own worker.
pub struct Group<S: StateMachine> {
    shared: Arc<Shared<S>>,
}

struct Shared<S: StateMachine> {
    group: GroupId,
    limit: usize,
    budget: Arc<Semaphore>,
    calls: mpsc::UnboundedSender<Call<S>>,
    status: watch::Receiver<Status>,
}

enum Call<S: StateMachine> {
    Propose { payload: Bytes, permit: OwnedSemaphorePermit, answer: oneshot::Sender<Outcome<S::Response>> },
    Checkpoint { answer: oneshot::Sender<Result<(), RaftError>> },
    Shutdown { answer: oneshot::Sender<()> },
}

/// What a proposal counts for in the budget beyond its bytes: its queue slots and channel.
const PROPOSAL_OVERHEAD_BYTES: usize = 256;

impl<S: StateMachine> Group<S> {
    /// Starts the group on a worker of its own, and resolves once it runs; wait for
    /// [`Status::ready`] before proposing.
    pub async fn start(
        config: Config,
        journal: Journal,
        machine: S,
        executor: Arc<dyn Executor>,
    ) -> Result<Self, RaftError> {
        let _ = journal;
        let (calls, inbox) = mpsc::unbounded_channel();
        let (status_sender, status) = watch::channel(Status::default());
        let worker =
            Worker { config: config.clone(), machine, inbox, status: status_sender, executor: executor.clone() };
        executor.worker(&format!("raft-{}", config.group), Box::pin(worker.run()));
        let budget = Arc::new(Semaphore::new(config.max_proposed_bytes));
        let shared = Shared { group: config.group, limit: config.max_proposed_bytes, budget, calls, status };
        Ok(Group { shared: Arc::new(shared) })
    }

    /// Queues one entry, in the order of calls. Waits while the group's budget of bytes is used up.
    pub async fn propose(&self, payload: Bytes) -> Result<Proposal<S::Response>, ProposeError> {
        let shared = &*self.shared;
        let group = shared.group;
        let bytes = payload.len() + PROPOSAL_OVERHEAD_BYTES;
        if bytes > shared.limit {
            return Err(ProposeError::TooLarge { group, bytes, limit: shared.limit });
        }
        let stopped = |_| ProposeError::Stopped { group };
        let permit = shared.budget.clone().acquire_many_owned(bytes as u32).await.map_err(stopped)?;
        let (answer, outcome) = oneshot::channel();
        let call = Call::Propose { payload, permit, answer };
        shared.calls.send(call).map_err(|_| ProposeError::Stopped { group })?;
        Ok(Proposal { group, outcome })
    }

    /// Leader, term and readiness, as they change.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.shared.status.clone()
    }

    /// Takes a checkpoint now, and purges the journal up to it.
    pub async fn checkpoint(&self) -> Result<(), RaftError> {
        let group = self.shared.group;
        let (answer, done) = oneshot::channel();
        self.shared.calls.send(Call::Checkpoint { answer }).map_err(|_| RaftError::Stopped { group })?;
        done.await.map_err(|_| RaftError::Stopped { group })?
    }

    /// Stops the group; what was proposed and not answered yet resolves with an error.
    pub async fn shutdown(&self) {
        let (answer, done) = oneshot::channel();
        if self.shared.calls.send(Call::Shutdown { answer }).is_ok() {
            done.await.ok();
        }
    }

    /// Which group this is.
    pub fn id(&self) -> GroupId {
        self.shared.group
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
pub struct Proposal<R> {
    group: GroupId,
    outcome: oneshot::Receiver<Outcome<R>>,
}

impl<R> Future for Proposal<R> {
    type Output = Outcome<R>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let stopped = ProposeError::Stopped { group: self.group };
        Pin::new(&mut self.outcome).poll(context).map(|outcome| outcome.unwrap_or(Err(stopped)))
    }
}

/// Stands in for the Raft core until it is wired up: applies in order, keeps nothing.
struct Worker<S: StateMachine> {
    config: Config,
    machine: S,
    inbox: mpsc::UnboundedReceiver<Call<S>>,
    status: watch::Sender<Status>,
    executor: Arc<dyn Executor>,
}

impl<S: StateMachine> Worker<S> {
    async fn run(mut self) {
        let node = self.config.me.broker;
        let before = self.machine.applied().map(|applied| applied.id);
        let (term, mut index) = before.map_or((1, 0), |id| (id.term + 1, id.index + 1));
        self.machine.term_started(EntryId { term, node, index });
        let leader = Some(self.config.me.broker());
        self.status.send_replace(Status { leader, term, ready: true, stopped: false });
        while let Some(call) = self.inbox.recv().await {
            match call {
                Call::Propose { payload, permit, answer } => {
                    index += 1;
                    let id = EntryId { term, node, index };
                    answer.send(Ok((id, self.machine.apply(id, &payload)))).ok();
                    drop(permit);
                }
                Call::Checkpoint { answer } => {
                    let applied = Applied { id: EntryId { term, node, index }, membership: Bytes::new() };
                    let job = self.machine.checkpoint(applied);
                    let group = self.config.group;
                    self.executor.blocking(Box::new(move || {
                        let done = job();
                        let storage =
                            |error: std::io::Error| RaftError::Storage { group, reason: error.to_string().into() };
                        answer.send(done.map_err(storage)).ok();
                    }));
                }
                Call::Shutdown { answer } => {
                    self.status.send_modify(|status| (status.ready, status.stopped) = (false, true));
                    answer.send(()).ok();
                    return;
                }
            }
        }
    }
}
