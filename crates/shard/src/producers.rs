//! Idempotent producers of one partition: what was appended last by whom, so that a batch sent
//! again is answered and not appended again (KIP-98, KIP-360).
//!
//! The rules are those of Kafka's `ProducerStateManager` and `ProducerAppendInfo`. Time is the
//! shard's clock. An expired producer counts as unknown wherever it is met, so it does not matter
//! to any replica when exactly its memory is given back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use model::ErrorCode;
use serde::{Deserialize, Serialize};

use crate::questions::ActiveProducer;

/// Batches remembered for each producer: as many as a client may have in flight.
pub(crate) const BATCHES_REMEMBERED: usize = 5;

/// What a batch says of its producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// The producer's id; never negative here.
    pub(crate) producer_id: i64,
    /// Its epoch.
    pub(crate) epoch: i16,
    /// Sequence of the first record.
    pub(crate) first: i32,
    /// Sequence of the last record; below `first` when the numbers wrapped around.
    pub(crate) last: i32,
}

/// Where a batch went, kept for answering its duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    first: i32,
    last: i32,
    base_offset: i64,
    timestamp: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Producer {
    epoch: i16,
    batches: VecDeque<Remembered>,
    /// The shard's clock at the last append.
    seen_ms: i64,
}

/// What is to be done with a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It continues its producer's sequence.
    Append,
    /// It is here already, from this offset on.
    Duplicate {
        /// Offset of its first record.
        base_offset: i64,
        /// Its greatest timestamp.
        timestamp: i64,
    },
    /// It is fenced, or leaves a gap.
    Refuse(ErrorCode),
}

/// The producers of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Producers(BTreeMap<i64, Producer>);

impl Producers {
    /// Judges a batch against what is known of its producer.
    pub(crate) fn judge(&self, batch: &Sequence, now_ms: i64, expiration_ms: i64) -> Verdict {
        let known = self.0.get(&batch.producer_id).filter(|producer| !producer.is_expired(now_ms, expiration_ms));
        let Some(producer) = known else {
            // Its memory may have gone with the records that it was about: any sequence may begin.
            return Verdict::Append;
        };
        if batch.epoch < producer.epoch {
            return Verdict::Refuse(ErrorCode::InvalidProducerEpoch);
        }
        if batch.epoch > producer.epoch {
            return if batch.first == 0 {
                Verdict::Append
            } else {
                Verdict::Refuse(ErrorCode::OutOfOrderSequenceNumber)
            };
        }
        let same = |b: &&Remembered| b.first == batch.first && b.last == batch.last;
        if let Some(seen) = producer.batches.iter().find(same) {
            return Verdict::Duplicate { base_offset: seen.base_offset, timestamp: seen.timestamp };
        }
        match producer.batches.back() {
            Some(previous) if following(previous.last) != batch.first => {
                Verdict::Refuse(ErrorCode::OutOfOrderSequenceNumber)
            }
            _ => Verdict::Append,
        }
    }

    /// Remembers a batch that was appended.
    pub(crate) fn appended(
        &mut self,
        batch: &Sequence,
        base_offset: i64,
        timestamp: i64,
        now_ms: i64,
        expiration_ms: i64,
    ) {
        let producer = self.0.entry(batch.producer_id).or_insert_with(|| Producer {
            epoch: batch.epoch,
            batches: VecDeque::new(),
            seen_ms: now_ms,
        });
        if producer.epoch != batch.epoch || producer.is_expired(now_ms, expiration_ms) {
            producer.epoch = batch.epoch;
            producer.batches.clear();
        }
        if producer.batches.len() == BATCHES_REMEMBERED {
            producer.batches.pop_front();
        }
        producer.batches.push_back(Remembered { first: batch.first, last: batch.last, base_offset, timestamp });
        producer.seen_ms = now_ms;
    }

    /// The last batch of each: its producer's id and its base offset, ordered by the ids.
    pub(crate) fn last_batches(&self) -> Arc<[(i64, i64)]> {
        let last = |(id, producer): (&i64, &Producer)| Some((*id, producer.batches.back()?.base_offset));
        self.0.iter().filter_map(last).collect()
    }

    /// The producers that are not expired.
    pub(crate) fn active(&self, now_ms: i64, expiration_ms: i64) -> Vec<ActiveProducer> {
        let live = self.0.iter().filter(|(_, producer)| !producer.is_expired(now_ms, expiration_ms));
        let active = live.map(|(id, producer)| ActiveProducer {
            id: *id,
            epoch: producer.epoch,
            last_sequence: producer.batches.back().map_or(-1, |last| last.last),
            last_append_ms: producer.seen_ms,
        });
        active.collect()
    }

    /// Gives back the memory of expired producers.
    pub(crate) fn forget_expired(&mut self, now_ms: i64, expiration_ms: i64) {
        self.0.retain(|_, producer| !producer.is_expired(now_ms, expiration_ms));
    }
}

impl Producer {
    fn is_expired(&self, now_ms: i64, expiration_ms: i64) -> bool {
        now_ms.saturating_sub(self.seen_ms) >= expiration_ms
    }
}

/// Sequences run from 0 to `i32::MAX` and around.
pub(crate) fn following(sequence: i32) -> i32 {
    sequence.checked_add(1).unwrap_or(0)
}

/// The last sequence of a batch of `count` records that begins with `first`.
pub(crate) fn last_sequence(first: i32, count: i32) -> i32 {
    let last = i64::from(first) + i64::from(count) - 1;
    (last % (i64::from(i32::MAX) + 1)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn batch(epoch: i16, first: i32, count: i32) -> Sequence {
        Sequence { producer_id: 7, epoch, first, last: last_sequence(first, count) }
    }

    /// Appends what is accepted, at growing offsets, and returns the last verdict.
    fn play(batches: &[Sequence]) -> Verdict {
        let (mut producers, mut offset, mut verdict) = (Producers::default(), 100, Verdict::Append);
        for batch in batches {
            verdict = producers.judge(batch, 0, DAY_MS);
            if verdict == Verdict::Append {
                producers.appended(batch, offset, -1, 0, DAY_MS);
                offset += 10;
            }
        }
        verdict
    }

    fn out_of_order() -> Verdict {
        Verdict::Refuse(ErrorCode::OutOfOrderSequenceNumber)
    }

    #[test]
    fn a_producer_that_is_not_known_may_begin_anywhere() {
        assert_eq!(play(&[batch(0, 42, 1)]), Verdict::Append);
    }

    #[test]
    fn the_next_batch_must_continue_the_sequence() {
        assert_eq!(play(&[batch(0, 0, 3), batch(0, 3, 1)]), Verdict::Append);
        assert_eq!(play(&[batch(0, 0, 3), batch(0, 4, 1)]), out_of_order());
    }

    #[test]
    fn a_batch_sent_again_is_answered_with_its_first_offset() {
        let answer = Verdict::Duplicate { base_offset: 100, timestamp: -1 };
        assert_eq!(play(&[batch(0, 0, 3), batch(0, 3, 1), batch(0, 0, 3)]), answer);
    }

    #[test]
    fn only_five_batches_are_remembered() {
        let mut sent: Vec<_> = (0..6).map(|n| batch(0, n, 1)).collect();
        sent.push(batch(0, 0, 1));
        assert_eq!(play(&sent), out_of_order());
        sent.push(batch(0, 1, 1));
        assert_eq!(play(&sent), Verdict::Duplicate { base_offset: 110, timestamp: -1 });
    }

    #[test]
    fn a_part_of_a_remembered_batch_is_no_duplicate() {
        assert_eq!(play(&[batch(0, 0, 3), batch(0, 0, 2)]), out_of_order());
    }

    #[test]
    fn an_older_epoch_is_fenced() {
        assert_eq!(play(&[batch(1, 0, 1), batch(0, 1, 1)]), Verdict::Refuse(ErrorCode::InvalidProducerEpoch));
    }

    #[test]
    fn a_new_epoch_begins_at_sequence_zero() {
        assert_eq!(play(&[batch(0, 0, 1), batch(1, 0, 1)]), Verdict::Append);
        assert_eq!(play(&[batch(0, 0, 1), batch(1, 1, 1)]), out_of_order());
    }

    #[test]
    fn sequences_wrap_around() {
        assert_eq!(play(&[batch(0, i32::MAX, 1), batch(0, 0, 1)]), Verdict::Append);
        assert_eq!(play(&[batch(0, i32::MAX - 1, 4), batch(0, 2, 1)]), Verdict::Append);
    }

    #[test]
    fn an_expired_producer_counts_as_unknown_before_it_is_forgotten() {
        let mut producers = Producers::default();
        producers.appended(&batch(3, 0, 1), 0, -1, 0, DAY_MS);
        assert_eq!(
            producers.judge(&batch(0, 9, 1), DAY_MS - 1, DAY_MS),
            Verdict::Refuse(ErrorCode::InvalidProducerEpoch)
        );
        assert_eq!(producers.judge(&batch(0, 9, 1), DAY_MS, DAY_MS), Verdict::Append);
        producers.forget_expired(DAY_MS, DAY_MS);
        assert!(producers.0.is_empty());
    }
}
