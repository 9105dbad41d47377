//! One partition's way, step by step. Each step may have been taken before, by a leader that is gone.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use controller::{Arrival, ClusterImage, Command, FinishMoves, Move, Outcome as Controlled, TopicImage};
use model::{GroupId, PartitionId};
use shard::entry::{self, Adopt, AppendEntry, ClosePartitions, Departure, Expect, Import, OpenPartition};
use shard::{EpochBase, Outcome};
use tokio::time::Instant;

use super::rate::rate;
use super::source::{Ask, Batches, Extent, Question, pack};
use crate::broker::{Broker, ShardHere};
use crate::cluster::kinds;
use crate::cluster::throttle::Meter;

/// When so little is left, the partition departs: the rest is fetched in a moment.
const LITTLE: usize = 256 * 1024;

/// How often what keeps coming is fetched before the partition departs though there is more left: a busy partition
/// must not outrun its move for ever.
const MOST_ROUNDS_NEAR_THE_END: u32 = 20;

pub(super) struct Carrier<'a> {
    broker: &'a Broker,
    here: &'a ShardHere,
    partition: PartitionId,
    to: Move,
    meter: &'a Meter,
}

/// Where the partition is, in the newest image.
struct Place {
    from: GroupId,
    image: Arc<ClusterImage>,
    topic: Arc<TopicImage>,
}

/// What became of the copy so far.
enum Begun {
    /// It reaches to this offset.
    Arriving(i64),
    /// It is done, and open.
    Adopted(EpochBase),
}

impl<'a> Carrier<'a> {
    pub(super) fn new(
        broker: &'a Broker,
        here: &'a ShardHere,
        partition: PartitionId,
        to: Move,
        meter: &'a Meter,
    ) -> Self {
        Carrier { broker, here, partition, to, meter }
    }

    pub(super) async fn carry(&self) -> Result<(), String> {
        let place = self.place()?;
        let extent = self.extent(place.from).await?;
        let base = match self.begin(&place, &extent).await? {
            Begun::Adopted(base) => base,
            Begun::Arriving(end) => {
                let end = self.copy(&place, &extent, end).await?;
                self.finish(&place, end).await?
            }
        };
        let arrival = Arrival { partition: self.partition, id: self.to.id, base_epoch: base.epoch };
        let command = Command::FinishMoves(FinishMoves { arrivals: vec![arrival] });
        match self.broker.controller.submit(command).await.map_err(|why| why.to_string())? {
            Controlled::PartitionsMoved(done) => {
                tracing::info!(partition = %self.partition, from = %place.from, to = %self.to.to, "a partition has moved");
                done.into_iter().try_for_each(|done| done.map_err(|why| why.message))
            }
            other => Err(format!("the controller answered {other:?}")),
        }
    }

    /// Copies until little is left; how far it came.
    async fn copy(&self, place: &Place, begun: &Extent, mut end: i64) -> Result<i64, String> {
        let (began, mut rounds) = (Instant::now(), 0);
        loop {
            self.place()?; // else it was called off
            let Batches { extent, batches } = self.batches(place.from, end).await?;
            self.watch_tombstones(place, begun, &extent, began, end).await?;
            let bytes: usize = batches.iter().map(Bytes::len).sum();
            end = self.import(&extent, &batches, end).await?;
            rounds += u32::from(bytes < LITTLE);
            self.meter.spend(bytes, || self.rate()).await?;
            let is_close = end >= extent.log_end || rounds > MOST_ROUNDS_NEAR_THE_END;
            if bytes == 0 || (bytes < LITTLE && is_close) {
                return Ok(end);
            }
        }
    }

    /// From here on the partition is unavailable until the end, a few round trips later.
    async fn finish(&self, place: &Place, mut end: i64) -> Result<EpochBase, String> {
        let departure = self.depart(place.from).await?;
        while end < departure.log_end && departure.log_start < departure.log_end {
            let Batches { extent, batches } = self.batches(place.from, end).await?;
            if batches.is_empty() {
                break; // compaction may have taken what was there
            }
            end = self.import(&extent, &batches, end).await?;
        }
        let adopt = Adopt { id: self.to.id, partition: self.partition, departure };
        match self.submit(entry::adopt(self.now_ms(), &adopt)).await? {
            Outcome::Adopted(base) => Ok(base),
            other => Err(format!("{} did not adopt the partition: {other:?}", self.to.to)),
        }
    }

    async fn begin(&self, place: &Place, extent: &Extent) -> Result<Begun, String> {
        let partition = OpenPartition {
            id: self.partition,
            topic: place.topic.name.clone(),
            settings: self.broker.topics.settings(&place.topic).partition.clone(),
            epoch_base: 0,
            start_offset: extent.log_start,
        };
        let expect = Expect { as_of: self.as_of()?, id: self.to.id, partition };
        match self.submit(entry::expect(self.now_ms(), &expect)).await? {
            Outcome::Arriving(end) => Ok(Begun::Arriving(end)),
            Outcome::Adopted(base) => Ok(Begun::Adopted(base)),
            other => Err(format!("{} does not expect the partition: {other:?}", self.to.to)),
        }
    }

    async fn import(&self, extent: &Extent, batches: &[Bytes], end: i64) -> Result<i64, String> {
        if batches.is_empty() {
            return Ok(end);
        }
        let mut rows = AppendEntry::default();
        batches.iter().for_each(|batch| rows.push(self.partition, batch));
        match self.submit(Import::encode(self.now_ms(), self.to.id, extent.log_start, &rows)).await? {
            Outcome::Arriving(end) => Ok(end),
            other => Err(format!("{} did not take batches: {other:?}", self.to.to)),
        }
    }

    /// A copy that takes longer than tombstones are kept may lack one whose older record it has: it is begun anew.
    async fn watch_tombstones(
        &self,
        place: &Place,
        begun: &Extent,
        now: &Extent,
        began: Instant,
        end: i64,
    ) -> Result<(), String> {
        let kept_ms = self.broker.topics.settings(&place.topic).config.delete_retention_ms;
        let kept = Duration::from_millis(u64::try_from(kept_ms).unwrap_or(0));
        if now.cleaned_to <= begun.cleaned_to || now.cleaned_to <= end || began.elapsed() < kept {
            return Ok(());
        }
        let close = ClosePartitions { as_of: self.as_of()?, ids: vec![self.partition] };
        self.submit(entry::close(self.now_ms(), &close)).await?;
        Err("tombstones went while it was copied".to_owned())
    }

    async fn submit(&self, entry: Bytes) -> Result<Outcome, String> {
        self.here.shard.submit(entry).await.map_err(|why| why.to_string())
    }

    /// Where it is now, if it is still to move.
    fn place(&self) -> Result<Place, String> {
        let image = self.broker.image();
        let is_this = |under_way: &&Move| under_way.id == self.to.id;
        image.move_of(self.partition).filter(is_this).ok_or("the move was called off")?;
        let topic = image.topic_by_id(self.partition.topic).cloned().ok_or("its topic is gone")?;
        let from = image.partition(self.partition).ok_or("it is gone")?.shard;
        Ok(Place { from, image, topic })
    }

    /// Version of the newest image, which has it on its way.
    fn as_of(&self) -> Result<u64, String> {
        Ok(self.place()?.image.version())
    }

    async fn extent(&self, from: GroupId) -> Result<Extent, String> {
        unpack(&self.ask(from, Ask::Extent).await?)
    }

    async fn batches(&self, from: GroupId, offset: i64) -> Result<Batches, String> {
        Batches::decode(self.ask(from, Ask::Batches(offset)).await?)
    }

    async fn depart(&self, from: GroupId) -> Result<Departure, String> {
        unpack(&self.ask(from, Ask::Depart { id: self.to.id, as_of: self.as_of()? }).await?)
    }

    /// Asks who leads the shard that it is in.
    async fn ask(&self, shard: GroupId, ask: Ask) -> Result<Bytes, String> {
        let lead = self.broker.lead_of(shard).ok_or_else(|| format!("{shard} has no leader"))?;
        let question = Question { shard, partition: self.partition, ask };
        self.broker.links.ask(lead.leader, kinds::MOVE, pack(&question)).await
    }

    /// Bytes a second, if the operator bounds them; an error if the move was called off.
    fn rate(&self) -> Result<Option<u64>, String> {
        let Place { image, topic, .. } = self.place()?;
        Ok(rate(&image, &topic, self.partition.index, self.to.to))
    }

    fn now_ms(&self) -> i64 {
        self.broker.env.clock.now_ms()
    }
}

fn unpack<T: serde::de::DeserializeOwned>(answer: &[u8]) -> Result<T, String> {
    rmp_serde::from_slice(answer).map_err(|why| format!("a malformed answer: {why}"))
}
