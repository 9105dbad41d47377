//! Damaged batches of partitions here are put right with those of another replica.
//!
//! Who reads finds them: consumers, compaction. The segment is read then, and each hole in it closed
//! ([`PartitionLog::mend`](log::PartitionLog::mend)), whether or not this broker leads: what is in a log is committed, so
//! that any replica that has it has the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use log::{Hole, Mended};
use model::{BrokerId, GroupId, PartitionId};
use peer::Message;
use serde::{Deserialize, Serialize};
use shard::Partition;
use tokio::time::{Instant, sleep};

use super::kinds;
use super::links::Links;
use crate::broker::Broker;

/// Most partitions that wait: a disk on which more is damaged is to be replaced.
const MOST_WAITING: usize = 1024;

/// Between two looks for work.
const PERIOD: Duration = Duration::from_millis(200);

/// What could not be put right is left alone for so long, whoever reads it.
const TRY_AGAIN: Duration = Duration::from_secs(30);

/// Most bytes of batches in one answer, unless a single one is larger.
const READ_BYTES: usize = 1 << 20;

/// Most bytes that are asked for of one hole: with what stands in that much, no replica can be of another layout.
const MOST_BYTES: usize = 64 << 20;

/// The places to be put right, by an offset in the damaged segment.
#[derive(Default)]
pub(crate) struct Mending {
    waiting: Mutex<BTreeMap<PartitionId, i64>>,
}

impl Mending {
    /// A read found damage.
    pub(crate) fn ask(&self, partition: PartitionId, offset: i64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MOST_WAITING {
            waiting.entry(partition).or_insert(offset);
        }
    }

    fn take(&self) -> BTreeMap<PartitionId, i64> {
        std::mem::take(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Which batches another replica is asked for.
#[derive(Serialize, Deserialize)]
struct Wanted {
    shard: GroupId,
    partition: PartitionId,
    from: i64,
    most_bytes: usize,
}

/// Puts right what is found to be damaged, until the broker stops.
pub(crate) async fn run(broker: Arc<Broker>) {
    let mut left_alone: BTreeMap<PartitionId, Instant> = BTreeMap::new();
    loop {
        tokio::select! {
            biased;
            () = broker.stop.requested() => return,
            () = sleep(PERIOD) => {}
        }
        left_alone.retain(|_, since| since.elapsed() < TRY_AGAIN);
        for (id, offset) in broker.mending.take() {
            if !left_alone.contains_key(&id)
                && let Err(why) = broker.mend(id, offset).await
            {
                left_alone.insert(id, Instant::now());
                tracing::warn!(partition = %id, why, "damage could not be put right, to be tried again when it is read");
            }
        }
    }
}

impl Broker {
    /// Closes all holes of the segment that holds an offset.
    async fn mend(self: &Arc<Self>, id: PartitionId, offset: i64) -> Result<(), String> {
        let shards = self.shards.load_full();
        let here = shards.iter().find_map(|(shard, here)| Some((*shard, here.shard.view().get(id)?)));
        let Some((shard, partition)) = here else { return Ok(()) };
        let image = self.image();
        let members = image.shard(shard).map(|shard| shard.members.clone()).unwrap_or_default();
        let others: Vec<BrokerId> = members.into_iter().filter(|member| *member != self.id()).collect();
        while let Some(hole) = self.hole(&partition, offset).await? {
            let mut why = "it has no other replica".to_owned();
            let mut closed_by = None;
            for other in &others {
                match self.close(shard, &partition, hole, *other).await {
                    Ok(()) => closed_by = Some(*other),
                    Err(failed) => why = format!("broker {other}: {failed}"),
                }
                if closed_by.is_some() {
                    break;
                }
            }
            let Some(other) = closed_by else { return Err(why) };
            let (topic, index) = (&partition.topic, id.index);
            tracing::warn!(%topic, index, offset = hole.from, from = %other, "damaged batches were replaced by another replica's");
        }
        Ok(())
    }

    async fn hole(&self, partition: &Arc<Partition>, offset: i64) -> Result<Option<Hole>, String> {
        let partition = partition.clone();
        let found = self.env.blocking(move || {
            let offset = offset.max(partition.log.log_start());
            if offset < partition.log.log_end() { partition.log.first_hole(offset) } else { Ok(None) }
        });
        found.await.map_err(|why| why.to_string())
    }

    /// Closes a hole with what another broker has in its place.
    async fn close(
        &self,
        shard: GroupId,
        partition: &Arc<Partition>,
        mut hole: Hole,
        other: BrokerId,
    ) -> Result<(), String> {
        let mut most_bytes = READ_BYTES;
        loop {
            let wanted = Wanted { shard, partition: partition.id, from: hole.from, most_bytes };
            let wanted = rmp_serde::to_vec(&wanted).expect("writing numbers to memory cannot fail");
            let batches = self.links.ask(other, kinds::BATCHES, wanted.into()).await?;
            self.links.taken.spend(batches.len()).await;
            let (of, place) = (partition.clone(), hole);
            let mended = self.env.blocking(move || of.log.mend(&place, &batches)).await;
            match mended.map_err(|why| why.to_string())? {
                Mended::Closed => return Ok(()),
                Mended::GoesOn(rest) => hole = rest,
                Mended::NeedsMore if most_bytes < MOST_BYTES => most_bytes *= 2,
                Mended::NeedsMore | Mended::DoesNotFit => {
                    return Err("its batches have other places, since compaction has been there".to_owned());
                }
            }
        }
    }
}

/// Answers a broker that asks for batches: with checked ones, whoever leads.
pub(super) async fn serve(links: &Links, broker: Arc<Broker>, body: Bytes) -> Result<Message, String> {
    let Wanted { shard, partition, from, most_bytes } =
        rmp_serde::from_slice(&body).map_err(|why| format!("a malformed question: {why}"))?;
    let here = links.shard(shard)?;
    let partition = here.view().get(partition).ok_or("the partition is not here")?;
    let most_bytes = most_bytes.min(MOST_BYTES);
    let read = move || partition.log.read_checked(from, most_bytes).map_err(|why| why.to_string());
    let batches = broker.env.blocking(read).await?;
    links.given.spend(batches.iter().map(Bytes::len).sum()).await;
    Ok(Message { head: Bytes::new(), parts: batches })
}
