//! A shard on this broker: its Raft group, and what apply has made of its entries.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use disk::Disk;
use journal::Journal;
use log::FileCache;
use model::{Executor, GroupId, PartitionId};
use raft::{Group, Proposal, ProposeError, RaftError, Status};
use tokio::sync::watch;

use crate::ShardError;
use crate::catch_up::{Here, Source, Stage, blocking, fetch, serve};
use crate::checkpoint::Unsaved;
use crate::health::Health;
use crate::machine::{Machine, Outcome};
use crate::partition::Partition;
use crate::questions::{ActiveProducer, Questions};
use crate::restore::Home;
use crate::sweep::partitions_with_files;
use crate::view::View;

/// What a shard is started with.
pub struct Options {
    /// The Raft group's configuration; its id is the shard's.
    pub raft: raft::Config,
    /// All files.
    pub disk: Arc<dyn Disk>,
    /// Open files and maps, shared by all shards of the broker.
    pub files: Arc<FileCache>,
    /// The directory of this shard's manifest.
    pub dir: PathBuf,
    /// The directory of all topics.
    pub topics: PathBuf,
}

/// A running shard. Cheap to clone.
#[derive(Clone)]
pub struct Shard {
    group: Group<Machine>,
    view: Arc<View>,
    health: Arc<Health>,
    unsaved: Arc<Mutex<Unsaved>>,
    questions: Arc<Questions>,
    disk: Arc<dyn Disk>,
    executor: Arc<dyn Executor>,
    topics: PathBuf,
    stage: Stage,
}

impl Shard {
    /// Restores the state from the manifest and starts the Raft group; it applies what the journal
    /// holds beyond, and is of use once its status is ready.
    pub async fn start(options: Options, journal: Journal, executor: Arc<dyn Executor>) -> Result<Shard, ShardError> {
        let Options { raft, disk, files, dir, topics } = options;
        let all_topics = topics.clone();
        let machine = Machine::restore(raft.group, Home { disk: disk.clone(), files, dir, topics })?;
        let (view, health, unsaved) = (machine.view.clone(), machine.health.clone(), machine.unsaved.clone());
        let (questions, stage) = (machine.questions.clone(), machine.stage.clone());
        let group = Group::start(raft, journal, machine, executor.clone()).await?;
        Ok(Shard { group, view, health, unsaved, questions, disk, executor, topics: all_topics, stage })
    }

    /// The Raft group: what other members ask is for it, and its leader changes its members.
    pub fn group(&self) -> &Group<Machine> {
        &self.group
    }

    /// The shard's id.
    pub fn id(&self) -> GroupId {
        self.group.id()
    }

    /// Its partitions.
    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Partitions whose files are here: those that are open, and those that were closed and whose
    /// files a durable manifest may still name.
    pub fn partitions_with_files(&self) -> Vec<Arc<Partition>> {
        partitions_with_files(&self.view, &self.unsaved)
    }

    /// Whether it takes writes.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Leader, term and readiness.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.group.status()
    }

    /// Queues an entry (see [`crate::entry`]), in the order of calls; resolves when it is queued.
    pub async fn propose(&self, entry: Bytes) -> Result<Proposal<Outcome>, ProposeError> {
        self.group.propose(entry).await
    }

    /// Queues an entry and waits until it is applied.
    pub async fn submit(&self, entry: Bytes) -> Result<Outcome, ProposeError> {
        Ok(self.propose(entry).await?.await?.1)
    }

    /// The live idempotent producers of a partition, after all that was proposed before; `None` if it
    /// is not here. An entry at `now_ms` that changes nothing takes the question through the log.
    pub async fn producers(
        &self,
        partition: PartitionId,
        now_ms: i64,
    ) -> Result<Option<Vec<ActiveProducer>>, ProposeError> {
        let answer = self.questions.ask(partition);
        self.submit(crate::entry::advance_start(now_ms, &Default::default())).await?;
        Ok(answer.await.ok())
    }

    /// Makes what is applied durable outside of the journal, and purges the journal up to there.
    pub async fn checkpoint(&self) -> Result<(), RaftError> {
        self.group.checkpoint().await
    }

    /// Whether files wait for a checkpoint to be given back to the disk.
    pub fn has_garbage(&self) -> bool {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).garbage.wants_checkpoint()
    }

    /// To be called when a compaction has replaced segments of a partition: the next checkpoint names the new ones, and
    /// the old ones go `file.delete.delay.ms` after `now_ms`.
    pub fn compacted(&self, partition: &Partition, now_ms: i64) {
        let replaced = partition.log.take_dropped();
        let due_ms = now_ms.saturating_add(partition.settings().file_delete_delay_ms);
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).compacted(partition.id, replaced, due_ms);
    }

    /// Removes files that nothing needs any more and whose delay is over at `now_ms`.
    pub fn collect_garbage(&self, now_ms: i64) {
        let due = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).garbage.take_due(now_ms);
        let disk = self.disk.clone();
        self.executor.blocking(Box::new(move || due.remove(&*disk)));
    }

    /// At the leader: reads a piece of what was [offered](raft::StateMachine::offer), of so many bytes at most, for a
    /// member that fetches it.
    ///
    /// # Errors
    /// The disk's; `NotFound` where the offer does not hold any more.
    pub async fn read_offered(&self, request: Bytes, most_bytes: usize) -> io::Result<Bytes> {
        let (disk, topics, unsaved) = (self.disk.clone(), self.topics.clone(), self.unsaved.clone());
        blocking(&*self.executor, move || serve(&*disk, &topics, &unsaved, &request, most_bytes)).await
    }

    /// At a member that lacks entries: brings what an offer names, and is not here, beside the state. It leaves
    /// `reserve_bytes` on the disk. What it returns is to be kept until the state is installed or given up.
    ///
    /// # Errors
    /// The disk's and the source's, and damage in what came. What was fetched stays, for the next try.
    pub async fn fetch_offered(&self, offer: Bytes, source: &dyn Source, reserve_bytes: u64) -> io::Result<raft::Kept> {
        let here = Here { disk: self.disk.clone(), view: self.view.clone(), stage: self.stage.clone(), reserve_bytes };
        Ok(Box::new(fetch(here, offer, source, &*self.executor).await?))
    }

    /// Stops the group.
    pub async fn shutdown(&self) {
        self.group.shutdown().await;
        self.stage.at_rest().await;
    }
}
