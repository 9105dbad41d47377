//! Giving a batch the codec that its topic asks for (`compression.type`).

use std::io::{self, Write};

use bytes::Bytes;

use crate::builder::BuildError;
use crate::compression::{Codec, Inflater, compress_from, with_scratch};
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
    /// It would be larger than it may.
    #[error("record batch is larger than {limit} bytes when its records are stored as {codec}")]
    TooLarge {
        /// How they were to be compressed.
        codec: Compression,
        /// Most bytes that the batch may have.
        limit: usize,
    },
}

/// How a batch is to be written anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recompression {
    /// The codec.
    pub to: Codec,
    /// What the records come to when they are not compressed: [`BatchInfo::records_bytes`](crate::BatchInfo).
    pub records_bytes: u64,
    /// Most bytes that the batch may have then, its header included.
    pub max_batch_bytes: usize,
}

/// The same records in the same order under another codec, with length and CRC set anew: to be done before a batch is
/// replicated. All else that the header says stays, but for flags that no producer has any business to set, as in
/// Kafka's `LogValidator`.
///
/// Records pass through memory a block at a time; only what the batch becomes is held whole. The batch must have passed
/// the [check](crate::check).
pub fn recompress(batch: &BatchView<'_>, how: &Recompression) -> Result<Bytes, RecompressError> {
    let codec = how.to.compression();
    let too_large = || RecompressError::TooLarge { codec, limit: how.max_batch_bytes };
    let mut out = Bounded { bytes: Vec::new(), limit: how.max_batch_bytes, is_full: false };
    let written = out.write_all(&batch.bytes()[..HEADER_BYTES]).map_err(Failure::Write).and_then(|()| {
        compress_from(how.to, how.records_bytes, &mut out, |to| inflate_into(batch, how.records_bytes, to))
    });
    match written {
        Ok(()) => {}
        Err(Failure::Write(_)) if out.is_full => return Err(too_large()),
        Err(Failure::Write(error)) => return Err(BuildError::Compression(codec, error).into()),
        Err(Failure::Read(error)) => return Err(error.into()),
    }
    let mut out = out.bytes;
    let length = i32::try_from(out.len() - OVERHEAD_BYTES).map_err(|_| BuildError::TooLarge)?;
    const KEPT: i16 = Attributes::LOG_APPEND_TIME | Attributes::TRANSACTIONAL | Attributes::CONTROL;
    let attributes = batch.attributes().0 & KEPT | codec.id();
    out[8..12].copy_from_slice(&length.to_be_bytes());
    out[21..23].copy_from_slice(&attributes.to_be_bytes());
    let crc = crc32c(&out[CRC_COVERS_FROM..]);
    out[17..21].copy_from_slice(&crc.to_be_bytes());
    Ok(out.into())
}

fn inflate_into(batch: &BatchView<'_>, limit: u64, to: &mut dyn Write) -> Result<(), Failure> {
    let compression = batch.attributes().compression()?;
    if compression == Compression::None {
        return Ok(to.write_all(batch.body())?);
    }
    with_scratch(|scratch| {
        let mut inflater = Inflater::new(compression, batch.body(), limit, scratch);
        while inflater.advance()? {
            to.write_all(inflater.chunk())?;
        }
        Ok(())
    })
}

/// What ended a copy of records from one codec to another.
pub(crate) enum Failure {
    Read(BatchError),
    Write(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Write(error)
    }
}

impl From<BatchError> for Failure {
    fn from(error: BatchError) -> Self {
        Failure::Read(error)
    }
}

/// Bytes that do not grow beyond a limit.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
    is_full: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.limit - self.bytes.len() {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
