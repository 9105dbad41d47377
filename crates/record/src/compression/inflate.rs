//! One interface over all codecs: the decompressed bytes, a bounded chunk at a time.

use std::cell::RefCell;
use std::io::Read;

use flate2::bufread::MultiGzDecoder;

use super::lz4::Lz4Frame;
use super::snappy::SnappyBlocks;
use super::zstd_stream::ZstdFrames;
use crate::{BatchError, Compression};

/// What the codecs that can stop anywhere give at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// A thread's buffer is let go after use when a batch made it larger than this: what LZ4's largest block needs.
const RETAINED_BYTES: usize = 4 * 1024 * 1024;

/// What is kept from batch to batch, so that a check allocates nothing in the usual case.
#[derive(Default)]
pub(crate) struct Scratch {
    out: Vec<u8>,
    zstd: ZstdFrames,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Lends the thread's scratch. Holds no state that a caller could see, so runs stay reproducible.
pub(crate) fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    SCRATCH.with_borrow_mut(|scratch| {
        let result = work(scratch);
        if scratch.out.capacity() > RETAINED_BYTES {
            scratch.out = Vec::new();
        }
        scratch.zstd.release_if_larger_than(RETAINED_BYTES);
        result
    })
}

/// Decompresses `input` chunk by chunk; an error once the chunks together exceed `limit` bytes.
pub(crate) struct Inflater<'a> {
    codec: Codec<'a>,
    out: &'a mut Vec<u8>,
    filled: usize,
    total: u64,
    limit: u64,
}

enum Codec<'a> {
    None(&'a [u8]),
    Gzip(Box<MultiGzDecoder<&'a [u8]>>),
    Snappy(SnappyBlocks<'a>),
    Lz4(Box<Lz4Frame<'a>>),
    Zstd(&'a mut ZstdFrames, &'a [u8]),
}

impl<'a> Inflater<'a> {
    pub(crate) fn new(compression: Compression, input: &'a [u8], limit: u64, scratch: &'a mut Scratch) -> Self {
        let Scratch { out, zstd } = scratch;
        let codec = match compression {
            Compression::None => Codec::None(input),
            Compression::Gzip => Codec::Gzip(Box::new(MultiGzDecoder::new(input))),
            Compression::Snappy => Codec::Snappy(SnappyBlocks::new(input)),
            Compression::Lz4 => Codec::Lz4(Box::new(Lz4Frame::new(input))),
            Compression::Zstd => {
                zstd.restart();
                Codec::Zstd(zstd, input)
            }
        };
        Inflater { codec, out, filled: 0, total: 0, limit }
    }

    /// The present chunk.
    pub(crate) fn chunk(&self) -> &[u8] {
        &self.out[..self.filled]
    }

    /// Replaces the chunk by the next one, which is not empty; false at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, BatchError> {
        let room = self.limit.saturating_sub(self.total);
        let filled = match &mut self.codec {
            Codec::None(input) => fill(self.out, input),
            Codec::Gzip(decoder) => fill_from(self.out, decoder.as_mut()),
            Codec::Snappy(blocks) => blocks.next(self.out, room),
            Codec::Lz4(frame) => frame.next(self.out),
            Codec::Zstd(frames, input) => frames.next(input, chunk_of(self.out)),
        };
        self.filled = filled.map_err(|problem| BatchError::BadCompression(self.compression(), problem))?;
        self.total = self.total.saturating_add(self.filled as u64);
        if self.total > self.limit {
            self.filled = 0;
            return Err(BatchError::DecompressedTooLarge { what: "record batch".to_owned(), limit: self.limit });
        }
        Ok(self.filled > 0)
    }

    fn compression(&self) -> Compression {
        match self.codec {
            Codec::None(_) => Compression::None,
            Codec::Gzip(_) => Compression::Gzip,
            Codec::Snappy(_) => Compression::Snappy,
            Codec::Lz4(_) => Compression::Lz4,
            Codec::Zstd(..) => Compression::Zstd,
        }
    }
}

/// Everything that `input` decompresses to, at most `limit` bytes of it.
pub fn decompress(compression: Compression, input: &[u8], limit: u64) -> Result<Vec<u8>, BatchError> {
    with_scratch(|scratch| {
        let mut inflater = Inflater::new(compression, input, limit, scratch);
        let mut whole = Vec::new();
        while inflater.advance()? {
            whole.extend_from_slice(inflater.chunk());
        }
        Ok(whole)
    })
}

/// At least a chunk's room in the buffer.
fn chunk_of(out: &mut Vec<u8>) -> &mut [u8] {
    if out.len() < CHUNK_BYTES {
        out.resize(CHUNK_BYTES, 0);
    }
    &mut out[..CHUNK_BYTES]
}

fn fill(out: &mut Vec<u8>, input: &mut &[u8]) -> Result<usize, String> {
    input.read(chunk_of(out)).map_err(|error| error.to_string())
}

fn fill_from(out: &mut Vec<u8>, decoder: &mut impl Read) -> Result<usize, String> {
    decoder.read(chunk_of(out)).map_err(|error| error.to_string())
}
