//! The handle that a broker keeps on the controller's group.

use std::ops::Range;
use std::sync::Arc;

use model::{BrokerId, ErrorCode, Random, TopicId};
use tokio::sync::{Mutex, watch};

use crate::apply::{Outcome, Refusal};
use crate::command::{
    AllocateProducerIds, Bootstrap, Command, CreatePartitions, CreateShards, CreateTopics, DeleteTopics, Registration,
    SetSettings, SettingsChange,
};
use crate::image::{ClusterImage, Draft, TopicImage};
use crate::machine::{Machine, Published};
use crate::placement::{Growth, Layout, Planner, TopicSpec, missing_shards};

/// Producer ids that a broker takes at a time, as in Kafka: one entry each thousand producers.
const PRODUCER_ID_BLOCK: u32 = 1000;

/// How often a plan is made anew when what it was based on changed meanwhile. Each time another
/// proposer got through, so this only runs out under a storm of changes to one and the same thing.
const MAX_PLANS: usize = 10;

/// Why a command was not applied.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SubmitError {
    /// The command was applied, and said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Another broker leads the controller's group; nothing happened.
    #[error("this broker does not lead the controller's group, the leader is {leader:?}")]
    NotController {
        /// Who does, if known.
        leader: Option<BrokerId>,
    },
    /// No majority answered in time: the command may or may not be applied.
    #[error("the controller's group did not answer in time")]
    TimedOut,
    /// The broker is stopping, or its journal failed.
    #[error("the controller's group has stopped: {0}")]
    Stopped(String),
}

impl SubmitError {
    /// What a client is told.
    pub fn code(&self) -> ErrorCode {
        match self {
            SubmitError::Refused(refusal) => refusal.code,
            SubmitError::NotController { .. } => ErrorCode::NotController,
            SubmitError::TimedOut => ErrorCode::RequestTimedOut,
            SubmitError::Stopped(_) => ErrorCode::BrokerNotAvailable,
        }
    }
}

/// The controller as one broker sees it. Cheap to clone.
#[derive(Clone)]
pub struct Controller {
    inner: Arc<Inner>,
}

struct Inner {
    broker: BrokerId,
    shards_per_broker: u32,
    random: Arc<dyn Random>,
    published: Arc<Published>,
    machine: std::sync::Mutex<(u64, Machine)>,
    producer_ids: Mutex<Range<i64>>,
}

impl Controller {
    /// A controller that keeps nothing: for tests of those who use one.
    pub fn in_memory(broker: BrokerId, shards_per_broker: u32, random: Arc<dyn Random>) -> Self {
        let machine = Machine::new(Draft::default());
        let published = machine.published();
        let machine = std::sync::Mutex::new((0, machine));
        let producer_ids = Mutex::new(0..0);
        Controller { inner: Arc::new(Inner { broker, shards_per_broker, random, published, machine, producer_ids }) }
    }

    /// The newest image that this broker has applied. Takes no lock.
    pub fn image(&self) -> Arc<ClusterImage> {
        self.inner.published.image()
    }

    /// Tells of each new image; a slow reader sees the newest and misses some between.
    pub fn watch(&self) -> watch::Receiver<Arc<ClusterImage>> {
        self.inner.published.watch()
    }

    /// The broker that leads the controller's group, if one is known to.
    pub fn leader(&self) -> Option<BrokerId> {
        Some(self.inner.broker)
    }

    /// Has a command applied. When this returns the image holds what it did.
    pub async fn submit(&self, command: Command) -> Result<Outcome, SubmitError> {
        let stopped = |_| SubmitError::Stopped("a command panicked".to_owned());
        let mut machine = self.inner.machine.lock().map_err(stopped)?;
        machine.0 += 1;
        let index = machine.0;
        Ok(machine.1.apply_entry(index, &command.encode())?)
    }

    /// Makes the cluster, in one entry. Does nothing where it exists already under the same id.
    pub async fn bootstrap(&self, bootstrap: Bootstrap) -> Result<(), SubmitError> {
        if self.image().is_bootstrapped() && self.image().cluster_id() == bootstrap.cluster_id {
            return Ok(());
        }
        self.submit(Command::Bootstrap(bootstrap)).await.map(drop)
    }

    /// Registers a broker. Costs nothing if it is registered like this and live already.
    pub async fn register(&self, registration: Registration) -> Result<(), SubmitError> {
        let image = self.image();
        if image.broker(registration.id).is_some_and(|known| !known.fenced && registration.is_same_as(known)) {
            return Ok(());
        }
        self.submit(Command::RegisterBroker(registration)).await.map(drop)
    }

    /// Creates topics, and the shards that they need; each topic stands or falls by itself.
    pub async fn create_topics(
        &self,
        specs: Vec<TopicSpec>,
    ) -> Result<Vec<Result<Arc<TopicImage>, Refusal>>, SubmitError> {
        let mut results: Vec<Option<Result<Arc<TopicImage>, Refusal>>> = vec![None; specs.len()];
        for _ in 0..MAX_PLANS {
            let open: Vec<usize> = (0..specs.len()).filter(|at| is_open(&results[*at])).collect();
            if open.is_empty() {
                break;
            }
            self.create_shards(open.iter().map(|at| &specs[*at].layout)).await?;
            let image = self.image();
            let mut planner = Planner::new(&image);
            let mut planned = Vec::new();
            for at in open {
                match planner.topic(&specs[at], self.new_topic_id()) {
                    Ok(topic) => planned.push((at, topic)),
                    Err(refusal) => results[at] = Some(Err(refusal)),
                }
            }
            let (places, topics): (Vec<usize>, Vec<_>) = planned.into_iter().unzip();
            if topics.is_empty() {
                continue;
            }
            let created = match self.submit(Command::CreateTopics(CreateTopics { topics })).await? {
                Outcome::TopicsCreated(created) => created,
                other => return Err(unexpected(&other)),
            };
            for (at, result) in places.into_iter().zip(created) {
                results[at] = Some(result);
            }
        }
        Ok(results.into_iter().map(given_up).collect())
    }

    /// Deletes topics by id; each by itself.
    pub async fn delete_topics(
        &self,
        topics: Vec<TopicId>,
    ) -> Result<Vec<Result<Arc<TopicImage>, Refusal>>, SubmitError> {
        match self.submit(Command::DeleteTopics(DeleteTopics { topics })).await? {
            Outcome::TopicsDeleted(deleted) => Ok(deleted),
            other => Err(unexpected(&other)),
        }
    }

    /// Appends partitions to topics; each by itself.
    pub async fn create_partitions(
        &self,
        growths: Vec<Growth>,
    ) -> Result<Vec<Result<Arc<TopicImage>, Refusal>>, SubmitError> {
        let mut results: Vec<Option<Result<Arc<TopicImage>, Refusal>>> = vec![None; growths.len()];
        for _ in 0..MAX_PLANS {
            let open: Vec<usize> = (0..growths.len()).filter(|at| is_open(&results[*at])).collect();
            if open.is_empty() {
                break;
            }
            let image = self.image();
            let mut planner = Planner::new(&image);
            let mut planned = Vec::new();
            for at in open {
                match planner.growth(&growths[at]) {
                    Ok(topic) => planned.push((at, topic)),
                    Err(refusal) => results[at] = Some(Err(refusal)),
                }
            }
            let (places, topics): (Vec<usize>, Vec<_>) = planned.into_iter().unzip();
            if topics.is_empty() {
                continue;
            }
            let grown = match self.submit(Command::CreatePartitions(CreatePartitions { topics })).await? {
                Outcome::PartitionsCreated(grown) => grown,
                other => return Err(unexpected(&other)),
            };
            for (at, result) in places.into_iter().zip(grown) {
                results[at] = Some(result);
            }
        }
        Ok(results.into_iter().map(given_up).collect())
    }

    /// Changes settings; each resource by itself. A [stale](Refusal::is_stale) refusal means that
    /// an expected value was another: compute the change anew from the newest image.
    pub async fn set_settings(&self, resources: Vec<SettingsChange>) -> Result<Vec<Result<(), Refusal>>, SubmitError> {
        match self.submit(Command::SetSettings(SetSettings { resources })).await? {
            Outcome::Settings(results) => Ok(results),
            other => Err(unexpected(&other)),
        }
    }

    /// A producer id that was never handed out before and never will be again. The block that it
    /// is from was made durable first; what is left of a block is lost with the process.
    pub async fn allocate_producer_id(&self) -> Result<i64, SubmitError> {
        let mut block = self.inner.producer_ids.lock().await;
        if block.is_empty() {
            let command = AllocateProducerIds { broker: self.inner.broker, count: PRODUCER_ID_BLOCK };
            *block = match self.submit(Command::AllocateProducerIds(command)).await? {
                Outcome::ProducerIds(ids) => ids,
                other => return Err(unexpected(&other)),
            };
        }
        block.next().ok_or_else(|| SubmitError::Stopped("an empty block of producer ids was granted".to_owned()))
    }

    async fn create_shards(&self, layouts: impl Iterator<Item = &Layout>) -> Result<(), SubmitError> {
        let wishes = missing_shards(&self.image(), layouts, self.inner.shards_per_broker);
        if wishes.is_empty() {
            return Ok(());
        }
        match self.submit(Command::CreateShards(CreateShards { wishes })).await {
            // Members that do not exist: the planner will say so, topic by topic, in Kafka's words.
            Ok(_) | Err(SubmitError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn new_topic_id(&self) -> TopicId {
        TopicId::from_random(self.inner.random.bytes())
    }
}

fn is_open<T>(result: &Option<Result<T, Refusal>>) -> bool {
    match result {
        None => true,
        Some(Err(refusal)) => refusal.is_stale(),
        Some(Ok(_)) => false,
    }
}

/// What the last plan came to; one that was overtaken each time is told to try again later.
fn given_up<T>(result: Option<Result<T, Refusal>>) -> Result<T, Refusal> {
    let overtaken = || Refusal::new(ErrorCode::RequestTimedOut, "The cluster's metadata keeps changing, try again.");
    match result {
        Some(Err(refusal)) if refusal.is_stale() => Err(overtaken()),
        Some(result) => result,
        None => Err(overtaken()),
    }
}

fn unexpected(outcome: &Outcome) -> SubmitError {
    SubmitError::Stopped(format!("a command had an outcome of another kind: {outcome:?}"))
}
