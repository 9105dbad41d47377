//! The walk over a batch's records that compaction makes: it looks at keys, and holds one at a time.

use std::ops::ControlFlow;

use crate::header::BatchView;
use crate::walk::{Inflated, Source, varint, varlong, with_inflated};
use crate::{BatchError, Compression};

/// What compaction goes by, of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyedRecord<'a> {
    /// The offset in the partition.
    pub offset: i64,
    /// What the record is about; compaction drops records without one.
    pub key: Option<&'a [u8]>,
    /// Whether it has no value, and so says that the key is gone.
    pub is_tombstone: bool,
}

/// Visits the records of a batch in order, until there are no more or `visit` breaks off, which is what comes back then.
///
/// At most `limit` bytes are decompressed; of them a chunk is held, and a record's key. The CRC is not checked.
pub fn walk_keys<B>(
    batch: &BatchView<'_>,
    limit: u64,
    mut visit: impl FnMut(&KeyedRecord<'_>) -> ControlFlow<B>,
) -> Result<Option<B>, BatchError> {
    walk(batch, limit, |_, record| visit(record))
}

/// The same, with what is needed to copy a record.
pub(crate) fn walk<B>(
    batch: &BatchView<'_>,
    limit: u64,
    mut visit: impl FnMut(&Head, &KeyedRecord<'_>) -> ControlFlow<B>,
) -> Result<Option<B>, BatchError> {
    with_records(batch, limit, |source| {
        let mut key = Vec::new();
        for index in 0..batch.count() {
            let head = Head::read(source, index)?;
            let tail = source.position();
            let offset = batch.base_offset().saturating_add(i64::from(varint(source, index)?));
            let key_length = u64::try_from(varint(source, index)?).ok();
            key.clear();
            source.pass(key_length.unwrap_or(0), index, |piece| {
                key.extend_from_slice(piece);
                Ok::<(), BatchError>(())
            })?;
            let value_length = u64::try_from(varint(source, index)?).ok();
            let left = (tail + head.tail_bytes).checked_sub(source.position());
            let left = left.filter(|left| *left >= value_length.unwrap_or(0));
            let left = left.ok_or(BatchError::BadRecord { index, problem: "its fields reach beyond its length" })?;
            source.skip(left, index)?;
            let key = key_length.map(|_| &key[..]);
            if let ControlFlow::Break(found) =
                visit(&head, &KeyedRecord { offset, key, is_tombstone: value_length.is_none() })
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    })
}

/// Lends the records of a batch, compressed or not.
pub(crate) fn with_records<T, E: From<BatchError>>(
    batch: &BatchView<'_>,
    limit: u64,
    work: impl FnOnce(&mut Inflated<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let limit = match batch.attributes().compression()? {
        Compression::None => batch.body().len() as u64,
        _ => limit,
    };
    with_inflated(batch, limit, work)
}

/// How a record begins. KIP-98 has the layout.
pub(crate) struct Head {
    pub(crate) attributes: u8,
    pub(crate) timestamp_delta: i64,
    /// The bytes of all that follows: offset delta, key, value, headers.
    pub(crate) tail_bytes: u64,
}

impl Head {
    pub(crate) fn read<S: Source>(source: &mut S, index: i32) -> Result<Self, BatchError> {
        let length = varint(source, index)?;
        let start = source.position();
        let attributes = source.byte(index)?;
        let timestamp_delta = varlong(source, index)?;
        let tail_bytes = u64::try_from(length).ok().and_then(|length| length.checked_sub(source.position() - start));
        let tail_bytes = tail_bytes.ok_or(BatchError::BadRecord { index, problem: "its length is too small" })?;
        Ok(Head { attributes, timestamp_delta, tail_bytes })
    }
}
