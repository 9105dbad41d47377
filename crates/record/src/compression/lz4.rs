//! The LZ4 frame format, block by block.
//!
//! The frames are read here rather than by a library because a frame states the size of its blocks up to 4 MiB, which
//! a decoder allocates and clears for each batch, however small. Here a block's buffer is bounded by what its
//! compressed bytes can make, and kept.

use std::hash::Hasher;

use lz4_flex::block::{decompress_into, decompress_into_with_dict};
use twox_hash::XxHash32;

const FRAME_MAGIC: u32 = 0x184D_2204;
const SKIPPABLE_MAGIC: u32 = 0x184D_2A50;
const STORED_BLOCK: u32 = 1 << 31;

/// How far back the matches of a linked block reach.
const WINDOW_BYTES: usize = 64 * 1024;

/// One byte of a long match's length makes 255 bytes.
const MAX_EXPANSION: usize = 255;

pub(super) struct Lz4Frames<'a> {
    rest: &'a [u8],
    frame: Option<Frame>,
}

/// The frame that is being read.
struct Frame {
    max_block_bytes: usize,
    has_block_checksums: bool,
    content_checksum: Option<XxHash32>,
    /// The last 64 KiB of output, where blocks may refer to those before them.
    window: Option<Vec<u8>>,
}

impl<'a> Lz4Frames<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Lz4Frames { rest: input, frame: None }
    }

    /// Decompresses the next block that is not empty to the start of `out`. Returns its size, 0 at the end.
    pub(super) fn next(&mut self, out: &mut Vec<u8>) -> Result<usize, String> {
        loop {
            let Some(mut frame) = self.frame.take() else {
                if self.rest.is_empty() {
                    return Ok(0);
                }
                self.frame = self.open_frame()?;
                continue;
            };
            let header = self.take_u32("a block's length")?;
            if header == 0 {
                self.close_frame(&frame)?;
                continue;
            }
            let block = self.take((header & !STORED_BLOCK) as usize, "a block")?;
            if frame.has_block_checksums && self.take_u32("a block's checksum")? != XxHash32::oneshot(0, block) {
                return Err("a block's checksum is wrong".to_owned());
            }
            let written = frame.decode(block, header & STORED_BLOCK != 0, out)?;
            self.frame = Some(frame);
            if written > 0 {
                return Ok(written);
            }
        }
    }

    /// Reads a frame's descriptor; none if the frame is one to skip.
    fn open_frame(&mut self) -> Result<Option<Frame>, String> {
        let magic = self.take_u32("a frame's magic")?;
        if magic & !0xf == SKIPPABLE_MAGIC {
            let length = self.take_u32("a frame's length")? as usize;
            self.take(length, "a frame")?;
            return Ok(None);
        }
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
        Ok(Some(Frame {
            max_block_bytes,
            has_block_checksums: has(0b1_0000),
            content_checksum: has(0b100).then(|| XxHash32::with_seed(0)),
            window: (!has(0b10_0000)).then(Vec::new),
        }))
    }

    fn close_frame(&mut self, frame: &Frame) -> Result<(), String> {
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
            match &self.window {
                None => decompress_into(block, out),
                Some(window) => decompress_into_with_dict(block, out, window),
            }
            .map_err(|error| error.to_string())?
        };
        if let Some(window) = &mut self.window {
            slide(window, &out[..written]);
        }
        if let Some(checksum) = &mut self.content_checksum {
            checksum.write(&out[..written]);
        }
        Ok(written)
    }
}

/// Keeps the last 64 KiB of what was in `window` and `written`.
fn slide(window: &mut Vec<u8>, written: &[u8]) {
    let tail = &written[written.len().saturating_sub(WINDOW_BYTES)..];
    let excess = (window.len() + tail.len()).saturating_sub(WINDOW_BYTES);
    window.drain(..excess);
    window.extend_from_slice(tail);
}
