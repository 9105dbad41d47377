//! Compression of the records of a new batch, as Kafka's own producers do it.

use std::io::{self, Write};

use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

use super::snappy::{XERIAL_HEADER_BYTES, XERIAL_MAGIC};
use crate::Compression;

/// The blocks that xerial cuts its input into.
const XERIAL_BLOCK_BYTES: usize = 32 * 1024;

/// Appends `records`, compressed, to `out`.
pub(crate) fn compress(compression: Compression, records: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    match compression {
        Compression::None => out.extend_from_slice(records),
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::default());
            encoder.write_all(records)?;
            encoder.finish()?;
        }
        Compression::Snappy => snappy(records, out)?,
        Compression::Lz4 => {
            let info = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Independent);
            let mut encoder = FrameEncoder::with_frame_info(info, out);
            encoder.write_all(records)?;
            encoder.finish().map_err(io::Error::other)?;
        }
        Compression::Zstd => zstd::stream::copy_encode(records, out, zstd::DEFAULT_COMPRESSION_LEVEL)?,
    }
    Ok(())
}

fn snappy(records: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    const VERSION: [u8; 4] = 1_i32.to_be_bytes();
    const _: () = assert!(XERIAL_HEADER_BYTES == XERIAL_MAGIC.len() + 2 * VERSION.len());
    out.extend_from_slice(&XERIAL_MAGIC);
    out.extend_from_slice(&VERSION);
    out.extend_from_slice(&VERSION);
    let mut encoder = snap::raw::Encoder::new();
    for block in records.chunks(XERIAL_BLOCK_BYTES) {
        let compressed = encoder.compress_vec(block)?;
        // A compressed block of 32 KiB is far from 4 GiB.
        out.extend_from_slice(&(compressed.len() as u32).to_be_bytes());
        out.extend_from_slice(&compressed);
    }
    Ok(())
}
