//! A batch from its first record to its acknowledgement.

use bytes::Bytes;
use record::{BatchBuilder, BatchView, Compression, Header, Records};

use super::Record;
use crate::ClientError;

/// A producer id and its epoch, as the broker gave them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    id: i64,
    epoch: i16,
}

impl Identity {
    /// Of a producer that the broker cannot tell from others: what is sent again may be written twice.
    pub(super) const NONE: Identity = Identity { id: -1, epoch: -1 };

    pub(super) fn new(id: i64, epoch: i16) -> Self {
        Identity { id, epoch }
    }
}

/// A batch that takes records.
#[derive(Debug)]
pub(super) struct Open {
    partition: i32,
    builder: BatchBuilder,
    /// By [`Record::size_bytes`].
    size_bytes: usize,
}

impl Open {
    pub(super) fn new(partition: i32, compression: Compression) -> Self {
        Open { partition, builder: BatchBuilder::new().compression(compression), size_bytes: 0 }
    }

    pub(super) fn push(&mut self, timestamp: i64, record: &Record<'_>, size: usize) {
        self.builder.push(timestamp, record.key, record.value, record.headers);
        self.size_bytes += size;
    }

    pub(super) fn count(&self) -> i32 {
        self.builder.count()
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Numbers its records; none may come any more.
    pub(super) fn numbered(mut self, identity: Identity, base_sequence: i32) -> Self {
        if identity != Identity::NONE {
            self.builder = self.builder.producer(identity.id, identity.epoch, base_sequence);
        }
        self
    }

    /// Compresses it.
    pub(super) fn build(self) -> Result<Batch, ClientError> {
        let bytes = self.builder.build().map_err(|why| ClientError::Invalid(why.to_string()))?;
        Ok(Batch { partition: self.partition, count: self.builder.count(), bytes, size_bytes: self.size_bytes })
    }
}

/// A batch on its way.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) partition: i32,
    pub(super) count: i32,
    pub(super) bytes: Bytes,
    /// What it takes of the buffer.
    pub(super) size_bytes: usize,
}

impl Batch {
    /// Its two halves, for a topic that takes only smaller batches. A single record has none.
    pub(super) fn split(&self) -> Result<Option<[Batch; 2]>, ClientError> {
        if self.count < 2 {
            return Ok(None);
        }
        let invalid = |why: &dyn std::fmt::Display| ClientError::Invalid(format!("a batch cannot be split: {why}"));
        let batch = BatchView::new(&self.bytes).map_err(|why| invalid(&why))?;
        let compression = batch.attributes().compression().map_err(|why| invalid(&why))?;
        let records = Records::of(&batch, u64::MAX).map_err(|why| invalid(&why))?;
        let first_count = self.count / 2;
        let mut halves = [Open::new(self.partition, compression), Open::new(self.partition, compression)];
        for (place, record) in records.iter().enumerate() {
            let record = record.map_err(|why| invalid(&why))?;
            let headers: Vec<Header<'_>> = record.headers.iter().collect();
            let again = Record { key: record.key, value: record.value, headers: &headers, ..Record::default() };
            let half = usize::from(place >= first_count as usize);
            halves[half].push(record.timestamp, &again, again.size_bytes());
        }
        let identity = Identity::new(batch.producer_id(), batch.producer_epoch());
        let [first, second] = halves;
        let second_sequence = after(batch.base_sequence(), first_count);
        let mut halves = [
            first.numbered(identity, batch.base_sequence()).build()?,
            second.numbered(identity, second_sequence).build()?,
        ];
        // Together they give back to the buffer what the whole took.
        halves[1].size_bytes = self.size_bytes.saturating_sub(halves[0].size_bytes);
        Ok(Some(halves))
    }
}

/// The sequence number `count` records on; it wraps to 0 (KIP-98).
pub(super) fn after(sequence: i32, count: i32) -> i32 {
    let next = (i64::from(sequence) + i64::from(count)) % (1 << 31);
    i32::try_from(next).expect("less than 2^31")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch_of(values: &[&str], compression: Compression) -> Batch {
        let mut open = Open::new(3, compression);
        for value in values {
            let headers = [Header { key: b"h", value: Some(b"v") }];
            let record =
                Record { key: Some(b"k"), value: Some(value.as_bytes()), headers: &headers, ..Record::default() };
            open.push(1000, &record, record.size_bytes());
        }
        open.numbered(Identity::new(7, 1), i32::MAX - 1).build().unwrap()
    }

    fn values(batch: &Batch) -> Vec<String> {
        record::check(&batch.bytes, &record::Limits::default()).unwrap();
        let view = BatchView::new(&batch.bytes).unwrap();
        let records = Records::of(&view, u64::MAX).unwrap();
        records.iter().map(|record| String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap()).collect()
    }

    #[test]
    fn halves_hold_the_same_records_under_the_same_sequence_numbers() {
        for compression in Compression::ALL {
            let whole = batch_of(&["a", "b", "c", "d", "e"], compression);
            let [first, second] = whole.split().unwrap().unwrap();
            assert_eq!(
                (values(&first), values(&second)),
                (vec!["a".into(), "b".into()], vec!["c".into(), "d".into(), "e".into()])
            );
            let sequence = |batch: &Batch| BatchView::new(&batch.bytes).unwrap().base_sequence();
            assert_eq!((sequence(&first), sequence(&second)), (i32::MAX - 1, 0), "sequence numbers wrap");
            assert_eq!(first.size_bytes + second.size_bytes, whole.size_bytes);
        }
    }

    #[test]
    fn a_single_record_cannot_be_split() {
        assert!(batch_of(&["a"], Compression::None).split().unwrap().is_none());
    }
}
