//! Commands about partitions that go from one shard to another. Each stands or falls by itself.

use model::ErrorCode;

use super::{Outcome, Refusal};
use crate::command::{Arrival, FinishMoves, MovePartitions, PartitionMove};
use crate::image::{Draft, Move, PartitionImage, TopicImage};

pub(super) fn begin(draft: &mut Draft, command: &MovePartitions, index: u64) -> Outcome {
    Outcome::PartitionsMoving(command.moves.iter().map(|wish| begin_one(draft, wish, index)).collect())
}

/// A move to where the partition is calls off what is under way, as one to nowhere; a move to where it goes already
/// goes on.
fn begin_one(draft: &mut Draft, wish: &PartitionMove, index: u64) -> Result<(), Refusal> {
    let PartitionMove { partition, from, to } = *wish;
    let image = draft.image();
    let place = image.partition(partition).ok_or_else(unknown)?;
    if place.shard != from {
        return Err(Refusal::stale(format!("The partition lives in {} now.", place.shard)));
    }
    let Some(to) = to else {
        return draft.remove_move(partition).map(drop).ok_or_else(|| none_under_way(""));
    };
    if image.shard(to).is_none() {
        return Err(Refusal::stale(format!("There is no {to}.")));
    }
    if to == from {
        draft.remove_move(partition);
    } else if image.move_of(partition).is_none_or(|under_way| under_way.to != to) {
        draft.put_move(partition, Move { to, id: index });
    }
    Ok(())
}

pub(super) fn finish(draft: &mut Draft, command: &FinishMoves) -> Outcome {
    Outcome::PartitionsMoved(command.arrivals.iter().map(|arrival| finish_one(draft, arrival)).collect())
}

fn finish_one(draft: &mut Draft, arrival: &Arrival) -> Result<(), Refusal> {
    let Arrival { partition, id, base_epoch } = *arrival;
    let image = draft.image();
    let under_way = image.move_of(partition).filter(|under_way| under_way.id == id);
    let to = under_way.ok_or_else(|| none_under_way("The move was called off."))?.to;
    let mut topic = image.topic_by_id(partition.topic).map(|topic| TopicImage::clone(topic)).ok_or_else(unknown)?;
    let index = usize::try_from(partition.index).map_err(|_| unknown())?;
    *topic.partitions.get_mut(index).ok_or_else(unknown)? = PartitionImage { shard: to, base_epoch };
    draft.remove_move(partition);
    draft.put_topic(topic);
    Ok(())
}

fn unknown() -> Refusal {
    Refusal::new(ErrorCode::UnknownTopicOrPartition, "This server does not host this topic-partition.")
}

fn none_under_way(why: &str) -> Refusal {
    Refusal::new(ErrorCode::NoReassignmentInProgress, why)
}
