//! Record batches.

use bytes::Bytes;
use record::BatchBuilder;

/// A time long ago: only a topic with bounds minds.
pub(crate) const SOME_TIME: i64 = 1_000_000;

/// A batch of one record for each value.
pub(crate) fn batch(values: &[&str]) -> Bytes {
    fill(BatchBuilder::new(), values)
}

/// Puts a record for each value into a batch.
pub(crate) fn fill(builder: BatchBuilder, values: &[&str]) -> Bytes {
    let fill = |builder: BatchBuilder, (place, value): (usize, &&str)| {
        let time = SOME_TIME + i64::try_from(place).unwrap();
        builder.record(time, Some(b"key"), Some(value.as_bytes()))
    };
    values.iter().enumerate().fold(builder, fill).build().unwrap()
}
