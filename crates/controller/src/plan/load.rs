//! What each broker carries, as the image wants it.

use std::collections::BTreeMap;

use model::BrokerId;

use crate::image::{ClusterImage, ShardImage};

/// Partitions, and one for each shard, since an idle one costs heartbeats too.
#[derive(Debug, Default)]
pub(super) struct Loads {
    carried: BTreeMap<BrokerId, i64>,
    led: BTreeMap<BrokerId, i64>,
}

pub(super) fn weight(shard: &ShardImage) -> i64 {
    i64::from(shard.partitions) + 1
}

impl Loads {
    pub(super) fn of(image: &ClusterImage) -> Self {
        let mut loads = Loads::default();
        for shard in image.shards() {
            loads.add(&shard.members, weight(shard));
        }
        loads
    }

    /// Counts a shard whose members become others.
    pub(super) fn change(&mut self, from: &[BrokerId], to: &[BrokerId], weight: i64) {
        self.add(from, -weight);
        self.add(to, weight);
    }

    pub(super) fn carried(&self, id: BrokerId) -> i64 {
        self.carried.get(&id).copied().unwrap_or(0)
    }

    /// Of the shards that it leads if all are led as they should be.
    pub(super) fn led(&self, id: BrokerId) -> i64 {
        self.led.get(&id).copied().unwrap_or(0)
    }

    fn add(&mut self, members: &[BrokerId], weight: i64) {
        for id in members {
            *self.carried.entry(*id).or_default() += weight;
        }
        if let Some(leader) = members.first() {
            *self.led.entry(*leader).or_default() += weight;
        }
    }
}
