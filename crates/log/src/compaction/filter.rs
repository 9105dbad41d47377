//! Which records stay. As `Cleaner.shouldRetainRecord` and `checkBatchRetention` of Kafka.

use std::sync::Arc;

use record::{BatchView, KeyedRecord, MAX_DECOMPRESSED_BATCH_BYTES, RecompressError, Retained, Retention, retain};

use super::CompactionOrder;
use super::key_map::KeyMap;

pub(super) struct Filter {
    map: KeyMap,
    mapped_to: i64,
    /// Where the segments end that may be compacted.
    end: i64,
    now_ms: i64,
    delete_horizon_ms: i64,
    last_batches: Arc<[(i64, i64)]>,
}

impl Filter {
    pub(super) fn new(map: KeyMap, mapped_to: i64, end: i64, order: &CompactionOrder) -> Self {
        Filter {
            map,
            mapped_to,
            end,
            now_ms: order.now_ms,
            delete_horizon_ms: order.now_ms.saturating_add(order.rules.delete_retention_ms),
            last_batches: order.last_batches.clone(),
        }
    }

    /// The offset up to which the map knows all keys.
    pub(super) fn mapped_to(&self) -> i64 {
        self.mapped_to
    }

    /// What is to stay of a batch, and whether there are tombstones in it that were given their time.
    pub(super) fn retain(&self, batch: &BatchView<'_>) -> Result<(Retained, bool), RecompressError> {
        // Markers end a transaction for its readers: they stay until there is something to tell which can go.
        if batch.attributes().is_control() || batch.base_offset() >= self.mapped_to {
            return Ok((Retained::Whole, false));
        }
        let attributes = batch.attributes();
        let drops_tombstones = attributes.has_delete_horizon() && batch.base_timestamp() <= self.now_ms;
        // A tombstone that was not looked at yet may have older records of its key before it.
        let is_mapped_whole = batch.last_offset() < self.mapped_to;
        let retention = Retention {
            limit: MAX_DECOMPRESSED_BATCH_BYTES,
            keep_emptied: self.is_last_of_its_producer(batch) || batch.last_offset() + 1 == self.end,
            delete_horizon_ms: is_mapped_whole.then_some(self.delete_horizon_ms),
        };
        let mut has_tombstones = false;
        let retained = retain(batch, &retention, |record| {
            let stays = self.stays(record, drops_tombstones);
            has_tombstones |= stays && record.is_tombstone;
            stays
        });
        match retained {
            // More than 2 GiB with another base timestamp, say: then it stays as it is.
            Err(RecompressError::Build(_)) => Ok((Retained::Whole, false)),
            retained => Ok((retained?, has_tombstones && is_mapped_whole)),
        }
    }

    fn stays(&self, record: &KeyedRecord<'_>, drops_tombstones: bool) -> bool {
        if record.offset >= self.mapped_to {
            return true;
        }
        // Records without a key came before the topic was compacted; nothing can ever replace them.
        let Some(key) = record.key else { return false };
        let is_last = self.map.get(key).is_none_or(|last| record.offset >= last);
        is_last && !(record.is_tombstone && drops_tombstones)
    }

    /// Whether the producer's sequence is known by this batch (KIP-98).
    fn is_last_of_its_producer(&self, batch: &BatchView<'_>) -> bool {
        let known = self.last_batches.binary_search_by_key(&batch.producer_id(), |(producer, _)| *producer);
        batch.producer_id() >= 0 && known.is_ok_and(|place| self.last_batches[place].1 == batch.base_offset())
    }
}
