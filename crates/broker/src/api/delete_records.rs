//! DeleteRecords (key 21), versions 0 to 2 (KIP-107): moves log starts up. The move is an entry, so
//! it is durable when it is answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{ErrorCode, GroupId};
use shard::entry::{self, AdvanceStart, LogStart};
use shard::{Outcome, Partition, Shard};
use tokio::time::{Instant, timeout_at};
use wire::messages::delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult};
use wire::messages::{DeleteRecordsRequest, DeleteRecordsResponse};

use crate::broker::Replica;
use crate::dispatch::Context;
use crate::distinct::{grouped, last_of_each};

/// "Everything that is there", as offset.
const HIGH_WATERMARK: i64 = -1;

/// What is to become of the partitions of one shard: an entry moves all their log starts.
struct ForShard {
    shard: Shard,
    moves: AdvanceStart,
    /// Where they stand among those asked for.
    places: Vec<usize>,
}

/// Where the log start of a partition is to be.
struct Wanted {
    partition: Arc<Partition>,
    shard: Shard,
    offset: i64,
}

/// Moves the log start of each partition. All moves are queued before the first is waited for.
pub(crate) async fn handle(context: Context, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let deadline = Instant::now() + Duration::from_millis(request.timeout_ms.max(0) as u64);
    let asked = request.topics.into_iter().flat_map(|topic| {
        let name = topic.name;
        topic.partitions.into_iter().map(move |partition| ((name.clone(), partition.partition_index), partition.offset))
    });
    let asked = last_of_each(asked);
    let wanted = asked.iter().map(|((topic, index), offset)| check(&context, topic, *index, *offset));
    let mut wanted: Vec<Result<Wanted, ErrorCode>> = wanted.collect();
    move_starts(&context, &mut wanted, deadline).await;
    let results = asked.into_iter().zip(wanted).map(|(((topic, index), _), wanted)| {
        let result = DeleteRecordsPartitionResult::default().with_partition_index(index);
        let result = match wanted {
            Ok(wanted) => result.with_low_watermark(wanted.partition.log.log_start()),
            Err(error) => result.with_low_watermark(-1).with_error_code(error.code()),
        };
        (topic, result)
    });
    let topics = grouped(results)
        .into_iter()
        .map(|(name, partitions)| DeleteRecordsTopicResult::default().with_name(name).with_partitions(partitions));
    DeleteRecordsResponse::default().with_topics(topics.collect())
}

fn check(context: &Context, topic: &str, index: i32, offset: i64) -> Result<Wanted, ErrorCode> {
    let broker = &context.broker;
    let image = broker.image();
    let topic = image.topic(topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if topic.is_internal() {
        return Err(ErrorCode::InvalidTopicException);
    }
    if !broker.topics.settings(topic).config.cleanup_policy.delete {
        return Err(ErrorCode::PolicyViolation);
    }
    let Replica { partition, shard, .. } = broker.led(&image, topic, index)?;
    let end = partition.log.log_end();
    let offset = if offset == HIGH_WATERMARK { end } else { offset };
    if !(0..=end).contains(&offset) {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    Ok(Wanted { partition, shard, offset })
}

/// Moves those log starts that have to; notes what goes wrong.
async fn move_starts(context: &Context, wanted: &mut [Result<Wanted, ErrorCode>], deadline: Instant) {
    let mut shards: BTreeMap<GroupId, ForShard> = BTreeMap::new();
    for (place, Wanted { partition, shard, offset }) in
        wanted.iter().enumerate().filter_map(|(place, wanted)| Some((place, wanted.as_ref().ok()?)))
    {
        if *offset > partition.log.log_start() {
            let new = || ForShard { shard: shard.clone(), moves: AdvanceStart::default(), places: Vec::new() };
            let here = shards.entry(shard.id()).or_insert_with(new);
            here.moves.partitions.push(LogStart { id: partition.id, offset: *offset });
            here.places.push(place);
        }
    }
    let mut queued = Vec::with_capacity(shards.len());
    for ForShard { shard, moves, places } in shards.into_values() {
        let entry = entry::advance_start(context.broker.env.clock.now_ms(), &moves);
        queued.push((places, timeout_at(deadline, shard.propose(entry)).await));
    }
    for (places, proposed) in queued {
        let moved = match proposed {
            Ok(Ok(proposal)) => timeout_at(deadline, proposal).await.map(|done| done.map(|(_, outcome)| outcome)),
            Ok(Err(why)) => Ok(Err(why)),
            Err(late) => Err(late),
        };
        let error = match moved {
            Ok(Ok(Outcome::Refused(error))) => error,
            Ok(Ok(_)) => continue,
            Ok(Err(why)) => why.code(),
            Err(_) => ErrorCode::RequestTimedOut,
        };
        places.into_iter().for_each(|place| wanted[place] = Err(error));
    }
}
