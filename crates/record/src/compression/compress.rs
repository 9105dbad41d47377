//! Compression of the records of a new batch, as Kafka's own producers do it.

use std::io::{self, Write};

use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

use super::snappy::{XERIAL_HEADER_BYTES, XERIAL_MAGIC};
use crate::Compression;

/// The blocks that xerial cuts its input into.
const XERIAL_BLOCK_BYTES: usize = 32 * 1024;

/// The level at which Kafka means LZ4's fast compressor; all others are levels of the thorough one, LZ4 HC (KIP-390).
const LZ4_FAST: i32 = 9;

/// From here on zstd would have windows of 32 to 128 MiB, and tables several times that.
const ZSTD_GREEDY_LEVEL: i32 = 20;

/// The window that those have instead: that of level 19, 8 MiB. Few batches are larger.
const ZSTD_WINDOW_LOG: u32 = 23;

/// A codec to write records with, and its level on the scale that Kafka's settings have (`compression.*.level`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Codec {
    /// Not compressed.
    None,
    /// Levels 1 to 9, or -1 for the codec's own.
    Gzip(i32),
    /// It has no levels.
    Snappy,
    /// Levels 1 to 17; 9 is the fast compressor, and those above 12 are as good as 12.
    Lz4(i32),
    /// Levels -131072 to 22.
    Zstd(i32),
}

impl Codec {
    /// What the records are marked with.
    pub fn compression(self) -> Compression {
        match self {
            Codec::None => Compression::None,
            Codec::Gzip(_) => Compression::Gzip,
            Codec::Snappy => Compression::Snappy,
            Codec::Lz4(_) => Compression::Lz4,
            Codec::Zstd(_) => Compression::Zstd,
        }
    }
}

/// With Kafka's default level.
impl From<Compression> for Codec {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::None => Codec::None,
            Compression::Gzip => Codec::Gzip(-1),
            Compression::Snappy => Codec::Snappy,
            Compression::Lz4 => Codec::Lz4(LZ4_FAST),
            Compression::Zstd => Codec::Zstd(3),
        }
    }
}

/// Appends `records`, compressed, to `out`.
pub(crate) fn compress(codec: Codec, records: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    compress_from(codec, records.len() as u64, out, |to| to.write_all(records))
}

/// Appends the `total` bytes that `feed` writes, compressed, to `out`. Holds a block of them at a time.
pub(crate) fn compress_from<E: From<io::Error>>(
    codec: Codec,
    total: u64,
    out: &mut dyn Write,
    feed: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    match codec {
        Codec::None => feed(out)?,
        Codec::Gzip(level) => {
            let level = u32::try_from(level).map_or_else(|_| Default::default(), flate2::Compression::new);
            let mut encoder = flate2::write::GzEncoder::new(out, level);
            feed(&mut encoder)?;
            encoder.finish()?;
        }
        Codec::Snappy => {
            let mut encoder = Xerial::new(out)?;
            feed(&mut encoder)?;
            encoder.put_block()?;
        }
        Codec::Lz4(LZ4_FAST) => {
            let info = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Independent);
            let mut encoder = FrameEncoder::with_frame_info(info, out);
            feed(&mut encoder)?;
            encoder.finish().map_err(io::Error::other)?;
        }
        Codec::Lz4(level) => {
            let mut encoder = lz4::EncoderBuilder::new()
                .level(u32::try_from(level).unwrap_or(1))
                .block_size(lz4::BlockSize::Max64KB)
                .block_mode(lz4::BlockMode::Independent)
                .checksum(lz4::ContentChecksum::NoChecksum)
                .build(out)?;
            feed(&mut encoder)?;
            encoder.finish().1?;
        }
        Codec::Zstd(level) => {
            let mut encoder = zstd::stream::Encoder::new(out, level)?;
            // Tables are sized by what comes, and by the window.
            encoder.set_pledged_src_size(Some(total))?;
            if level >= ZSTD_GREEDY_LEVEL {
                encoder.window_log(ZSTD_WINDOW_LOG)?;
            }
            feed(&mut encoder)?;
            encoder.finish()?;
        }
    }
    Ok(())
}

/// Snappy blocks in the frame that the Java library xerial puts around them.
struct Xerial<'a> {
    out: &'a mut dyn Write,
    block: Vec<u8>,
    encoder: snap::raw::Encoder,
}

impl<'a> Xerial<'a> {
    fn new(out: &'a mut dyn Write) -> io::Result<Self> {
        const VERSION: [u8; 4] = 1_i32.to_be_bytes();
        const _: () = assert!(XERIAL_HEADER_BYTES == XERIAL_MAGIC.len() + 2 * VERSION.len());
        out.write_all(&XERIAL_MAGIC)?;
        out.write_all(&VERSION)?;
        out.write_all(&VERSION)?;
        Ok(Xerial { out, block: Vec::new(), encoder: snap::raw::Encoder::new() })
    }

    fn put_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let compressed = self.encoder.compress_vec(&self.block)?;
        self.block.clear();
        // A compressed block of 32 KiB is far from 4 GiB.
        self.out.write_all(&(compressed.len() as u32).to_be_bytes())?;
        self.out.write_all(&compressed)
    }
}

impl Write for Xerial<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(XERIAL_BLOCK_BYTES - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == XERIAL_BLOCK_BYTES {
            self.put_block()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
