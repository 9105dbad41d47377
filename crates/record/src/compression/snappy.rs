//! Snappy, raw as most clients write it, or in the frames of the Java library xerial.
//!
//! A frame starts with an 8-byte magic and two 4-byte versions; then come blocks, each behind its 4-byte big-endian
//! length. A raw block can't be decompressed in pieces, since its copies reach back to its start.

/// What xerial's stream starts with.
pub(super) const XERIAL_MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];

/// Magic, version, and least compatible version.
pub(super) const XERIAL_HEADER_BYTES: usize = 16;

/// The most that three bytes (a copy with a 2-byte offset) can make is 64 bytes: about 21 times.
/// A block that states more is refused before anything is allocated for it.
const MAX_EXPANSION: u64 = 22;

pub(super) struct SnappyBlocks<'a> {
    rest: &'a [u8],
    framed: bool,
}

impl<'a> SnappyBlocks<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        SnappyBlocks { rest: input, framed: input.starts_with(&XERIAL_MAGIC) }
    }

    /// Decompresses the next block that is not empty into `out`. Returns its size, 0 at the end.
    /// A block of more than `room` bytes is not decompressed: its size alone is over the caller's limit.
    pub(super) fn next(&mut self, out: &mut Vec<u8>, room: u64) -> Result<usize, String> {
        while !self.rest.is_empty() {
            let block = self.take_block()?;
            let size = decompressed_size(block)?;
            if size > room {
                return Ok(usize::try_from(size).unwrap_or(usize::MAX));
            }
            // Above `room` was refused, and `room` is a bound of memory.
            let size = size as usize;
            if out.len() < size {
                out.resize(size, 0);
            }
            let written = snap::raw::Decoder::new().decompress(block, out).map_err(|error| error.to_string())?;
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }

    fn take_block(&mut self) -> Result<&'a [u8], String> {
        if !self.framed {
            return Ok(std::mem::take(&mut self.rest));
        }
        // Streams may be concatenated: a header may stand wherever a block may.
        while self.rest.starts_with(&XERIAL_MAGIC) {
            self.rest = self.rest.get(XERIAL_HEADER_BYTES..).ok_or("a frame's header is cut short")?;
        }
        if self.rest.is_empty() {
            return Ok(&[0]);
        }
        let (length, rest) = self.rest.split_first_chunk::<4>().ok_or("a block's length is cut short")?;
        let length = u32::from_be_bytes(*length) as usize;
        let (block, rest) = rest.split_at_checked(length).ok_or("a block is cut short")?;
        self.rest = rest;
        Ok(block)
    }
}

fn decompressed_size(block: &[u8]) -> Result<u64, String> {
    let stated = snap::raw::decompress_len(block).map_err(|error| error.to_string())? as u64;
    if stated > MAX_EXPANSION * block.len() as u64 {
        return Err(format!("a block of {} bytes states to hold {stated}", block.len()));
    }
    Ok(stated)
}
