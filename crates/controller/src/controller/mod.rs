//! The handle that a broker keeps on the controller's group.

mod moves;
mod plans;
mod submit;
mod topics;

use std::io;
use std::ops::Range;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use disk::Disk;
use journal::Journal;
use manifest::Manifest;
use model::{BrokerId, ErrorCode, Executor, GroupId, Random};
use raft::{CatchUp, Group, Kept, Status, Voter};
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;
use uuid::Uuid;

use crate::apply::{Outcome, Refusal};
use crate::command::{
    AllocateBrokerId, AllocateProducerIds, Bootstrap, Command, Registration, SetSettings, SettingsChange,
};
use crate::error::{ControllerError, SubmitError};
use crate::forward::{Alone, Forward};
use crate::image::ClusterImage;
use crate::machine::{Machine, Published};

pub use moves::Reassignment;
pub use topics::TopicResult;

/// Producer ids that a broker takes at a time, as in Kafka: one entry each thousand producers.
const PRODUCER_ID_BLOCK: u32 = 1000;

/// What a controller needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The Raft group: who this broker is, the first members (all founders at the one broker that
    /// founds the cluster, nobody elsewhere), the way to the others, timings.
    pub raft: raft::Config,
    /// How commands get to the broker that leads the group.
    pub forward: Arc<dyn Forward>,
    /// `shards.per.broker` of this broker, and of those that did not say theirs.
    pub shards_per_broker: u32,
    /// How long [`Controller::submit`] waits for a leader and a majority.
    pub submit_timeout: Duration,
}

impl Config {
    /// How long a command may take unless told otherwise: Kafka's `request.timeout.ms`.
    pub const SUBMIT_TIMEOUT: Duration = Duration::from_secs(30);

    /// A controller with this broker as its only voter.
    pub fn single(broker: BrokerId, directory: Uuid, shards_per_broker: u32) -> Self {
        let raft = raft::Config::single(GroupId::CONTROLLER, Voter::new(broker, directory));
        Config { raft, forward: Arc::new(Alone), shards_per_broker, submit_timeout: Self::SUBMIT_TIMEOUT }
    }
}

/// The outside world, as a controller meets it.
#[derive(Clone)]
pub struct Environment {
    /// Files: the manifest's.
    pub disk: Arc<dyn Disk>,
    /// The log of the data directory.
    pub journal: Journal,
    /// Threads.
    pub executor: Arc<dyn Executor>,
    /// Topic ids come from here.
    pub random: Arc<dyn Random>,
}

/// What a leader offers of its state is all of it: there is nothing to be fetched besides.
#[derive(Debug)]
struct WholeImage;

impl CatchUp for WholeImage {
    fn fetch(&self, _: GroupId, _: Voter, _: Bytes) -> Pin<Box<dyn Future<Output = io::Result<Kept>> + Send>> {
        Box::pin(std::future::ready(Ok(Box::new(()) as Kept)))
    }
}

/// The controller as one broker sees it. Cheap to clone.
#[derive(Clone)]
pub struct Controller {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    random: Arc<dyn Random>,
    published: Arc<Published>,
    group: Group<Machine>,
    /// What is left of this broker's block.
    producer_ids: Mutex<Range<i64>>,
}

impl Controller {
    /// Opens the group's state under `dir` and starts the group. The image is that of the last
    /// checkpoint until the log is replayed: wait for [`Controller::ready`].
    pub async fn start(config: Config, dir: &Path, environment: Environment) -> Result<Self, ControllerError> {
        let Environment { disk, journal, executor, random } = environment;
        let (manifest, content) = Manifest::open(disk, dir)?;
        let machine = Machine::open(manifest, &content)?;
        let published = machine.published();
        let catch_up = Arc::new(WholeImage);
        let raft = raft::Config { group: GroupId::CONTROLLER, catch_up, ..config.raft.clone() };
        let group = Group::start(raft, journal, machine, executor).await?;
        let producer_ids = Mutex::new(0..0);
        Ok(Controller { inner: Arc::new(Inner { config, random, published, group, producer_ids }) })
    }

    /// Waits until the group has a leader; if that is this broker, until its log is replayed.
    pub async fn ready(&self) -> Result<(), ControllerError> {
        let mut status = self.status();
        let is_ready = status.wait_for(is_settled).await.is_ok_and(|status| status.ready);
        match self.inner.published.halted() {
            Some(error) => Err(ControllerError::Format(error.clone())),
            None if is_ready => Ok(()),
            None => Err(ControllerError::Stopped),
        }
    }

    /// The newest image that this broker has applied. Takes no lock.
    pub fn image(&self) -> Arc<ClusterImage> {
        self.inner.published.image()
    }

    /// Tells of each new image; a slow reader sees the newest and misses some between.
    pub fn watch(&self) -> watch::Receiver<Arc<ClusterImage>> {
        self.inner.published.watch()
    }

    /// The Raft group itself: what other members ask is for [`Group::receive`], and its leader
    /// changes its members.
    pub fn group(&self) -> &Group<Machine> {
        &self.inner.group
    }

    /// Leader, term and readiness of the group.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.inner.group.status()
    }

    /// The broker that leads the controller's group, if one is known to.
    pub fn leader(&self) -> Option<BrokerId> {
        self.inner.group.status().borrow().leader
    }

    /// Makes the cluster, in one entry. Does nothing where it exists already under the same id.
    pub async fn bootstrap(&self, bootstrap: Bootstrap) -> Result<(), SubmitError> {
        if self.image().cluster_id() == bootstrap.cluster_id {
            return Ok(());
        }
        self.submit(Command::Bootstrap(bootstrap)).await.map(drop)
    }

    /// Registers a broker. Costs nothing if it is registered like this and live already.
    ///
    /// Waits, for as long as a command may take, while the id is held by a broker with another
    /// directory that is not known to be away yet: this one's, before its disk was wiped.
    pub async fn register(&self, registration: Registration) -> Result<(), SubmitError> {
        let id = registration.id;
        if self.image().broker(id).is_some_and(|known| !known.fenced && registration.is_same_as(known)) {
            return Ok(());
        }
        let command = Command::RegisterBroker(registration);
        let Err(refused) = self.submit(command.clone()).await else { return Ok(()) };
        if refused.code() != ErrorCode::DuplicateBrokerRegistration {
            return Err(refused);
        }
        let mut images = self.watch();
        let fenced = images.wait_for(|image| image.broker(id).is_none_or(|known| known.fenced));
        let is_free = timeout(self.inner.config.submit_timeout, fenced).await.is_ok();
        match is_free {
            true => self.submit(command).await.map(drop),
            false => Err(refused),
        }
    }

    /// Changes settings; each resource by itself. A [stale](Refusal::is_stale) refusal means that
    /// an expected value was another: compute the change anew from the newest image.
    pub async fn set_settings(&self, resources: Vec<SettingsChange>) -> Result<Vec<Result<(), Refusal>>, SubmitError> {
        match self.submit(Command::SetSettings(SetSettings { resources })).await? {
            Outcome::Settings(results) => Ok(results),
            other => Err(unexpected(&other)),
        }
    }

    /// A `node.id` for a broker that joins: nobody has it, had it, or was given it.
    pub async fn allocate_broker_id(&self) -> Result<BrokerId, SubmitError> {
        match self.submit(Command::AllocateBrokerId(AllocateBrokerId {})).await? {
            Outcome::BrokerId(id) => Ok(id),
            other => Err(unexpected(&other)),
        }
    }

    /// A producer id that was never handed out before and never will be again. The block that it
    /// is from was made durable first; what is left of a block is lost with the process.
    pub async fn allocate_producer_id(&self) -> Result<i64, SubmitError> {
        let mut block = self.inner.producer_ids.lock().await;
        if let Some(id) = block.next() {
            return Ok(id);
        }
        let command = AllocateProducerIds { broker: self.inner.config.raft.me.broker(), count: PRODUCER_ID_BLOCK };
        match self.submit(Command::AllocateProducerIds(command)).await? {
            Outcome::ProducerIds(Range { start, end }) => {
                *block = start + 1..end;
                Ok(start)
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Writes what changed into the manifest, so that the journal needs nothing of what was before.
    pub async fn checkpoint(&self) -> Result<(), ControllerError> {
        Ok(self.inner.group.checkpoint().await?)
    }

    /// Stops the group. A checkpoint before it spares the next start the replay.
    pub async fn shutdown(&self) {
        self.inner.group.shutdown().await;
    }
}

/// Whether waiting longer is of no use: the group serves, or never will again.
fn is_settled(status: &Status) -> bool {
    status.ready || status.stopped || status.failed
}

/// No command has the outcome of another: a bug, told to the one client that met it.
fn unexpected(outcome: &Outcome) -> SubmitError {
    tracing::error!(?outcome, "a command had the outcome of another kind");
    SubmitError::Refused(Refusal::new(ErrorCode::UnknownServerError, "The controller answered out of turn."))
}
