//! Fetch (key 1), versions 4 to 18.
//!
//! Waits until `min_bytes` are there or `max_wait_ms` are over. The first batch comes whole, however
//! large (KIP-74); records are whole batches, from the one that holds the fetch offset on. Sessions:
//! KIP-227. Topics by id from version 13 (KIP-516). Consumers that say their rack are sent to a replica there
//! from version 11 on (KIP-392). Records leave the segments' memory maps as they stand on disk.

use std::time::Duration;

use model::{ErrorCode, TopicId};
use tokio::time::Instant;
use wire::StrBytes;
use wire::messages::fetch_response::AbortedTransaction;
use wire::messages::{FetchReply, FetchReplyEndpoint, FetchReplyPartition, FetchReplyTopic, FetchRequest};

use crate::dispatch::Context;
use crate::distinct::last_of_each;
use crate::endpoints::BrokerEndpoint;
use crate::fetch::{Key, Nearness, Planned, Read, Reader, Wanted, read_enough};
use crate::hints::Hints;

/// `isolation_level` of a reader of committed transactions.
const READ_COMMITTED: i8 = 1;

/// The version from which replicas say who they are in another place.
const STATE_FROM: i16 = 15;

/// The version that tells who leads instead.
const LEADERS_FROM: i16 = 16;

/// Reads the partitions asked for.
pub(crate) async fn handle(context: Context, request: FetchRequest) -> FetchReply {
    let broker = &context.broker;
    let deadline = Instant::now() + Duration::from_millis(request.max_wait_ms.max(0) as u64);
    let by_id = context.version >= 13;
    let forgotten = forgotten(&request);
    let (id, epoch) = (request.session_id, request.session_epoch);
    let now_ms = broker.env.clock.now_ms();
    let planned = match broker.sessions.plan(now_ms, id, epoch, by_id, wanted(&request), &forgotten) {
        Ok(planned) => planned,
        Err(error) => return FetchReply { error_code: error.code(), ..FetchReply::default() },
    };
    let max_bytes = request.max_bytes.min(broker.config().fetch_max_bytes());
    let max_bytes = usize::try_from(max_bytes).unwrap_or(0);
    let reader = Reader { max_bytes, version: context.version, nearness: nearness(&context, &request) };
    let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0).min(max_bytes);
    let read = match planned.wanted.is_empty() {
        true => Vec::new(),
        false => read_enough(broker, &planned.wanted, &reader, min_bytes, deadline).await,
    };
    reply(&context, planned, read, request.isolation_level == READ_COMMITTED)
}

fn nearness(context: &Context, request: &FetchRequest) -> Nearness {
    let replica_id = match context.version {
        ..STATE_FROM => request.replica_id,
        STATE_FROM.. => request.replica_state.replica_id,
    };
    Nearness::of(&context.broker, context.version, replica_id.0, &request.rack_id, &context.peer.listener)
}

fn wanted(request: &FetchRequest) -> Vec<Wanted> {
    let partitions = request.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| {
            let wanted = Wanted {
                key: key(&topic.topic, topic.topic_id, partition.partition),
                offset: partition.fetch_offset,
                max_bytes: usize::try_from(partition.partition_max_bytes).unwrap_or(0),
                // Any negative epoch is none here, where other APIs know -1 alone.
                current_leader_epoch: partition.current_leader_epoch.max(-1),
                last_fetched_epoch: partition.last_fetched_epoch,
            };
            (wanted.key.clone(), wanted)
        })
    });
    last_of_each(partitions).into_iter().map(|(_, wanted)| wanted).collect()
}

fn forgotten(request: &FetchRequest) -> Vec<Key> {
    let topics = request.forgotten_topics_data.iter();
    topics.flat_map(|topic| topic.partitions.iter().map(|p| key(&topic.topic, topic.topic_id, *p))).collect()
}

/// The name is copied: it must not pin the request's frame for as long as a session lives.
fn key(name: &str, id: uuid::Uuid, partition: i32) -> Key {
    Key { name: StrBytes::from_string(name.to_owned()), id, partition }
}

fn reply(context: &Context, planned: Planned, read: Vec<Read>, read_committed: bool) -> FetchReply {
    let news = context.broker.sessions.record(&planned, &read);
    let mut topics: Vec<FetchReplyTopic> = Vec::new();
    let mut hints = Hints::new(context, LEADERS_FROM);
    for ((wanted, read), _) in planned.wanted.iter().zip(read).zip(news).filter(|(_, news)| *news) {
        let Key { name, id, partition } = wanted.key.clone();
        let leader = read.error.and_then(|error| hints.leader(error, &name, TopicId(id), partition));
        let mut partition = partition_reply(partition, read, read_committed);
        partition.current_leader = leader.map(|(leader, epoch)| (leader.0, epoch));
        match topics.last_mut().filter(|topic| topic.name == name && topic.topic_id == id) {
            Some(topic) => topic.partitions.push(partition),
            None => topics.push(FetchReplyTopic { name, topic_id: id, partitions: vec![partition] }),
        }
    }
    let endpoint = |leader: BrokerEndpoint| FetchReplyEndpoint {
        node_id: leader.id.0,
        host: StrBytes::from_string(leader.host),
        port: i32::from(leader.port),
        rack: leader.rack.map(StrBytes::from_string),
    };
    let node_endpoints = hints.endpoints().map(endpoint).collect();
    FetchReply { session_id: planned.session_id, topics, node_endpoints, ..FetchReply::default() }
}

fn partition_reply(partition_index: i32, read: Read, read_committed: bool) -> FetchReplyPartition {
    FetchReplyPartition {
        partition_index,
        error_code: read.error.unwrap_or(ErrorCode::None).code(),
        high_watermark: read.high_watermark,
        last_stable_offset: read.high_watermark, // no transaction is ever open
        log_start_offset: read.log_start,
        diverging_epoch: read.diverging,
        aborted_transactions: aborted_transactions(read.error, read_committed && read.preferred.is_none()),
        preferred_read_replica: read.preferred.map_or(-1, |replica| replica.0),
        records: read.records,
        ..FetchReplyPartition::default()
    }
}

/// No transaction is ever aborted yet. Only readers of committed records are told so, but of a topic that is not there
/// Kafka gives an empty list to everybody.
fn aborted_transactions(error: Option<ErrorCode>, read_committed: bool) -> Option<Vec<AbortedTransaction>> {
    let tell = match error {
        Some(ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId) => true,
        Some(_) => false,
        None => read_committed,
    };
    tell.then(Vec::new)
}
