//! Giving a batch the codec that its topic asks for (`compression.type`).

use bytes::Bytes;

use crate::builder::BuildError;
use crate::compression::{compress, decompress};
use crate::header::{Attributes, BatchView, CRC_COVERS_FROM, HEADER_BYTES, OVERHEAD_BYTES, crc32c};
use crate::{BatchError, Compression};

/// Why a batch could not be written anew: under another codec, or with fewer records.
#[derive(Debug, thiserror::Error)]
pub enum RecompressError {
    /// It could not be read.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// It could not be written.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// The same records in the same order under another codec, with length and CRC set anew: to be done before a batch is
/// replicated. The records pass through memory whole, at most `limit` bytes of them.
pub fn recompress(batch: &BatchView<'_>, to: Compression, limit: u64) -> Result<Bytes, RecompressError> {
    let records = decompress(batch.attributes().compression()?, batch.body(), limit)?;
    let mut out = batch.bytes()[..HEADER_BYTES].to_vec();
    compress(to, &records, &mut out).map_err(|error| BuildError::Compression(to, error))?;
    let length = i32::try_from(out.len() - OVERHEAD_BYTES).map_err(|_| BuildError::TooLarge)?;
    let attributes = batch.attributes().0 & !Attributes::COMPRESSION | to.id();
    out[8..12].copy_from_slice(&length.to_be_bytes());
    out[21..23].copy_from_slice(&attributes.to_be_bytes());
    let crc = crc32c(&out[CRC_COVERS_FROM..]);
    out[17..21].copy_from_slice(&crc.to_be_bytes());
    Ok(out.into())
}
