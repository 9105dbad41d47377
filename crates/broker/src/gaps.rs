//! Where the first of several batches that a client has in flight is refused, those behind it are refused, too.
//!
//! A shard that knows nothing of a producer takes any sequence (KIP-360): it may have forgotten what came before. So if
//! its very first batch is refused, say because the broker does not lead yet, and the second arrives when it does, the
//! second would be appended, and the first never could be. A client sends nothing behind a refused batch once it knows;
//! what was on its way before that comes over the same connection.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::ErrorCode;
use record::BatchHead;
use tokio::time::Instant;
use uuid::Uuid;
use wire::messages::produce_request::{PartitionProduceData, TopicProduceData};

/// How long after a refusal others may arrive that were sent before the client knew. Later ones tell of a producer
/// that went on elsewhere, and came back.
const ON_THE_WAY: Duration = Duration::from_secs(1);

/// Refusals remembered for a connection. Beyond that the broker is as Kafka's.
const MOST: usize = 1000;

/// The partition, as the client names it, and the producer.
type Key = (Uuid, String, i32, i64);

/// The refusals of one connection.
#[derive(Default)]
pub(crate) struct Gaps(Mutex<BTreeMap<Key, Gap>>);

struct Gap {
    epoch: i16,
    sequence: i32,
    code: ErrorCode,
    at: Instant,
}

impl Gaps {
    /// Why a batch can't be taken: because one before it was not.
    pub(crate) fn before(&self, topic: &TopicProduceData, data: &PartitionProduceData) -> Option<ErrorCode> {
        let mut gaps = self.gaps();
        if gaps.is_empty() {
            return None;
        }
        let (key, head) = idempotent(topic, data)?;
        let gap = gaps.get(&key)?;
        let is_behind = head.producer_epoch() == gap.epoch && is_after(head.base_sequence(), gap.sequence);
        if is_behind && gap.at.elapsed() < ON_THE_WAY {
            return Some(gap.code);
        }
        gaps.remove(&key);
        None
    }

    /// A batch is refused. What may not be sent again leaves no gap: the client goes on without it.
    pub(crate) fn refused(&self, topic: &TopicProduceData, data: &PartitionProduceData, code: ErrorCode) {
        let Some((key, head)) = idempotent(topic, data).filter(|_| code.is_retriable()) else { return };
        let mut gaps = self.gaps();
        if gaps.len() >= MOST {
            gaps.retain(|_, gap| gap.at.elapsed() < ON_THE_WAY);
        }
        if gaps.len() < MOST {
            let (epoch, sequence, at) = (head.producer_epoch(), head.base_sequence(), Instant::now());
            gaps.insert(key, Gap { epoch, sequence, code, at });
        }
    }

    fn gaps(&self) -> MutexGuard<'_, BTreeMap<Key, Gap>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn idempotent(topic: &TopicProduceData, data: &PartitionProduceData) -> Option<(Key, BatchHead)> {
    let head = BatchHead::copy_of(data.records.as_ref()?).filter(|head| head.producer_id() >= 0)?;
    Some(((topic.topic_id, topic.name.to_string(), data.index, head.producer_id()), head))
}

/// Sequences run from 0 to `i32::MAX` and around: whatever is nearer ahead than behind comes after.
fn is_after(sequence: i32, other: i32) -> bool {
    let ahead = sequence.wrapping_sub(other) & i32::MAX;
    ahead != 0 && ahead < i32::MAX / 2
}

#[cfg(test)]
mod tests {
    use record::BatchBuilder;

    use super::*;

    const CODE: ErrorCode = ErrorCode::NotLeaderOrFollower;

    fn topic() -> TopicProduceData {
        TopicProduceData::default()
    }

    fn batch(producer: i64, sequence: i32) -> PartitionProduceData {
        let batch = BatchBuilder::new().producer(producer, 0, sequence).record(0, None, Some(b"value")).build();
        PartitionProduceData::default().with_records(Some(batch.unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_behind_a_refused_batch_is_refused_until_that_one_comes_again() {
        let gaps = Gaps::default();
        gaps.refused(&topic(), &batch(7, 0), CODE);
        assert_eq!(gaps.before(&topic(), &batch(7, 1)), Some(CODE));
        assert_eq!(gaps.before(&topic(), &batch(7, 2)), Some(CODE));
        assert_eq!(gaps.before(&topic(), &batch(7, 0)), None);
        assert_eq!(gaps.before(&topic(), &batch(7, 1)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn other_producers_and_partitions_go_on() {
        let gaps = Gaps::default();
        gaps.refused(&topic(), &batch(7, 0), CODE);
        assert_eq!(gaps.before(&topic(), &batch(8, 1)), None);
        assert_eq!(gaps.before(&topic(), &batch(7, 1).with_index(3)), None);
        assert_eq!(gaps.before(&topic(), &batch(7, 1)), Some(CODE));
    }

    #[tokio::test(start_paused = true)]
    async fn a_producer_that_went_on_elsewhere_may_come_back() {
        let gaps = Gaps::default();
        gaps.refused(&topic(), &batch(7, 0), CODE);
        tokio::time::advance(ON_THE_WAY).await;
        assert_eq!(gaps.before(&topic(), &batch(7, 9)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_are_remembered_up_to_a_limit() {
        let gaps = Gaps::default();
        (0..=MOST as i64).for_each(|producer| gaps.refused(&topic(), &batch(producer, 0), CODE));
        assert_eq!(gaps.gaps().len(), MOST);
        tokio::time::advance(ON_THE_WAY).await;
        gaps.refused(&topic(), &batch(0, 0), CODE);
        assert_eq!(gaps.gaps().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_for_good_is_not_waited_for() {
        let gaps = Gaps::default();
        gaps.refused(&topic(), &batch(7, 0), ErrorCode::MessageTooLarge);
        assert_eq!(gaps.before(&topic(), &batch(7, 1)), None);
    }

    #[test]
    fn sequences_wrap_around() {
        assert!(is_after(1, 0) && is_after(0, i32::MAX) && is_after(3, i32::MAX - 2));
        assert!(!is_after(0, 0) && !is_after(0, 1) && !is_after(i32::MAX, 0));
    }
}
