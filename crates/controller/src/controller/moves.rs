//! Replicas that are assigned by hand: each partition goes to a shard of exactly these members.

use std::collections::{BTreeMap, BTreeSet};

use model::{BrokerId, ErrorCode, GroupId, PartitionId};

use super::plans::Plans;
use super::{Controller, unexpected};
use crate::apply::{Outcome, Refusal};
use crate::command::{Command, MovePartitions, PartitionMove, ShardWish};
use crate::error::SubmitError;
use crate::image::ClusterImage;
use crate::placement::check_replicas;

/// What is wished for a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reassignment {
    /// The partition.
    pub partition: PartitionId,
    /// Its replicas, the preferred leader first; none calls off what is under way.
    pub replicas: Option<Vec<BrokerId>>,
}

impl Controller {
    /// Has partitions move to other brokers, or not any more; each stands or falls by itself. An `Ok` means that the
    /// move has begun, or that there is nothing to move.
    pub async fn reassign(&self, wishes: &[Reassignment]) -> Result<Vec<Result<(), Refusal>>, SubmitError> {
        let plans = Plans {
            shards: missing_pinned_shards,
            plan: |image: &ClusterImage, wishes: &[&Reassignment]| {
                let mut plan = Plan::new(image);
                wishes.iter().map(|wish| plan.of(wish)).collect()
            },
            command: |moves| Command::MovePartitions(MovePartitions { moves }),
            done: |outcome| match outcome {
                Outcome::PartitionsMoving(done) => Ok(done),
                other => Err(unexpected(&other)),
            },
        };
        self.carry_out(wishes, plans).await
    }
}

/// One shard for each list of members: those that are there already are not made again.
fn missing_pinned_shards(image: &ClusterImage, wishes: &[&Reassignment]) -> Vec<ShardWish> {
    let members = wishes.iter().filter_map(|wish| wish.replicas.as_deref());
    let distinct: BTreeSet<&[BrokerId]> = members.filter(|members| check_replicas(image, members).is_ok()).collect();
    let wish = |members: &[BrokerId]| ShardWish { members: members.to_vec(), at_least: 1, pinned: true };
    let is_missing = |wish: &ShardWish| !image.shards().any(|shard| wish.fits(shard));
    distinct.into_iter().map(wish).filter(is_missing).collect()
}

/// Finds shards for partitions by one image.
struct Plan<'a> {
    image: &'a ClusterImage,
    /// Partitions of each shard, planned ones too.
    loads: BTreeMap<GroupId, u32>,
}

impl<'a> Plan<'a> {
    fn new(image: &'a ClusterImage) -> Self {
        let mut loads: BTreeMap<GroupId, u32> = image.shards().map(|shard| (shard.id, shard.partitions)).collect();
        for (_, under_way) in image.moves() {
            *loads.entry(under_way.to).or_default() += 1;
        }
        Plan { image, loads }
    }

    fn of(&mut self, wish: &Reassignment) -> Result<PartitionMove, Refusal> {
        let unknown = "This server does not host this topic-partition.";
        let place = self.image.partition(wish.partition);
        let from = place.ok_or_else(|| Refusal::new(ErrorCode::UnknownTopicOrPartition, unknown))?.shard;
        let to = match &wish.replicas {
            None => None,
            Some(replicas) => {
                check_replicas(self.image, replicas)?;
                Some(self.shard(wish.partition, from, replicas).ok_or_else(|| Refusal::stale("no such shard yet"))?)
            }
        };
        Ok(PartitionMove { partition: wish.partition, from, to })
    }

    /// A shard of these members: the one where the partition is or goes to, or the one with the fewest partitions.
    fn shard(&mut self, partition: PartitionId, from: GroupId, replicas: &[BrokerId]) -> Option<GroupId> {
        let fits = |id: &GroupId| self.image.shard(*id).is_some_and(|shard| shard.members == replicas);
        let under_way = self.image.move_of(partition).map(|under_way| under_way.to);
        if let Some(same) = [Some(from), under_way].into_iter().flatten().find(fits) {
            return Some(same);
        }
        let of_these = self.image.shards().filter(|shard| shard.pinned).map(|shard| shard.id).filter(fits);
        let best = of_these.min_by_key(|id| (self.loads.get(id).copied().unwrap_or(0), *id))?;
        *self.loads.entry(best).or_default() += 1;
        Some(best)
    }
}
