//! The walk over a batch's records that looks at lengths only: it allocates nothing and keeps nothing.

use crate::compression::{Inflater, with_scratch};
use crate::header::BatchView;
use crate::varint::{MAX_VARINT_BYTES, MAX_VARLONG_BYTES, zigzag_decode};
use crate::{BatchError, Compression};

/// What the walk tells of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    /// Its place in the batch, from 0.
    pub(crate) index: i32,
    pub(crate) offset_delta: i32,
    pub(crate) timestamp_delta: i64,
    pub(crate) has_key: bool,
    pub(crate) size_bytes: u64,
}

/// Visits every record of a batch, decompressing at most `limit` bytes. The records must be as many as the header
/// says and fill the batch exactly.
pub(crate) fn walk(
    batch: &BatchView<'_>,
    limit: u64,
    mut visit: impl FnMut(Shape) -> Result<(), BatchError>,
) -> Result<(), BatchError> {
    match batch.attributes().compression()? {
        Compression::None => walk_source(&mut Plain { bytes: batch.body(), at: 0 }, batch.count(), &mut visit),
        _ => with_inflated(batch, limit, |source| walk_source(source, batch.count(), &mut visit)),
    }
}

/// Lends the records of a batch as one run of bytes, which passes through the thread's buffer a chunk at a time. At most
/// `limit` bytes are decompressed.
pub(crate) fn with_inflated<T, E: From<BatchError>>(
    batch: &BatchView<'_>,
    limit: u64,
    work: impl FnOnce(&mut Inflated<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let compression = batch.attributes().compression()?;
    with_scratch(|scratch| {
        let inflater = Inflater::new(compression, batch.body(), limit, scratch);
        work(&mut Inflated { inflater, at: 0, before_chunk: 0 })
    })
}

fn walk_source<S: Source>(
    source: &mut S,
    count: i32,
    visit: &mut impl FnMut(Shape) -> Result<(), BatchError>,
) -> Result<(), BatchError> {
    for index in 0..count {
        let shape = walk_record(source, index)?;
        visit(shape)?;
    }
    if source.at_end()? { Ok(()) } else { Err(BatchError::BadHeader("more records than its count says")) }
}

/// Reads one record's lengths. KIP-98 has the layout: length, attributes, timestamp delta, offset delta, key, value,
/// headers.
fn walk_record<S: Source>(source: &mut S, index: i32) -> Result<Shape, BatchError> {
    let bad = |problem| BatchError::BadRecord { index, problem };
    let before = source.position();
    let length = varint(source, index)?;
    let start = source.position();
    let end = start + u64::try_from(length).map_err(|_| bad("its length is negative"))?;
    source.byte(index)?;
    let timestamp_delta = varlong(source, index)?;
    let offset_delta = varint(source, index)?;
    let key = varint(source, index)?;
    skip_nullable(source, key, index)?;
    let value = varint(source, index)?;
    skip_nullable(source, value, index)?;
    let headers = varint(source, index)?;
    if headers < 0 {
        return Err(bad("its number of headers is negative"));
    }
    for _ in 0..headers {
        let key = varint(source, index)?;
        let key = u64::try_from(key).map_err(|_| bad("a header has no key"))?;
        source.skip(key, index)?;
        let value = varint(source, index)?;
        skip_nullable(source, value, index)?;
        if source.position() > end {
            return Err(bad("its headers reach beyond its length"));
        }
    }
    if source.position() != end {
        return Err(bad("its length is not that of its fields"));
    }
    Ok(Shape { index, offset_delta, timestamp_delta, has_key: key >= 0, size_bytes: end - before })
}

/// Bytes, one after the other, wherever they come from.
pub(crate) trait Source {
    /// How many bytes were passed so far.
    fn position(&self) -> u64;
    fn byte(&mut self, index: i32) -> Result<u8, BatchError>;
    fn skip(&mut self, bytes: u64, index: i32) -> Result<(), BatchError>;
    fn at_end(&mut self) -> Result<bool, BatchError>;
}

const CUT_SHORT: &str = "it reaches beyond the end of the batch";

/// Records that are not compressed.
struct Plain<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Source for Plain<'_> {
    fn position(&self) -> u64 {
        self.at as u64
    }

    #[inline]
    fn byte(&mut self, index: i32) -> Result<u8, BatchError> {
        let byte = *self.bytes.get(self.at).ok_or(BatchError::BadRecord { index, problem: CUT_SHORT })?;
        self.at += 1;
        Ok(byte)
    }

    #[inline]
    fn skip(&mut self, bytes: u64, index: i32) -> Result<(), BatchError> {
        if bytes > (self.bytes.len() - self.at) as u64 {
            return Err(BatchError::BadRecord { index, problem: CUT_SHORT });
        }
        self.at += bytes as usize;
        Ok(())
    }

    fn at_end(&mut self) -> Result<bool, BatchError> {
        Ok(self.at == self.bytes.len())
    }
}

/// Records behind a codec.
pub(crate) struct Inflated<'a> {
    inflater: Inflater<'a>,
    /// Where in the present chunk.
    at: usize,
    /// The sizes of the chunks before it.
    before_chunk: u64,
}

impl Inflated<'_> {
    /// Gives the next `bytes` bytes in pieces.
    pub(crate) fn pass<E: From<BatchError>>(
        &mut self,
        mut bytes: u64,
        index: i32,
        mut to: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while bytes > 0 {
            let here = &self.inflater.chunk()[self.at..];
            let piece = &here[..here.len().min(usize::try_from(bytes).unwrap_or(usize::MAX))];
            to(piece)?;
            self.at += piece.len();
            bytes -= piece.len() as u64;
            if bytes > 0 && !self.advance()? {
                return Err(BatchError::BadRecord { index, problem: CUT_SHORT }.into());
            }
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<bool, BatchError> {
        self.before_chunk += self.inflater.chunk().len() as u64;
        self.at = 0;
        self.inflater.advance()
    }
}

impl Source for Inflated<'_> {
    fn position(&self) -> u64 {
        self.before_chunk + self.at as u64
    }

    #[inline]
    fn byte(&mut self, index: i32) -> Result<u8, BatchError> {
        loop {
            if let Some(byte) = self.inflater.chunk().get(self.at) {
                self.at += 1;
                return Ok(*byte);
            }
            if !self.advance()? {
                return Err(BatchError::BadRecord { index, problem: CUT_SHORT });
            }
        }
    }

    fn skip(&mut self, mut bytes: u64, index: i32) -> Result<(), BatchError> {
        loop {
            let here = (self.inflater.chunk().len() - self.at) as u64;
            if bytes <= here {
                self.at += bytes as usize;
                return Ok(());
            }
            bytes -= here;
            if !self.advance()? {
                return Err(BatchError::BadRecord { index, problem: CUT_SHORT });
            }
        }
    }

    fn at_end(&mut self) -> Result<bool, BatchError> {
        Ok(self.at == self.inflater.chunk().len() && !self.advance()?)
    }
}

fn skip_nullable<S: Source>(source: &mut S, length: i32, index: i32) -> Result<(), BatchError> {
    // Kafka takes any negative length for null.
    source.skip(u64::try_from(length).unwrap_or(0), index)
}

#[inline]
pub(crate) fn varint<S: Source>(source: &mut S, index: i32) -> Result<i32, BatchError> {
    let value = unsigned(source, MAX_VARINT_BYTES, index)?;
    // The fifth byte may carry bits above the 32nd; Kafka drops them, we do not guess.
    let value = u32::try_from(value).map_err(|_| BatchError::BadRecord { index, problem: "a varint is too long" })?;
    Ok(zigzag_decode(u64::from(value)) as i32)
}

#[inline]
pub(crate) fn varlong<S: Source>(source: &mut S, index: i32) -> Result<i64, BatchError> {
    unsigned(source, MAX_VARLONG_BYTES, index).map(zigzag_decode)
}

#[inline]
fn unsigned<S: Source>(source: &mut S, max_bytes: usize, index: i32) -> Result<u64, BatchError> {
    let mut value = 0_u64;
    for place in 0..max_bytes {
        let byte = source.byte(index)?;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(BatchError::BadRecord { index, problem: "a varint is too long" })
}
