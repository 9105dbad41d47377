//! Frames: four bytes of length, then that many bytes.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

use crate::Malformed;

/// Room for a connection from which nothing is known to come: an idle one costs no more.
const IDLE_BYTES: usize = 8 * 1024;

/// Room for a frame whose length alone has arrived: an announced length reserves nothing.
const ANNOUNCED_BYTES: usize = 64 * 1024;

/// Room for a frame once [`ANNOUNCED_BYTES`] of it have really arrived; what has arrived is
/// doubled from there. So a frame of a MiB is moved once, when it is small.
const ARRIVING_BYTES: usize = 1024 * 1024;

/// Cuts what arrives on a connection into frames, without copying.
///
/// ```
/// let mut frames = wire::FrameReader::new(1024);
/// frames.buffer().extend_from_slice(&[0, 0, 0, 2, b'h']);
/// assert_eq!(frames.next_frame().unwrap(), None);
/// frames.buffer().extend_from_slice(b"i");
/// assert_eq!(frames.next_frame().unwrap().unwrap(), "hi");
/// ```
#[derive(Debug)]
pub struct FrameReader {
    arrived: BytesMut,
    max_frame_bytes: usize,
}

impl FrameReader {
    /// A reader for a connection on which no frame may be longer than `max_frame_bytes`.
    pub fn new(max_frame_bytes: usize) -> Self {
        FrameReader { arrived: BytesMut::new(), max_frame_bytes }
    }

    /// Changes the limit for the frames to come (it may rise once a client is known).
    pub fn set_max_frame_bytes(&mut self, max_frame_bytes: usize) {
        self.max_frame_bytes = max_frame_bytes;
    }

    /// Where to append what the socket gives; has room for at least one byte more.
    pub fn buffer(&mut self) -> &mut BytesMut {
        let room = self.arrived.capacity() - self.arrived.len();
        if room == 0 || (self.arrived.is_empty() && room < IDLE_BYTES / 2) {
            self.arrived.reserve(self.wanted());
        }
        &mut self.arrived
    }

    /// The next whole frame without its length, or `None` until more has arrived.
    ///
    /// # Errors
    /// [`Malformed::FrameLength`] as soon as a length out of bounds is seen.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, Malformed> {
        let Some(length) = self.announced()?.filter(|length| self.arrived.len() >= 4 + length) else {
            return Ok(None);
        };
        self.arrived.advance(4);
        let frame = self.arrived.split_to(length).freeze();
        if self.arrived.is_empty() && length.max(self.arrived.capacity()) > IDLE_BYTES {
            self.arrived = BytesMut::new(); // lets go of a large frame's memory; a small one's is used again
        }
        Ok(Some(frame))
    }

    /// The length of the next frame, once its four bytes have arrived.
    ///
    /// # Errors
    /// [`Malformed::FrameLength`] if it is out of bounds.
    pub fn announced(&self) -> Result<Option<usize>, Malformed> {
        let Some(announced) = self.prefix() else { return Ok(None) };
        match usize::try_from(announced) {
            Ok(length) if length <= self.max_frame_bytes => Ok(Some(length)),
            _ => Err(Malformed::FrameLength { announced, allowed: self.max_frame_bytes }),
        }
    }

    /// Bytes that have arrived and are not yet part of a whole frame.
    pub fn pending_bytes(&self) -> usize {
        self.arrived.len()
    }

    fn prefix(&self) -> Option<i32> {
        let prefix = self.arrived.first_chunk::<4>()?;
        Some(i32::from_be_bytes(*prefix))
    }

    /// What is missing of the frame, as far as what has arrived makes it believable.
    fn wanted(&self) -> usize {
        let Some(announced) = self.prefix() else { return IDLE_BYTES };
        let missing = (4 + usize::try_from(announced).unwrap_or(0)).saturating_sub(self.arrived.len());
        let believed = match self.arrived.len() {
            ..ANNOUNCED_BYTES => ANNOUNCED_BYTES,
            arrived => arrived.max(ARRIVING_BYTES),
        };
        missing.clamp(1, believed)
    }
}

/// An encoded message, its length in front, in as many pieces as it takes to copy no records.
///
/// It is a [`Buf`]: `AsyncWriteExt::write_all_buf` sends it by `writev`.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    pieces: VecDeque<Bytes>,
    remaining: usize,
    own_bytes: usize,
}

impl Frame {
    /// A frame of pieces, `own_bytes` of which were written for it and not taken from elsewhere.
    pub(crate) fn from_pieces(pieces: VecDeque<Bytes>, own_bytes: usize) -> Self {
        let remaining = pieces.iter().map(Bytes::len).sum();
        Frame { pieces, remaining, own_bytes }
    }

    /// Adds another one, so that both are sent together.
    pub fn append(&mut self, mut next: Frame) {
        self.pieces.append(&mut next.pieces);
        self.remaining += next.remaining;
        self.own_bytes += next.own_bytes;
    }

    /// The memory that it takes by itself, without the records that it refers to.
    pub fn own_bytes(&self) -> usize {
        self.own_bytes
    }

    /// The pieces that are left to send, none of them empty.
    pub fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        self.pieces.iter()
    }

    /// All that is left to send in one piece; copies if it is in several.
    pub fn to_bytes(&self) -> Bytes {
        let mut whole = self.clone();
        whole.copy_to_bytes(self.remaining)
    }
}

impl Buf for Frame {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&[], |piece| piece)
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.remaining, "advanced {count} bytes of {} that are left", self.remaining);
        self.remaining -= count;
        while let Some(piece) = self.pieces.front_mut() {
            if count < piece.len() {
                piece.advance(count);
                return;
            }
            count -= piece.len();
            self.pieces.pop_front();
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let filled = slices.len().min(self.pieces.len());
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            *slice = IoSlice::new(piece);
        }
        filled
    }
}

#[cfg(test)]
mod tests;
