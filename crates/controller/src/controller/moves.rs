//! Replicas that are assigned by hand: each partition goes to a shard of exactly these members.

use std::collections::{BTreeMap, BTreeSet};

use model::{BrokerId, ErrorCode, GroupId, PartitionId};

use super::{Controller, unexpected};
use crate::apply::{Outcome, Refusal};
use crate::command::{Command, CreateShards, MovePartitions, PartitionMove, ShardWish};
use crate::error::SubmitError;
use crate::image::ClusterImage;
use crate::placement::check_replicas;

/// How often a plan is made anew when what it was based on changed meanwhile.
const MAX_PLANS: usize = 10;

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
        let mut results: Vec<Result<(), Refusal>> = wishes.iter().map(|_| Err(Refusal::stale("not planned"))).collect();
        for _ in 0..MAX_PLANS {
            let open: Vec<usize> = (0..wishes.len()).filter(|at| is_stale(&results[*at])).collect();
            if open.is_empty() {
                break;
            }
            self.create_pinned_shards(open.iter().filter_map(|at| wishes[*at].replicas.as_deref())).await?;
            let image = self.image();
            let mut plan = Plan::new(&image);
            let (mut places, mut moves) = (Vec::new(), Vec::new());
            for at in open {
                match plan.of(&wishes[at]) {
                    Ok(planned) => {
                        places.push(at);
                        moves.push(planned);
                    }
                    Err(refusal) => results[at] = Err(refusal),
                }
            }
            if moves.is_empty() {
                continue;
            }
            match self.submit(Command::MovePartitions(MovePartitions { moves })).await? {
                Outcome::PartitionsMoving(done) => places.into_iter().zip(done).for_each(|(at, it)| results[at] = it),
                other => return Err(unexpected(&other)),
            }
        }
        Ok(results)
    }

    /// One shard for each list of members: those that are there already are not made again.
    async fn create_pinned_shards<'a>(&self, members: impl Iterator<Item = &'a [BrokerId]>) -> Result<(), SubmitError> {
        let image = self.image();
        let is_possible = |members: &&[BrokerId]| check_replicas(&image, members).is_ok();
        let distinct: BTreeSet<&[BrokerId]> = members.filter(is_possible).collect();
        let wish = |members: &[BrokerId]| ShardWish { members: members.to_vec(), at_least: 1, pinned: true };
        let is_missing = |wish: &ShardWish| !image.shards().any(|shard| wish.fits(shard));
        let wishes: Vec<ShardWish> = distinct.into_iter().map(wish).filter(is_missing).collect();
        if wishes.is_empty() {
            return Ok(());
        }
        match self.submit(Command::CreateShards(CreateShards { wishes })).await {
            Ok(_) | Err(SubmitError::Refused(_)) => Ok(()), // what can't be is said for each partition
            Err(error) => Err(error),
        }
    }
}

fn is_stale(result: &Result<(), Refusal>) -> bool {
    matches!(result, Err(refusal) if refusal.is_stale())
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
