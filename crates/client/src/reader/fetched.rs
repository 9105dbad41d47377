//! Records as they came, and looking at them.

use bytes::Bytes;
use record::{BatchError, BatchView, MAX_DECOMPRESSED_BATCH_BYTES, RecordView, Records};

use crate::ClientError;

/// What one fetch brought of one partition: whole batches, at least one.
#[derive(Clone, Debug)]
pub struct Fetched {
    topic: String,
    partition: i32,
    from: i64,
    next: i64,
    high_watermark: i64,
    batches: Bytes,
}

impl Fetched {
    /// Finds out how far the batches reach; `None` if there is no whole one.
    pub(super) fn new(
        topic: &str,
        partition: i32,
        from: i64,
        high_watermark: i64,
        mut batches: Bytes,
    ) -> Result<Option<Self>, ClientError> {
        let (mut rest, mut next): (&[u8], i64) = (&batches, from);
        while !rest.is_empty() {
            match BatchView::split_first(rest) {
                Ok((batch, behind)) => (rest, next) = (behind, batch.last_offset().saturating_add(1).max(next)),
                // Brokers may cut the last batch where the answer would have grown too large.
                Err(BatchError::Truncated { .. }) => break,
                Err(why) => return Err(unreadable(topic, partition, next, next + 1, &why)),
            }
        }
        batches.truncate(batches.len() - rest.len());
        let whole = !batches.is_empty();
        Ok(whole.then(|| Fetched { topic: topic.to_owned(), partition, from, next, high_watermark, batches }))
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The partition.
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// The offset behind the last record.
    pub fn next_offset(&self) -> i64 {
        self.next
    }

    /// The end of the partition, as it was when this was read.
    pub fn high_watermark(&self) -> i64 {
        self.high_watermark
    }

    /// Looks at each record from the position on, in order; ends with the first error.
    ///
    /// # Errors
    /// Those of `each`, and [`ClientError::Unreadable`] for a batch that is damaged.
    pub fn for_each<E: From<ClientError>>(
        &self,
        mut each: impl FnMut(RecordView<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest: &[u8] = &self.batches;
        while let Ok((batch, behind)) = BatchView::split_first(rest) {
            rest = behind;
            if batch.attributes().is_control() {
                continue;
            }
            let (at, behind) = (batch.base_offset(), batch.last_offset().saturating_add(1));
            let damaged = |why: BatchError| unreadable(&self.topic, self.partition, at, behind, &why);
            batch.verify_crc().map_err(damaged)?;
            let records = Records::of(&batch, MAX_DECOMPRESSED_BATCH_BYTES).map_err(damaged)?;
            for record in &records {
                let record = record.map_err(damaged)?;
                if record.offset >= self.from {
                    each(record)?;
                }
            }
        }
        Ok(())
    }
}

fn unreadable(topic: &str, partition: i32, offset: i64, skip_to: i64, why: &BatchError) -> ClientError {
    ClientError::Unreadable { topic: topic.to_owned(), partition, offset, skip_to, why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::BatchBuilder;

    fn batch(base_offset: i64, values: &[&str]) -> Vec<u8> {
        let mut builder = BatchBuilder::new().base_offset(base_offset);
        values.iter().for_each(|value| builder.push(1000, None, Some(value.as_bytes()), &[]));
        builder.build().unwrap().to_vec()
    }

    fn fetched(from: i64, bytes: Vec<u8>) -> Option<Fetched> {
        Fetched::new("t", 0, from, 100, bytes.into()).unwrap()
    }

    fn values(fetched: &Fetched) -> Result<Vec<String>, ClientError> {
        let mut values = Vec::new();
        fetched.for_each(|record| {
            values.push(format!("{}={}", record.offset, String::from_utf8_lossy(record.value.unwrap_or_default())));
            Ok::<(), ClientError>(())
        })?;
        Ok(values)
    }

    #[test]
    fn records_before_the_position_are_passed_over() {
        let fetched = fetched(11, [batch(10, &["a", "b"]), batch(12, &["c"])].concat()).unwrap();
        assert_eq!(values(&fetched).unwrap(), ["11=b", "12=c"]);
        assert_eq!(fetched.next_offset(), 13);
    }

    #[test]
    fn a_batch_that_was_cut_off_is_left_for_the_next_fetch() {
        let (whole, cut) = (batch(0, &["a"]), batch(1, &["b"]));
        let both = [&whole[..], &cut[..cut.len() - 1]].concat();
        assert_eq!(fetched(0, both).unwrap().next_offset(), 1);
        assert!(fetched(1, cut[..30].to_vec()).is_none());
        assert!(fetched(0, Vec::new()).is_none());
    }

    #[test]
    fn damage_names_the_partition_and_where_to_go_on() {
        let mut bytes = batch(5, &["a", "b"]);
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let error = values(&fetched(5, bytes).unwrap()).unwrap_err().to_string();
        assert!(error.starts_with("t-0 cannot be read at offset 5: "), "{error}");
        assert!(error.ends_with("--offset 7`"), "{error}");
    }

    #[test]
    fn control_batches_are_not_shown() {
        let marker = BatchBuilder::new().base_offset(3).control().record(0, Some(b"\0\0\0\x01"), Some(b"x"));
        let fetched = fetched(3, [marker.build().unwrap().to_vec(), batch(4, &["a"])].concat()).unwrap();
        assert_eq!(values(&fetched).unwrap(), ["4=a"]);
    }
}
