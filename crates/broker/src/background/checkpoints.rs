//! When to take checkpoints: often enough that a restart replays little, seldom enough that nothing
//! is synced for nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::GroupId;

use crate::broker::Broker;

/// How often to look.
const PERIOD: Duration = Duration::from_millis(250);

/// Takes checkpoints until the broker stops.
pub(crate) async fn run(broker: Arc<Broker>) {
    let mut troubles = Troubles::default();
    // What no checkpoint frees: held by a shard that is damaged or can't write.
    let mut held_bytes = 0;
    loop {
        tokio::select! {
            biased;
            () = broker.stop.requested() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
        held_bytes = broker.journal.live_bytes().min(held_bytes);
        if is_due(&broker, held_bytes) {
            let written_before = broker.journal.stats().bytes;
            checkpoint_all(&broker, &mut troubles).await;
            let new_bytes = broker.journal.stats().bytes - written_before;
            held_bytes = broker.journal.live_bytes().saturating_sub(new_bytes);
        }
        collect_garbage(&broker, &mut troubles).await;
    }
}

/// Whether the journal holds much that a checkpoint would free; where it gets no further file, anything.
fn is_due(broker: &Broker, held_bytes: u64) -> bool {
    let freed_bytes = broker.journal.live_bytes().saturating_sub(held_bytes);
    freed_bytes > broker.sizes.checkpoint_bytes || (freed_bytes > 0 && broker.journal.out_of_room())
}

/// Checkpoints all groups, so that the journal needs nothing of what was before. Those that can't
/// write have said why.
pub(crate) async fn checkpoint_all(broker: &Broker, troubles: &mut Troubles) {
    troubles.note(GroupId::CONTROLLER, broker.controller.checkpoint().await);
    for here in broker.shards.load_full().values() {
        if here.shard.health().accepts_writes() {
            troubles.note(here.shard.id(), here.shard.checkpoint().await);
        }
    }
}

/// Files that retention or a deletion left behind go once a manifest has stopped naming them.
async fn collect_garbage(broker: &Broker, troubles: &mut Troubles) {
    for here in broker.shards.load_full().values() {
        let health = here.shard.health();
        if here.shard.has_garbage() && health.accepts_writes() {
            troubles.note(here.shard.id(), here.shard.checkpoint().await);
        }
        here.shard.collect_garbage(broker.env.clock.now_ms());
        if health.is_stalled() {
            // Which tries again first what the disk refused: at followers too, to whom no entry may come for long.
            troubles.note(here.shard.id(), here.shard.checkpoint().await);
        }
    }
}

/// What went wrong last, in each group: the same again is not told again.
#[derive(Default)]
pub(crate) struct Troubles(BTreeMap<GroupId, String>);

impl Troubles {
    fn note<E: std::fmt::Display>(&mut self, group: GroupId, result: Result<(), E>) {
        let Err(why) = result else {
            self.0.remove(&group);
            return;
        };
        let why = why.to_string();
        if self.0.get(&group) != Some(&why) {
            tracing::warn!(%group, why, "background work failed, to be tried again");
            self.0.insert(group, why);
        }
    }
}
