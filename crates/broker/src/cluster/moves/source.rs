//! What the leader of the shard that a partition comes from tells the one that it goes to.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use model::{ErrorCode, GroupId, PartitionId};
use peer::Message;
use serde::{Deserialize, Serialize};
use shard::Outcome;
use shard::entry::{self, Depart, Departure};

use crate::broker::{Broker, ShardHere};

/// Most bytes of batches in one answer, unless a single one is larger.
const READ_BYTES: usize = 1024 * 1024;

/// A question about a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Question {
    /// The shard that it is in.
    pub(super) shard: GroupId,
    pub(super) partition: PartitionId,
    pub(super) ask: Ask,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Ask {
    /// Where it begins and ends.
    Extent,
    /// Its batches from this offset on.
    Batches(i64),
    /// No record more is to be added to it, since this move takes it elsewhere.
    Depart { id: u64, as_of: u64 },
}

/// How far a partition reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Extent {
    pub(super) log_start: i64,
    pub(super) log_end: i64,
    /// Below this a compaction has been.
    pub(super) cleaned_to: i64,
}

/// Batches, each by itself, and how far the partition reached when they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batches {
    pub(super) extent: Extent,
    pub(super) batches: Vec<Bytes>,
}

impl Question {
    /// Answers a broker.
    pub(crate) async fn serve(broker: &Arc<Broker>, body: Bytes) -> Result<Message, String> {
        let question: Question = rmp_serde::from_slice(&body).map_err(|why| format!("a malformed question: {why}"))?;
        match question.ask {
            Ask::Extent => Ok(Message::from(pack(&question.extent(broker)?))),
            Ask::Batches(from) => Ok(question.batches(broker, from).await?.encode()),
            Ask::Depart { id, as_of } => Ok(Message::from(pack(&question.depart(broker, id, as_of).await?))),
        }
    }

    fn extent(&self, broker: &Broker) -> Result<Extent, String> {
        Ok(extent_of(&*self.partition(&self.here(broker)?)?))
    }

    async fn batches(&self, broker: &Broker, from: i64) -> Result<Batches, String> {
        let partition = self.partition(&self.here(broker)?)?;
        let read = move || {
            let extent = extent_of(&partition);
            // What retention has taken away meanwhile need not be copied.
            let from = from.max(extent.log_start);
            let batches = partition.log.read_checked(from, READ_BYTES).map_err(|why| why.to_string())?;
            Ok(Batches { extent, batches })
        };
        broker.env.blocking(read).await
    }

    async fn depart(&self, broker: &Broker, id: u64, as_of: u64) -> Result<Departure, String> {
        let here = self.here(broker)?;
        let depart = Depart { as_of, id, partition: self.partition };
        let entry = entry::depart(broker.env.clock.now_ms(), &depart);
        match here.shard.submit(entry).await.map_err(|why| why.to_string())? {
            Outcome::Departed(departure) => Ok(*departure),
            Outcome::Refused(code) => Err(format!("{} refuses to let the partition go: {}", self.shard, code.name())),
            other => Err(format!("{} answered {other:?}", self.shard)),
        }
    }

    /// The shard, if this broker leads it.
    fn here(&self, broker: &Broker) -> Result<ShardHere, String> {
        let here = broker.shards.load().get(&self.shard).cloned();
        let leads = |here: &ShardHere| here.leading_term(broker.id()).is_some();
        here.filter(leads).ok_or_else(|| format!("{} is not led by broker {}", self.shard, broker.id()))
    }

    fn partition(&self, here: &ShardHere) -> Result<Arc<shard::Partition>, String> {
        here.shard.view().get(self.partition).ok_or_else(|| {
            format!("{} has no partition {}: {}", self.shard, self.partition, ErrorCode::UnknownTopicOrPartition.name())
        })
    }
}

fn extent_of(partition: &shard::Partition) -> Extent {
    let log = &partition.log;
    // In this order: the end only grows.
    let (log_start, cleaned_to) = (log.log_start(), log.cleaned_to());
    Extent { log_start, cleaned_to, log_end: log.log_end() }
}

impl Batches {
    /// The extent's length (4, little-endian), the extent, and the batches one after the other.
    fn encode(self) -> Message {
        let extent = pack(&self.extent);
        let mut head = BytesMut::with_capacity(4 + extent.len());
        head.put_u32_le(u32::try_from(extent.len()).expect("three numbers are few bytes"));
        head.put_slice(&extent);
        Message { head: head.freeze(), parts: self.batches }
    }

    /// Reads an answer; each batch is checked.
    pub(super) fn decode(mut body: Bytes) -> Result<Batches, String> {
        let malformed = |why: &dyn std::fmt::Display| format!("a malformed answer: {why}");
        let bytes = body.try_get_u32_le().map_err(|why| malformed(&why))? as usize;
        if bytes > body.len() {
            return Err(malformed(&"it ends too early"));
        }
        let extent = rmp_serde::from_slice(&body.split_to(bytes)).map_err(|why| malformed(&why))?;
        let mut batches = Vec::new();
        while !body.is_empty() {
            let head = record::BatchHead::copy_of(&body).ok_or_else(|| malformed(&"a batch is cut"))?;
            let size = head.size_bytes();
            if size < record::HEADER_BYTES || size > body.len() {
                return Err(malformed(&"a batch is cut"));
            }
            let batch = body.split_to(size);
            record::BatchView::new(&batch).and_then(|batch| batch.verify_crc()).map_err(|why| malformed(&why))?;
            batches.push(batch);
        }
        Ok(Batches { extent, batches })
    }
}

pub(super) fn pack(value: &impl Serialize) -> Bytes {
    rmp_serde::to_vec_named(value).expect("writing to memory cannot fail").into()
}
