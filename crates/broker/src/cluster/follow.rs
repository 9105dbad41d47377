//! From the cluster image to shards that run here, and to whom there are connections with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use controller::{ClusterImage, ShardImage};
use model::{BrokerId, GroupId};
use peer::PeerState;
use raft::Voter;
use shard::Shard;
use tokio::time::sleep;

use super::founding::founders;
use super::{PeerCatchUp, roster};
use crate::broker::{Broker, ShardHere};
use crate::error::StartError;
use crate::start::{group_dir, raft_config};

/// How often to look without being told whether a shard goes on without this broker.
const PERIOD: Duration = Duration::from_millis(500);

/// Follows the image until the broker stops.
pub(crate) async fn run(broker: Arc<Broker>) {
    let mut image = broker.controller.watch();
    let mut is_news = true;
    loop {
        let current = image.borrow_and_update().clone();
        broker.meet(&current);
        let is_to_go_on = broker.leave_shards(&current).await | broker.rejoin_shards(&current).await;
        if (is_news || is_to_go_on)
            && let Err(why) = broker.host_shards(&current).await
        {
            tracing::error!(%why, "a shard could not be started");
        }
        is_news = tokio::select! {
            biased;
            () = broker.stop.requested() => return,
            changed = image.changed() => if changed.is_err() { return } else { true },
            () = sleep(PERIOD) => false,
        };
    }
}

/// Follows who is there, until the broker stops.
pub(crate) async fn mourn(broker: Arc<Broker>) {
    let Some(peers) = broker.links.peers() else { return };
    let mut states = peers.states();
    let mut processes = BTreeMap::new();
    loop {
        let now = states.borrow_and_update().clone();
        bury(&broker, &now, &mut processes);
        tokio::select! {
            biased;
            () = broker.stop.requested() => return,
            changed = states.changed() => if changed.is_err() { return },
        }
    }
}

/// Tells groups of processes that are known to be dead.
fn bury(broker: &Broker, states: &BTreeMap<BrokerId, PeerState>, processes: &mut BTreeMap<BrokerId, u64>) {
    for (id, state) in states {
        let before = match state {
            PeerState::Up { identity } => {
                processes.insert(*id, identity.incarnation).filter(|known| *known != identity.incarnation)
            }
            PeerState::Down { gone: true, .. } => processes.remove(id),
            PeerState::Down { .. } => None,
        };
        if let Some(incarnation) = before {
            broker.links.gone(*id, incarnation);
        }
    }
}

impl Broker {
    /// Keeps connections with all brokers of the cluster.
    fn meet(&self, image: &ClusterImage) {
        let Some(peers) = self.links.peers() else { return };
        let mut others = founders(&self.config());
        others.extend(roster::of(image));
        others.remove(&self.id());
        peers.know(others);
    }

    /// Starts the shards of the image that are to have a replica here, or have one that is not removed yet, and do not
    /// run. One that is damaged is left out: its partitions answer with a storage error, the others are served. In a cluster
    /// it [comes back](super::rejoin) as a new one.
    pub(crate) async fn host_shards(self: &Arc<Self>, image: &ClusterImage) -> Result<(), StartError> {
        let running = self.shards.load_full();
        let is_here = |shard: &&Arc<ShardImage>| self.is_member(shard) || self.has_traces(shard.id);
        let is_new = |shard: &&Arc<ShardImage>| !running.contains_key(&shard.id) && is_here(shard);
        let new: Vec<&Arc<ShardImage>> = image.shards().filter(is_new).collect();
        for shard in new {
            if !self.is_free_of(shard.id).await || !is_here(&shard) || self.is_distrusted(shard.id) {
                continue;
            }
            match self.host(image, shard).await {
                Ok(started) => {
                    self.links.add(shard.id, Arc::new(started.group().clone()));
                    // At once: should the next one fail, this must not be started a second time.
                    let mut shards = BTreeMap::clone(&self.shards.load());
                    shards.insert(shard.id, ShardHere::new(started));
                    self.shards.store(Arc::new(shards));
                }
                Err(StartError::Shard(why)) if why.is_damage() => self.is_damaged(shard.id, &why),
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }

    async fn host(&self, image: &ClusterImage, shard: &ShardImage) -> Result<Shard, StartError> {
        let me = Voter::new(self.id(), self.meta.directory_id);
        let dir = self.config().data_dir();
        let options = shard::Options {
            raft: raft::Config {
                catch_up: PeerCatchUp::over(&self.links, self.sizes.reserve_bytes),
                ..raft_config(&self.links, self.sizes, shard.id, me, image.bootstrap_of(shard, me))
            },
            disk: self.env.disk.clone(),
            files: self.files.clone(),
            dir: group_dir(&dir, shard.id),
            topics: dir.join("topics"),
        };
        Ok(Shard::start(options, self.journal.clone(), self.env.executor.clone()).await?)
    }

    /// Whether all groups that have files here are served, so that no other partition's files are in use.
    pub(crate) fn serves_all_groups(&self) -> bool {
        let known: BTreeSet<GroupId> = self.shards.load().keys().copied().chain([GroupId::CONTROLLER]).collect();
        let groups = self.config().data_dir().join("groups");
        let found = self.env.disk.list(&groups).unwrap_or_default();
        found.iter().all(|entry| entry.name.parse().is_ok_and(|id| known.contains(&GroupId(id))))
    }
}
