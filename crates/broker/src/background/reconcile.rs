//! Turns the cluster image into entries: the shard leader opens, closes and configures partitions
//! so that they are as the image says. Apply itself never looks at the image.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use controller::{ClusterImage, TopicImage};
use model::{GroupId, PartitionId};
use shard::entry::{self, Configure, OpenPartition};
use tokio::time::timeout;

use crate::broker::{Broker, ShardHere};

/// How long a change may go unnoticed if nobody tells of it: a leader that failed half-way.
const PERIOD: Duration = Duration::from_secs(5);

/// Partitions opened by one entry, so that an entry stays well below the budget of a group.
const PARTITIONS_PER_ENTRY: usize = 1000;

/// Keeps the shards that this broker leads as the image says, until the broker stops.
pub(crate) async fn run(broker: Arc<Broker>) {
    let mut image = broker.controller.watch();
    let mut configured = Configured::default();
    loop {
        let current = image.borrow_and_update().clone();
        reconcile(&broker, &current, &mut configured).await;
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

/// The topics whose settings were proposed, by the image that they came from.
type Configured = BTreeMap<PartitionId, Arc<TopicImage>>;

async fn reconcile(broker: &Broker, image: &ClusterImage, configured: &mut Configured) {
    let shards = broker.shards.load_full();
    for (group, here) in shards.iter() {
        if here.leading_term(broker.id()).is_some() {
            propose_opens(broker, image, *group, here, configured).await;
            propose_closes(broker, image, here, configured).await;
        }
    }
    broker.topics.retain(|id| image.topic_by_id(id).is_some());
}

async fn propose_opens(
    broker: &Broker,
    image: &ClusterImage,
    group: GroupId,
    here: &ShardHere,
    configured: &mut Configured,
) {
    let (mut opens, mut changes) = (Vec::new(), Vec::new());
    for topic in image.topics() {
        for (index, place) in topic.numbered().filter(|(_, place)| place.shard == group) {
            let id = PartitionId { topic: topic.id, index };
            if configured.get(&id).is_some_and(|of| Arc::ptr_eq(of, topic)) {
                continue;
            }
            let settings = broker.topics.settings(topic).partition.clone();
            match here.shard.view().get(id) {
                Some(_) => changes.push(Configure { id, settings }),
                None => opens.push(OpenPartition {
                    id,
                    topic: topic.name.clone(),
                    settings,
                    epoch_base: place.base_epoch,
                    start_offset: 0,
                }),
            }
            configured.insert(id, topic.clone());
        }
    }
    let now_ms = broker.env.clock.now_ms();
    for some in opens.chunks(PARTITIONS_PER_ENTRY) {
        submit(here, entry::open(now_ms, some), some.iter().map(|open| open.id), configured).await;
    }
    for some in changes.chunks(PARTITIONS_PER_ENTRY) {
        submit(here, entry::configure(now_ms, some), some.iter().map(|change| change.id), configured).await;
    }
}

async fn propose_closes(broker: &Broker, image: &ClusterImage, here: &ShardHere, configured: &mut Configured) {
    let exists = |id: &PartitionId| image.topic_by_id(id.topic).is_some();
    let gone: BTreeSet<PartitionId> = here.shard.view().all().iter().map(|p| p.id).filter(|id| !exists(id)).collect();
    configured.retain(|id, _| exists(id));
    if gone.is_empty() {
        return;
    }
    let gone: Vec<PartitionId> = gone.into_iter().collect();
    for some in gone.chunks(PARTITIONS_PER_ENTRY) {
        submit(here, entry::close(broker.env.clock.now_ms(), some), [], configured).await;
    }
}

/// Proposes; what fails is forgotten, so that the next round proposes it again.
async fn submit(
    here: &ShardHere,
    entry: bytes::Bytes,
    ids: impl IntoIterator<Item = PartitionId>,
    configured: &mut Configured,
) {
    if let Err(why) = here.shard.submit(entry).await {
        tracing::warn!(shard = %here.shard.id(), %why, "partitions are not as the cluster image says yet");
        ids.into_iter().for_each(|id| drop(configured.remove(&id)));
    }
}
