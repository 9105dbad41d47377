//! The LZ4 frame format, block by block.
//!
//! The frames are read here rather than by a library because a frame states the size of its blocks up to 4 MiB, which
//! a decoder allocates and clears for each batch, however small. Here a block's buffer is bounded by what its
//! compressed bytes can make, and kept.
//!
//! Taken is what Kafka's own reader takes, since a consumer in Java must read what a broker took: one frame, whose
//! blocks do not depend on one another. What follows the frame is not looked at.

use std::hash::Hasher;

use lz4_flex::block::decompress_into;
use twox_hash::XxHash32;

const FRAME_MAGIC: u32 = 0x184D_2204;
const STORED_BLOCK: u32 = 1 << 31;

/// One byte of a long match's length makes 255 bytes.
const MAX_EXPANSION: usize = 255;

/// The descriptor's flag for blocks that do not depend on one another.
const INDEPENDENT: u8 = 0b10_0000;

pub(super) struct Lz4Frame<'a> {
    rest: &'a [u8],
    state: State,
}

enum State {
    Unread,
    Open(Frame),
    Ended,
}

/// What the frame's descriptor says.
struct Frame {
    max_block_bytes: usize,
    has_block_checksums: bool,
    content_checksum: Option<XxHash32>,
}

impl<'a> Lz4Frame<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Lz4Frame { rest: input, state: State::Unread }
    }

    /// Decompresses the next block that is not empty to the start of `out`. Returns its size, 0 at the end.
    pub(super) fn next(&mut self, out: &mut Vec<u8>) -> Result<usize, String> {
        let mut frame = match std::mem::replace(&mut self.state, State::Ended) {
            State::Unread => self.open()?,
            State::Open(frame) => frame,
            State::Ended => return Ok(0),
        };
        loop {
            let header = self.take_u32("a block's length")?;
            let length = (header & !STORED_BLOCK) as usize;
            if length == 0 {
                self.close(&frame)?;
                return Ok(0);
            }
            let block = self.take(length, "a block")?;
            if frame.has_block_checksums && self.take_u32("a block's checksum")? != XxHash32::oneshot(0, block) {
                return Err("a block's checksum is wrong".to_owned());
            }
            let written = frame.decode(block, header & STORED_BLOCK != 0, out)?;
            if written > 0 {
                self.state = State::Open(frame);
                return Ok(written);
            }
        }
    }

    /// Reads the frame's descriptor.
    fn open(&mut self) -> Result<Frame, String> {
        let magic = self.take_u32("a frame's magic")?;
        if magic != FRAME_MAGIC {
            return Err(format!("{magic:08x} is not the magic of a frame"));
        }
        let descriptor = self.rest;
        let flags = self.take_byte()?;
        let sizes = self.take_byte()?;
        let has = |bit: u8| flags & bit != 0;
        if flags >> 6 != 1 || has(0b10) || sizes & 0b1000_1111 != 0 {
            return Err("a frame has an unknown version or reserved bits".to_owned());
        }
        if has(0b1) {
            return Err("a frame needs a dictionary".to_owned());
        }
        if !has(INDEPENDENT) {
            return Err("blocks depend on one another, which Kafka's clients in Java cannot read: have the producer \
                        write independent ones"
                .to_owned());
        }
        if has(0b1000) {
            self.take(8, "a frame's content size")?;
        }
        let covered = &descriptor[..descriptor.len() - self.rest.len()];
        if self.take_byte()? != (XxHash32::oneshot(0, covered) >> 8) as u8 {
            return Err("a frame's header checksum is wrong".to_owned());
        }
        let max_block_bytes = match sizes >> 4 {
            size @ 4..=7 => 1 << (8 + 2 * size),
            size => return Err(format!("{size} is no size of blocks")),
        };
        Ok(Frame {
            max_block_bytes,
            has_block_checksums: has(0b1_0000),
            content_checksum: has(0b100).then(|| XxHash32::with_seed(0)),
        })
    }

    fn close(&mut self, frame: &Frame) -> Result<(), String> {
        let Some(computed) = &frame.content_checksum else { return Ok(()) };
        let stated = u64::from(self.take_u32("a frame's checksum")?);
        if stated == computed.finish() { Ok(()) } else { Err("a frame's checksum is wrong".to_owned()) }
    }

    fn take(&mut self, length: usize, what: &str) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(|| format!("{what} is cut short"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn take_byte(&mut self) -> Result<u8, String> {
        self.take(1, "a frame's descriptor").map(|byte| byte[0])
    }

    fn take_u32(&mut self, what: &str) -> Result<u32, String> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>().ok_or_else(|| format!("{what} is cut short"))?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*bytes))
    }
}

impl Frame {
    fn decode(&mut self, block: &[u8], stored: bool, out: &mut Vec<u8>) -> Result<usize, String> {
        let room = if stored { block.len() } else { block.len().saturating_mul(MAX_EXPANSION).saturating_add(64) };
        if stored && room > self.max_block_bytes {
            return Err("a block is larger than its frame allows".to_owned());
        }
        let room = room.min(self.max_block_bytes);
        if out.len() < room {
            out.resize(room, 0);
        }
        let out = &mut out[..room];
        let written = if stored {
            out.copy_from_slice(block);
            block.len()
        } else {
            decompress_into(block, out).map_err(|error| error.to_string())?
        };
        if let Some(checksum) = &mut self.content_checksum {
            checksum.write(&out[..written]);
        }
        Ok(written)
    }
}
