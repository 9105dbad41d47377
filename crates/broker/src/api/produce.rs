//! Produce (key 0), versions 3 to 13.
//!
//! Batches are checked whole, copied once into one entry for each shard, and queued in the order in
//! which they came. `acks=1` waits for as much as `acks=all`: an acknowledgement means fsynced on a
//! majority. `acks=0` gets no answer; if it fails, the connection is closed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use model::{ErrorCode, GroupId};
use raft::{Proposal, ProposeError};
use shard::entry::AppendEntry;
use shard::{AppendResult, Outcome, Partition, Shard};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use wire::RequestHeader;
use wire::messages::ProduceRequest;
use wire::messages::produce_request::TopicProduceData;

use crate::admission::{Admitted, Produced, Refused, admit};
use crate::budget::Share;
use crate::dispatch::{Begun, Context};
use crate::distinct::{grouped, last_of_each};
use crate::error::Close;
use crate::replies::produce::respond;

/// Refused records that one answer names. Few compressed bytes can hold millions.
const MAX_RECORDS_NAMED: usize = 1000;

/// Where a batch's result belongs in the answer: topic and partition by their places.
type Place = (usize, usize);

/// What is known of each partition of the request, in its order.
type Results = Vec<Vec<Option<Result<Produced, Refused>>>>;

/// Checks and queues the appends; the answer waits for them.
pub(crate) async fn begin(context: Context, header: &RequestHeader, body: Bytes) -> Result<Begun, Close> {
    let mut request: ProduceRequest = wire::decode(header.version, body)?;
    request.topic_data = distinct(request.topic_data);
    let deadline = Instant::now() + Duration::from_millis(request.timeout_ms.max(0) as u64);
    let (mut results, mut batches) = check(&context, &request);
    let recompressing = recompress(&context, &mut batches, &mut results).await;
    let appends = queue(&context, batches, &mut results).await;
    drop(recompressing);

    let (version, correlation_id) = (header.version, header.correlation_id);
    let answer = async move {
        for append in appends {
            append.collect(&mut results, deadline).await;
        }
        if request.acks != 0 {
            let response = respond(&context, request, results);
            return Ok(Some(wire::encode_response(version, correlation_id, response)?));
        }
        match results.into_iter().flatten().flatten().find_map(Result::err) {
            Some(refused) => Err(Close::Unacknowledged(refused.code)),
            None => Ok(None),
        }
    };
    Ok(Begun { answer: Box::pin(answer), may_overlap: true })
}

/// The partitions of a request, by topic. Of one that is listed twice the last batch counts, as in Kafka.
fn distinct(topics: Vec<TopicProduceData>) -> Vec<TopicProduceData> {
    if let [topic] = &topics[..]
        && topic.partition_data.len() == 1
    {
        return topics; // so most requests are
    }
    let batches = topics.into_iter().flat_map(|topic| {
        let key = (topic.name, topic.topic_id);
        topic.partition_data.into_iter().map(move |data| ((key.clone(), data.index), data))
    });
    let batches = last_of_each(batches).into_iter().map(|((topic, _), data)| (topic, data));
    let topics = grouped(batches).into_iter().map(|((name, id), partitions)| {
        TopicProduceData::default().with_name(name).with_topic_id(id).with_partition_data(partitions)
    });
    topics.collect()
}

/// A batch that may be appended.
struct Batch {
    place: Place,
    shard: Shard,
    admitted: Admitted,
}

/// Where the batches for one shard belong.
type Places = Vec<(Place, Arc<Partition>)>;

/// Checks each partition of the request.
fn check(context: &Context, request: &ProduceRequest) -> (Results, Vec<Batch>) {
    let image = context.broker.controller.image();
    let mut batches = Vec::new();
    let mut results = Results::with_capacity(request.topic_data.len());
    let mut may_name = MAX_RECORDS_NAMED;
    for (t, topic) in request.topic_data.iter().enumerate() {
        let mut partitions = Vec::with_capacity(topic.partition_data.len());
        for (p, data) in topic.partition_data.iter().enumerate() {
            let admitted = match context.peer.gaps.before(topic, data) {
                Some(code) => Err(Refused::from(code)),
                None => admit(context, &image, request, topic, data, may_name)
                    .inspect_err(|refused| context.peer.gaps.refused(topic, data, refused.code)),
            };
            partitions.push(match admitted {
                Err(refused) => {
                    may_name = may_name.saturating_sub(refused.records.len());
                    Some(Err(refused))
                }
                Ok((shard, admitted)) => {
                    batches.push(Batch { place: (t, p), shard, admitted });
                    None
                }
            });
        }
        results.push(partitions);
    }
    (results, batches)
}

/// What requests take while their batches are written anew, besides what they took when they came.
struct Recompressing {
    _permit: Option<OwnedSemaphorePermit>,
    _share: Share,
}

/// Writes those batches anew whose topics ask for another codec. What that takes is given back when what it returns is
/// dropped, so after the batches are queued.
async fn recompress(context: &Context, batches: &mut Vec<Batch>, results: &mut Results) -> Option<Recompressing> {
    let to_do =
        batches.iter().filter_map(|Batch { admitted, .. }| Some((admitted.batch.clone(), admitted.recompression?)));
    let to_do: Vec<_> = to_do.collect();
    if to_do.is_empty() {
        return None;
    }
    let broker = &context.broker;
    // A request becomes no larger than one that could have been sent.
    let most_bytes = usize::try_from(broker.config().socket_request_max_bytes()).unwrap_or(0);
    let (permit, done) = broker.recompressions.run(&broker.env, to_do, most_bytes).await;
    let mut done = done.into_iter();
    batches.retain_mut(|Batch { place: (t, p), shard, admitted }| {
        if admitted.recompression.is_none() {
            return true;
        }
        let anew = done.next().expect("there is one for each that was to be done");
        let more_bytes = |anew: &Bytes| anew.len().saturating_sub(admitted.batch.len());
        let room = |anew: &Bytes| broker.room.admit(shard.health(), broker.journal.live_bytes(), more_bytes(anew));
        match anew.and_then(|anew| room(&anew).map(|()| anew)) {
            Ok(anew) => admitted.batch = anew,
            Err(refused) => {
                results[*t][*p] = Some(Err(refused));
                return false;
            }
        }
        true
    });
    let bytes =
        batches.iter().filter(|batch| batch.admitted.recompression.is_some()).map(|batch| batch.admitted.batch.len());
    Some(Recompressing { _permit: permit, _share: broker.budget.take(bytes.sum()) })
}

/// Proposes one entry for each shard. Waits while a shard has as many bytes in flight as it may.
async fn queue(context: &Context, batches: Vec<Batch>, results: &mut Results) -> Vec<Append> {
    let mut shards: BTreeMap<GroupId, (Shard, Vec<Bytes>, Places, Option<usize>)> = BTreeMap::new();
    for Batch { place, shard, admitted: Admitted { partition, batch, held_by: wanted, .. } } in batches {
        let (_, batches, places, held_by) =
            shards.entry(shard.id()).or_insert_with(|| (shard, Vec::new(), Vec::new(), None));
        batches.push(batch);
        places.push((place, partition));
        *held_by = wanted.max(*held_by);
    }
    let mut appends = Vec::with_capacity(shards.len());
    for (shard, batches, places, held_by) in shards.into_values() {
        let mut entry = AppendEntry::default();
        batches.iter().zip(&places).for_each(|(batch, (_, partition))| entry.push(partition.id, batch));
        match shard.propose(entry.encode(context.broker.env.clock.now_ms())).await {
            Ok(proposal) => appends.push(Append { places, proposal, held_by: held_by.map(|count| (shard, count)) }),
            Err(why) => refuse(results, &places, &Refused::from(why.code())),
        }
    }
    appends
}

/// What is on its way to one shard.
struct Append {
    places: Places,
    proposal: Proposal<Outcome>,
    /// How many members must have it, where a majority is not enough.
    held_by: Option<(Shard, usize)>,
}

impl Append {
    async fn collect(self, results: &mut Results, deadline: Instant) {
        let Append { places, proposal, held_by } = self;
        let outcome = timeout_at(deadline, proposal).await.ok();
        if let (Some(Ok((id, Outcome::Appended(_)))), Some((shard, count))) = (&outcome, held_by) {
            // It is written, and a majority has it; that fewer have it than was asked for is all that the error says.
            let held = timeout_at(deadline, shard.group().held_by(id.index, count)).await;
            if !matches!(held, Ok(Ok(()))) {
                return refuse(results, &places, &Refused::from(ErrorCode::NotEnoughReplicasAfterAppend));
            }
        }
        collect(results, places, outcome);
    }
}

/// Puts the outcome of one shard's append into its places; `None` is a time-out.
fn collect(results: &mut Results, places: Places, outcome: Option<Result<(journal::EntryId, Outcome), ProposeError>>) {
    let appended: Vec<AppendResult> = match outcome {
        Some(Ok((_, Outcome::Appended(appended)))) => appended,
        Some(Ok((_, Outcome::Refused(code)))) => return refuse(results, &places, &Refused::from(code)),
        Some(Ok(_)) => return refuse(results, &places, &Refused::from(ErrorCode::UnknownServerError)),
        Some(Err(why)) => return refuse(results, &places, &Refused::from(why.code())),
        None => return refuse(results, &places, &Refused::from(ErrorCode::RequestTimedOut)),
    };
    for (((t, p), partition), result) in places.into_iter().zip(appended) {
        let refused = |code| Refused::from(code).by_log(partition.log.log_start());
        results[t][p] = Some(result.map_err(refused));
    }
}

fn refuse(results: &mut Results, places: &Places, why: &Refused) {
    for &((t, p), _) in places {
        results[t][p] = Some(Err(why.clone()));
    }
}
