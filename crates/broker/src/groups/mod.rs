//! Group coordination on this broker: for each partition of `__consumer_offsets` that it leads, one
//! task runs the state machine of the groups kept there. Heartbeats alone go past its queue.

mod actor;
mod live;
mod writes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coordinator::{DescribedGroup, HeartbeatRequest, ListFilter, ListedGroup, Reply, Request, partition_for};
use model::{ErrorCode, GroupId, TopicName};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::broker::Broker;
use live::Live;

/// Requests that wait for one coordinator's task: more than all connections of a busy broker send at
/// a time, few enough to bound memory; senders wait beyond it.
const INBOX: usize = 1024;

/// The coordinators that run here.
#[derive(Default)]
pub(crate) struct Groups {
    actors: Mutex<BTreeMap<i32, Coordinator>>,
}

/// A running coordinator of one partition, good for one term of its shard.
#[derive(Clone)]
struct Coordinator {
    shard: GroupId,
    term: u64,
    inbox: mpsc::Sender<Ask>,
    live: Arc<Live>,
}

/// What is asked of a coordinator.
enum Ask {
    Request(Request, oneshot::Sender<Reply>),
    Describe(String, oneshot::Sender<Option<DescribedGroup>>),
    List(ListFilter, oneshot::Sender<Vec<ListedGroup>>),
    TopicDeleted(String),
}

impl Broker {
    /// Has a group's coordinator handle a request; an error means that it is not here, or gone.
    pub(crate) async fn ask_group(self: &Arc<Self>, request: Request) -> Result<Reply, ErrorCode> {
        let coordinator = self.coordinator_of(request.group())?;
        coordinator.ask(|answer| Ask::Request(request, answer)).await
    }

    /// The same for what is to be written. Who has waited for `offsets.commit.timeout.ms` is told to look for the
    /// coordinator anew; what was asked for may come about all the same, as in Kafka.
    pub(crate) async fn ask_group_to_write(self: &Arc<Self>, request: Request) -> Result<Reply, ErrorCode> {
        let most_ms = u64::try_from(self.config().offsets_commit_timeout_ms()).unwrap_or(0);
        let asked = timeout(Duration::from_millis(most_ms), self.ask_group(request)).await;
        asked.unwrap_or(Err(ErrorCode::CoordinatorNotAvailable))
    }

    /// Tells a group's coordinator that a member is alive, and returns what it says of that.
    pub(crate) fn heartbeat(self: &Arc<Self>, request: &HeartbeatRequest) -> ErrorCode {
        let beaten = self.coordinator_of(&request.group).and_then(|coordinator| {
            let beaten = coordinator.live.enter(|groups, now_ms| groups.heartbeat(now_ms, request));
            beaten.ok_or(ErrorCode::NotCoordinator)
        });
        beaten.unwrap_or_else(|error| error)
    }

    /// A group as its coordinator sees it.
    pub(crate) async fn describe_group(self: &Arc<Self>, group: &str) -> Result<Option<DescribedGroup>, ErrorCode> {
        let coordinator = self.coordinator_of(group)?;
        coordinator.ask(|answer| Ask::Describe(group.to_owned(), answer)).await
    }

    /// All groups that are coordinated here.
    pub(crate) async fn list_groups(self: &Arc<Self>, filter: &ListFilter) -> Result<Vec<ListedGroup>, ErrorCode> {
        let mut groups = Vec::new();
        for partition in 0..self.group_partitions().unwrap_or(0) {
            match self.coordinator(partition) {
                Ok(coordinator) => groups.extend(coordinator.ask(|answer| Ask::List(filter.clone(), answer)).await?),
                Err(ErrorCode::NotCoordinator) => {} // another broker's to tell
                Err(error) => return Err(error),
            }
        }
        Ok(groups)
    }

    /// Lets all coordinators forget the offsets of a topic that is gone.
    pub(crate) async fn forget_topic(self: &Arc<Self>, topic: &TopicName) {
        for partition in 0..self.group_partitions().unwrap_or(0) {
            if let Ok(coordinator) = self.coordinator(partition) {
                // A coordinator that has just ended leaves this to the expiry of its successor.
                coordinator.inbox.send(Ask::TopicDeleted(topic.to_string())).await.ok();
            }
        }
    }

    /// Starts the coordinators of all partitions that this broker leads, so that sessions run out
    /// there though nobody asks.
    pub(crate) fn start_coordinators(self: &Arc<Self>) {
        for partition in 0..self.group_partitions().unwrap_or(0) {
            drop(self.coordinator(partition));
        }
    }

    /// The partition of `__consumer_offsets` that a group's state is kept in, if there are any yet.
    pub(crate) fn group_partition(&self, group: &str) -> Option<i32> {
        Some(partition_for(group, self.group_partitions()?))
    }

    fn group_partitions(&self) -> Option<i32> {
        let image = self.image();
        i32::try_from(image.topic(TopicName::CONSUMER_OFFSETS)?.partitions.len()).ok()
    }

    fn coordinator_of(self: &Arc<Self>, group: &str) -> Result<Coordinator, ErrorCode> {
        let partition = self.group_partition(group).ok_or(ErrorCode::CoordinatorNotAvailable)?;
        self.coordinator(partition)
    }

    fn coordinator(self: &Arc<Self>, partition: i32) -> Result<Coordinator, ErrorCode> {
        let image = self.image();
        let topic = image.topic(TopicName::CONSUMER_OFFSETS).ok_or(ErrorCode::CoordinatorNotAvailable)?;
        let led = self.led(&image, topic, partition).map_err(|_| {
            self.end_coordinator(partition);
            ErrorCode::NotCoordinator
        })?;
        let shards = self.shards.load();
        let here = shards.get(&led.place.shard).ok_or(ErrorCode::NotCoordinator)?;
        let term = here.leading_term(self.id()).ok_or(ErrorCode::NotCoordinator)?;
        let mut actors = self.groups.actors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = actors.get(&partition).filter(|running| running.is_of(led.place.shard, term)) {
            return Ok(running.clone());
        }
        let (inbox, asks) = mpsc::channel(INBOX);
        let live = Arc::new(Live::new(self, led.partition));
        let coordinator = Coordinator { shard: led.place.shard, term, inbox, live: live.clone() };
        model::spawn(actor::run(self.clone(), here.clone(), term, live, asks));
        actors.insert(partition, coordinator.clone());
        Ok(coordinator)
    }

    /// Ends the coordinator of a partition that has gone: its task ends when nobody can ask it.
    fn end_coordinator(&self, partition: i32) {
        let mut actors = self.groups.actors.lock().unwrap_or_else(PoisonError::into_inner);
        actors.remove(&partition);
    }
}

impl Coordinator {
    fn is_of(&self, shard: GroupId, term: u64) -> bool {
        (self.shard, self.term) == (shard, term) && !self.inbox.is_closed()
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, ErrorCode> {
        let (answer, answered) = oneshot::channel();
        self.inbox.send(ask(answer)).await.map_err(|_| ErrorCode::NotCoordinator)?;
        answered.await.map_err(|_| ErrorCode::NotCoordinator)
    }
}
