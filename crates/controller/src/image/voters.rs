//! Who is to be in which Raft group: the image's brokers, with their directories.
//!
//! A group's leader makes it so, learners first. A broker that registers with an empty directory is
//! another voter by that alone, in all its groups.

use std::collections::BTreeSet;

use model::{BrokerId, GroupId};
use raft::Voter;

use super::{ClusterImage, ShardImage};

impl ClusterImage {
    /// The voters that a group is to have; none of a shard that does not exist.
    pub fn voters(&self, group: GroupId) -> BTreeSet<Voter> {
        match group {
            GroupId::CONTROLLER => self.voters_of(&self.controllers),
            shard => self.shard(shard).map(|shard| self.voters_of(&shard.members)).unwrap_or_default(),
        }
    }

    /// The learners that a group is to have: every broker follows the controller's.
    pub fn learners(&self, group: GroupId) -> BTreeSet<Voter> {
        let others = |id: &BrokerId| group == GroupId::CONTROLLER && !self.controllers.contains(id);
        self.brokers().filter(|broker| others(&broker.id)).map(|broker| broker.voter()).collect()
    }

    /// The voters that a shard's group begins with: what each of them bootstraps it with if it has
    /// no history of it; nobody else may.
    pub fn founders(&self, shard: &ShardImage) -> BTreeSet<Voter> {
        let founder = |(id, directory): (&BrokerId, &uuid::Uuid)| Voter::new(*id, *directory);
        match &shard.founders {
            Some(founders) => founders.iter().map(founder).collect(),
            None => self.voters_of(&shard.members),
        }
    }

    /// Who may bootstrap a shard's group: `me` among its founders, with them all.
    pub fn bootstrap_of(&self, shard: &ShardImage, me: Voter) -> BTreeSet<Voter> {
        Some(self.founders(shard)).filter(|founders| founders.contains(&me)).unwrap_or_default()
    }

    fn voters_of(&self, ids: &[BrokerId]) -> BTreeSet<Voter> {
        ids.iter().filter_map(|id| self.broker(*id)).map(|broker| broker.voter()).collect()
    }
}
