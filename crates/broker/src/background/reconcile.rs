//! Turns the cluster image into entries: the shard leader opens, closes and configures partitions
//! so that they are as the image says. Apply itself never looks at the image.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use controller::{ClusterImage, TopicImage};
use model::{GroupId, PartitionId, TopicId};
use shard::entry::{self, ClosePartitions, Configure, OpenPartition, OpenPartitions, Stay};
use shard::{Outcome, Stage};
use tokio::time::timeout;

use crate::broker::{Broker, ShardHere};

/// How long a change may go unnoticed if nobody tells of it: a leader that failed half-way.
const PERIOD: Duration = Duration::from_secs(5);

/// Partitions in one entry, so that an entry stays well below the budget of a group.
const PARTITIONS_PER_ENTRY: usize = 1000;

/// The topics of each shard that are as the image had them: while it has the same, nothing is to be
/// done for them.
type Done = BTreeMap<GroupId, BTreeMap<TopicId, Arc<TopicImage>>>;

/// Keeps the shards that this broker leads as the image says, until the broker stops.
pub(crate) async fn run(broker: Arc<Broker>) {
    let mut image = broker.controller.watch();
    let (mut done, mut settings) = (Done::new(), broker.config());
    loop {
        let current = image.borrow_and_update().clone();
        broker.take_settings();
        if !Arc::ptr_eq(&settings, &broker.config()) {
            settings = broker.config();
            done.clear(); // the defaults of all topics may be others
        }
        reconcile(&broker, &current, &mut done).await;
        tokio::select! {
            biased;
            () = broker.stop.requested() => return,
            changed = timeout(PERIOD, image.changed()) => {
                if matches!(changed, Ok(Err(_))) {
                    return;
                }
            }
        }
    }
}

async fn reconcile(broker: &Broker, image: &ClusterImage, done: &mut Done) {
    for (group, here) in broker.shards.load_full().iter() {
        let knows_enough = here.shard.view().image_version() <= image.version();
        if here.leading_term(broker.id()).is_none() || !knows_enough {
            done.remove(group); // the next leader may do other things; look at all of it when we lead again
            continue;
        }
        let changed = changed_topics(image, done.get(group));
        let mut todo = wanted(broker, here, *group, &changed);
        todo.closes = gone_partitions(image, here, done.get(group));
        look_at_moves(image, here, *group, &mut todo);
        if propose(broker, here, image.version(), todo).await {
            let of_shard = done.entry(*group).or_default();
            of_shard.retain(|id, _| image.topic_by_id(*id).is_some());
            of_shard.extend(changed.into_iter().map(|topic| (topic.id, topic)));
        }
    }
    broker.topics.retain(|id| image.topic_by_id(id).is_some());
}

fn changed_topics(image: &ClusterImage, done: Option<&BTreeMap<TopicId, Arc<TopicImage>>>) -> Vec<Arc<TopicImage>> {
    let is_done =
        |topic: &Arc<TopicImage>| done.and_then(|done| done.get(&topic.id)).is_some_and(|d| Arc::ptr_eq(d, topic));
    image.topics().filter(|topic| !is_done(topic)).cloned().collect()
}

/// Partitions whose topic is gone. All are looked at only in the first round and when a topic went.
fn gone_partitions(
    image: &ClusterImage,
    here: &ShardHere,
    done: Option<&BTreeMap<TopicId, Arc<TopicImage>>>,
) -> Vec<PartitionId> {
    let is_gone = |id: TopicId| image.topic_by_id(id).is_none();
    if done.is_some_and(|done| !done.keys().copied().any(is_gone)) {
        return Vec::new();
    }
    here.shard.view().all().iter().map(|partition| partition.id).filter(|id| is_gone(id.topic)).collect()
}

/// What the image asks of a shard.
#[derive(Default)]
struct Todo {
    opens: Vec<OpenPartition>,
    changes: Vec<Configure>,
    closes: Vec<PartitionId>,
    stays: Vec<PartitionId>,
}

/// What is to be opened, and what may have new settings.
fn wanted(broker: &Broker, here: &ShardHere, group: GroupId, topics: &[Arc<TopicImage>]) -> Todo {
    let mut todo = Todo::default();
    for topic in topics {
        let settings = &broker.topics.settings(topic).partition;
        for (index, place) in topic.numbered().filter(|(_, place)| place.shard == group) {
            let id = PartitionId { topic: topic.id, index };
            match here.shard.view().get(id) {
                Some(open) if open.settings() == *settings => {}
                Some(_) => todo.changes.push(Configure { id, settings: settings.clone() }),
                None => todo.opens.push(OpenPartition {
                    id,
                    topic: topic.name.clone(),
                    settings: settings.clone(),
                    epoch_base: place.base_epoch,
                    start_offset: 0,
                }),
            }
        }
    }
    todo
}

/// What comes to this shard by a move that was called off is closed, and so is what has gone; what was to go by a move
/// that was called off stays.
fn look_at_moves(image: &ClusterImage, here: &ShardHere, group: GroupId, todo: &mut Todo) {
    for partition in here.shard.view().in_motion() {
        let id = partition.id;
        let is_under_way = |by: u64| image.move_of(id).is_some_and(|under_way| under_way.id == by);
        let lives_here = image.partition(id).is_some_and(|place| place.shard == group);
        match partition.stage() {
            Stage::Arriving(by) if !is_under_way(by) => todo.closes.push(id),
            Stage::Leaving(_) if !lives_here => todo.closes.push(id),
            Stage::Leaving(by) if !is_under_way(by) => todo.stays.push(id),
            _ => {}
        }
    }
}

/// Proposes it all; whether all of it was applied. What was not is found again in the next round.
async fn propose(broker: &Broker, here: &ShardHere, as_of: u64, todo: Todo) -> bool {
    let now_ms = broker.env.clock.now_ms();
    let open = |some: &[OpenPartition]| entry::open(now_ms, &OpenPartitions { as_of, partitions: some.to_vec() });
    let close = |some: &[PartitionId]| entry::close(now_ms, &ClosePartitions { as_of, ids: some.to_vec() });
    let stay = |id: &PartitionId| entry::stay(now_ms, &Stay { as_of, partition: *id });
    let opens = todo.opens.chunks(PARTITIONS_PER_ENTRY).map(open);
    let changes = todo.changes.chunks(PARTITIONS_PER_ENTRY).map(|some| entry::configure(now_ms, some));
    let closes = todo.closes.chunks(PARTITIONS_PER_ENTRY).map(close);
    let entries: Vec<Bytes> = opens.chain(changes).chain(closes).chain(todo.stays.iter().map(stay)).collect();
    for entry in entries {
        match here.shard.submit(entry).await {
            Ok(Outcome::Refused(_)) => return false, // an earlier leader knew more
            Ok(_) => {}
            Err(why) => {
                tracing::warn!(shard = %here.shard.id(), %why, "partitions are not as the cluster image says yet");
                return false;
            }
        }
    }
    true
}
