//! The life of a group on its worker: replay, start, elect, watch, stop.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use journal::Journal;
use model::{Executor, GroupId};
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::Fatal;
use openraft::storage::RaftLogReader;
use openraft::{SnapshotPolicy, StepDownPolicy};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::log_store::LogStore;
use super::machine::{CheckpointWaiter, Machine};
use super::network::Network;
use super::types::{LogId, Types};
use super::{Raft, Shared, followers, lock, runtime};
use crate::{Config, RaftError, StateMachine, Status, Timings, Voter};

/// How often a leader notes how far the others have come.
const NOTE_PROGRESS: Duration = Duration::from_millis(100);
/// How long a member that can't be reached is left alone, time after time.
const BACK_OFF: &str = "20ms 40ms ... 320ms";
/// Messages queued to the core. The byte budget of proposals is reached long before: this only
/// keeps other calls bounded.
const QUEUED_CALLS: u64 = 1 << 20;

/// Entries in one append. Its bytes are bounded by what is read of the log at once: this only keeps
/// what there is besides payloads within bounds.
const APPENDED_ENTRIES: u64 = 4096;

/// Callers of one checkpoint. They ask one by one: more than one is there only if others gave up.
const CHECKPOINT_WAITERS: usize = 16;

/// A group that runs: what its handle needs.
pub(crate) struct Running<S: StateMachine> {
    pub(crate) raft: Raft<S>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) status: watch::Receiver<Status>,
    pub(crate) checkpoints: mpsc::Sender<CheckpointWaiter>,
    /// Set to true, or dropped, it ends the group. The status' sender is gone when it has ended.
    pub(crate) stop: watch::Sender<bool>,
}

/// Starts the group on a worker; resolves once it runs, or can't.
pub(crate) async fn start<S: StateMachine>(
    config: Config,
    journal: Journal,
    machine: S,
    executor: Arc<dyn Executor>,
) -> Result<Running<S>, RaftError> {
    let group = config.group;
    let (started, outcome) = oneshot::channel();
    let name = format!("raft-{group}");
    let seed = seed(&config);
    let work = run(config, journal, machine, executor.clone(), started);
    executor.worker(&name, Box::pin(runtime::seeded(seed, work)));
    outcome.await.map_err(|_| RaftError::Stopped { group })?
}

async fn run<S: StateMachine>(
    config: Config,
    journal: Journal,
    machine: S,
    executor: Arc<dyn Executor>,
    started: oneshot::Sender<Result<Running<S>, RaftError>>,
) {
    let (checkpoints, waiters) = mpsc::channel(CHECKPOINT_WAITERS);
    let (term_started, terms) = watch::channel(0);
    let (alive, mut all_gone) = mpsc::channel(1);
    let shared = Arc::new(Shared::new(&config, journal.group(config.group)));
    let store = LogStore::new(journal.group(config.group), executor.clone());
    let machine = Machine::new(machine, executor, waiters, term_started, alive)
        .ok_or(RaftError::Unreadable { group: config.group, what: "membership" });
    let raft = match machine {
        Ok(machine) => open(&config, &shared, store, machine).await,
        Err(error) => Err(error),
    };
    let (raft, is_new) = match raft {
        Ok(opened) => opened,
        Err(error) => return drop(started.send(Err(error))),
    };
    let (status, for_handles) = watch::channel(Status::default());
    let (stop, stopping) = watch::channel(false);
    let running = Running { raft: raft.clone(), shared: shared.clone(), status: for_handles, checkpoints, stop };
    started.send(Ok(running)).ok();
    // The caller need not wait for the disk meanwhile: it starts other groups.
    if let Err(reason) = take_part(&raft, &config, is_new).await {
        tracing::error!("raft group {} does not take part in elections: {reason}", config.group);
    }
    Watcher { shared, raft, terms, status: &status }.run(stopping).await;
    // Not before the last apply and the last checkpoint have let go of the files.
    all_gone.recv().await;
    drop(status);
}

/// Brings the state machine up to what is known to be committed, and starts openraft from there.
/// Tells whether the group has no history at all.
async fn open<S: StateMachine>(
    config: &Config,
    shared: &Arc<Shared>,
    mut store: LogStore<S::Response>,
    mut machine: Machine<S>,
) -> Result<(Raft<S>, bool), RaftError> {
    let group = config.group;
    let failed = |error: &dyn std::fmt::Display| RaftError::Storage { group, reason: error.to_string().into() };
    let fatal = |error: Fatal<Types<S::Response>>| failed(&error);
    check_history(group, store.log(), machine.applied_id())?;
    replay(&mut store, &mut machine).await.map_err(|error| failed(&error))?;

    let is_new = store.log().state() == journal::GroupState::default() && machine.applied_id().is_none();
    let network = Network { shared: shared.clone() };
    let settings = openraft_config(group, config.timings).map_err(|reason| RaftError::Config { group, reason })?;
    let runs = machine.runs();
    let raft = Raft::<S>::new(config.me, settings, network, store, machine).await.map_err(fatal)?;
    runs.store(true, Ordering::Release);
    Ok((raft, is_new))
}

/// Names the members of a new group, and stands for election where nobody else could.
async fn take_part<S: StateMachine>(raft: &Raft<S>, config: &Config, is_new: bool) -> Result<(), String> {
    if is_new && !config.bootstrap.is_empty() {
        raft.initialize(config.bootstrap.clone()).await.map_err(|error| error.to_string())?;
    }
    let me = config.me;
    let alone = raft.with_raft_state(move |state| state.membership_state.effective().voter_ids().eq([me])).await;
    if alone.map_err(|error| error.to_string())? {
        // A term of its own for each start; no timeout to wait for.
        raft.trigger().elect(false).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Refuses to go on from a journal and a manifest that do not belong together.
fn check_history(group: GroupId, log: &journal::GroupLog, applied: Option<LogId>) -> Result<(), RaftError> {
    let lost = |what: String| Err(RaftError::Lost { group, what: what.into() });
    if let Some(damage) = log.damage() {
        return lost(damage.to_string());
    }
    let state = log.state();
    let applied = applied.map(|id| id.index);
    if let Some(purged) = state.purged.map(|id| id.index).filter(|purged| applied < Some(*purged)) {
        let applied = applied.map_or("nothing".to_owned(), |index| format!("entry {index}"));
        return lost(format!("the journal begins after entry {purged}, but the manifest ends with {applied}"));
    }
    match applied {
        // Whatever was applied, a leader was elected before it, and votes are always synced.
        Some(index) if state.vote.is_none() => {
            lost(format!("the manifest ends with entry {index}, but the journal knows nothing of the group"))
        }
        _ => Ok(()),
    }
}

/// Applies what is known to be committed, in pieces of bounded size. openraft would do it too, but
/// by a number of entries, however large.
async fn replay<S: StateMachine>(store: &mut LogStore<S::Response>, machine: &mut Machine<S>) -> io::Result<()> {
    let next = |index: Option<u64>| index.map_or(0, |index| index + 1);
    let committed = next(store.log().state().committed.map(|id| id.index));
    let entries = store.entries_stream(next(machine.applied_id().map(|id| id.index))..committed).await;
    let mut entries = Box::pin(entries);
    while let Some(entry) = entries.next().await {
        // Whoever proposed it is gone.
        drop(machine.apply_entry(&entry?));
    }
    Ok(())
}

fn openraft_config(group: GroupId, timings: Timings) -> Result<Arc<openraft::Config>, Arc<str>> {
    let config = openraft::Config {
        cluster_name: group.to_string(),
        heartbeat_interval: timings.heartbeat_ms,
        election_timeout_min: timings.election_min_ms,
        election_timeout_max: timings.election_max_ms,
        // A leader that reaches some, but no majority, must not keep these from electing another.
        quorum_loss_probe_interval: Some(2 * timings.election_max_ms),
        // openraft's own way would bypass `Shared::give_away`, and with it the lease.
        removed_leader_step_down: StepDownPolicy::Never,
        backoff: BACK_OFF.to_owned(),
        // On when there is someone to talk to, see `Watcher`.
        enable_tick: false,
        enable_pre_vote: Some(true),
        // A leader that crashed before its own flush, and resumed its term, would give one index two
        // values.
        enable_leader_restore: Some(false),
        // Checkpoints are asked for, and what to purge after them: see `catch_up::purge`.
        snapshot_policy: SnapshotPolicy::Never,
        max_in_snapshot_log_to_keep: u64::MAX,
        api_channel_size: Some(QUEUED_CALLS),
        max_payload_entries: APPENDED_ENTRIES,
        ..openraft::Config::default()
    };
    config.validate().map(Arc::new).map_err(|error| error.to_string().into())
}

/// The same member of the same group draws the same election timeouts under simulation. Two members
/// that drew the same would stand against each other in every term.
fn seed(config: &Config) -> u64 {
    let (high, low) = config.me.directory.as_u64_pair();
    let parts = [high, low, u64::from(config.me.broker.cast_unsigned()), u64::from(config.group.0)];
    parts.into_iter().fold(0, |seed: u64, part| (seed ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29))
}

/// Tells what openraft does as a [`Status`], until the group ends.
struct Watcher<'a, S: StateMachine> {
    shared: Arc<Shared>,
    raft: Raft<S>,
    terms: watch::Receiver<u64>,
    status: &'a watch::Sender<Status>,
}

impl<S: StateMachine> Watcher<'_, S> {
    async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        let mut server = self.raft.server_metrics();
        let mut notes = tokio::time::interval(NOTE_PROGRESS);
        notes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !*stopping.borrow() {
            let leads_others = self.publish();
            let ended = tokio::select! {
                biased;
                changed = server.changed() => changed.is_err(),
                changed = self.terms.changed() => changed.is_err(),
                changed = stopping.changed() => changed.is_err(),
                _ = notes.tick(), if leads_others => {
                    self.note_progress();
                    false
                }
            };
            if ended {
                break;
            }
        }
        self.status.send_modify(|status| (status.ready, status.stopped) = (false, true));
        drop(lock(&self.shared.taking).take());
        let raft = self.raft;
        // The task's own end is of no interest: it may have panicked, which was logged.
        raft.shutdown().await.ok();
        let failed = matches!(raft.metrics().borrow_watched().running_state, Err(Fatal::StorageError(_)));
        self.status.send_modify(|status| status.failed = failed);
    }

    /// Tells the status; gives back whether there are followers.
    fn publish(&self) -> bool {
        let (leader, term, members) = {
            let server = self.raft.server_metrics();
            let server = server.borrow_watched();
            (server.current_leader, server.vote.leader_id.term, server.membership_config.nodes().count())
        };
        self.raft.runtime_config().tick(members > 1);
        let leads = leader == Some(self.shared.me);
        let ready = if leads { *self.terms.borrow() == term } else { leader.is_some() };
        let now = Status { leader: leader.map(Voter::broker), term, ready, stopped: false, failed: false };
        self.status.send_if_modified(|status| std::mem::replace(status, now) != now);
        leads && members > 1
    }

    fn note_progress(&self) {
        let term = self.raft.server_metrics().borrow_watched().vote.leader_id.term;
        let (followers, end) = followers(&self.raft, &self.shared);
        self.shared.note_needed(&followers, end);
        lock(&self.shared.progress).note(term, Instant::now(), end, &followers);
    }
}
