//! What leaves: frames in the order of their urgency, in as few writes as it takes, without copying parts.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};

use crate::frame::{HEAD_BYTES, Head, What};
use crate::{Message, Stream, Urgency};

/// Made ready to be written at a time. What is urgent waits for no more than this and a piece.
const READY_BYTES: usize = 256 << 10;

/// A bulk message is cut into pieces of this length, between which urgent frames go: at 1 Gbit/s each holds
/// them up for a millisecond.
const PIECE_BYTES: usize = 128 << 10;

/// A part that is no longer is cheaper to copy than to list.
const COPIED_BYTES: usize = 512;

/// Parts listed in one write.
const MAX_SLICES: usize = 128;

/// What leaves on a connection.
#[derive(Default)]
pub(crate) struct Departing {
    /// To be written, in this order; then what is in `heads`.
    slices: VecDeque<Bytes>,
    heads: BytesMut,
    ready_bytes: usize,
    needs_flush: bool,
    /// The bulk message that is being cut into pieces.
    bulk: Option<Sending>,
}

struct Sending {
    what: What,
    kind: u8,
    call: u64,
    parts: VecDeque<Bytes>,
    left: usize,
}

impl Departing {
    /// Whether more may be made ready.
    pub(crate) fn has_room(&self) -> bool {
        self.ready_bytes < READY_BYTES
    }

    /// Whether a bulk message may be begun.
    pub(crate) fn is_between_messages(&self) -> bool {
        self.bulk.is_none()
    }

    /// Whether all that was made ready has left.
    pub(crate) fn is_flushed(&self) -> bool {
        self.ready_bytes == 0 && !self.needs_flush
    }

    /// Makes a frame ready that has no parts.
    pub(crate) fn put(&mut self, head: Head, body: &Bytes) {
        self.put_frame(head, std::slice::from_ref(body));
    }

    /// Makes a message ready, or the first piece of it.
    pub(crate) fn put_message(&mut self, what: What, lane: Urgency, (kind, call): (u8, u64), message: Message) {
        let left = message.bytes();
        let Message { head, mut parts } = message;
        parts.insert(0, head);
        match lane {
            Urgency::Urgent => self.put_frame(Head { kind, ..Head::whole(what, lane, call, left) }, &parts),
            Urgency::Bulk => {
                assert!(self.bulk.is_none(), "bulk messages leave one after another");
                self.bulk = Some(Sending { what, kind, call, parts: parts.into(), left });
                self.put_piece();
            }
        }
    }

    /// Makes the next piece of a bulk message ready; false if there is none.
    pub(crate) fn put_piece(&mut self) -> bool {
        let Some(sending) = &mut self.bulk else { return false };
        let length = sending.left.min(PIECE_BYTES);
        sending.left -= length;
        let (mut room, mut piece) = (length, Vec::with_capacity(sending.parts.len().min(MAX_SLICES)));
        while room > 0 {
            let part = sending.parts.front_mut().expect("parts add up to the message's length");
            let taken = part.split_to(part.len().min(room));
            room -= taken.len();
            piece.push(taken);
            if part.is_empty() {
                sending.parts.pop_front();
            }
        }
        let Sending { what, kind, call, left, .. } = *sending;
        let head = Head { what, kind, lane: Urgency::Bulk, call, length: length as u32, left: left as u32 };
        if left == 0 {
            self.bulk = None;
        }
        self.put_frame(head, &piece);
        true
    }

    fn put_frame(&mut self, head: Head, parts: &[Bytes]) {
        self.heads.extend_from_slice(&head.encode(parts.iter().map(|part| &part[..])));
        for part in parts {
            if part.len() <= COPIED_BYTES {
                self.heads.extend_from_slice(part);
            } else {
                self.list_heads();
                self.slices.push_back(part.clone());
            }
        }
        self.ready_bytes += HEAD_BYTES + head.length as usize;
    }

    fn list_heads(&mut self) {
        if !self.heads.is_empty() {
            self.slices.push_back(self.heads.split().freeze());
        }
    }

    /// Writes once, or flushes what was written. Ready with 0 when there was nothing to do.
    pub(crate) fn poll_write(&mut self, stream: &mut dyn Stream, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.list_heads();
        let mut stream = Pin::new(stream);
        if self.slices.is_empty() {
            if self.needs_flush {
                ready!(stream.poll_flush(cx))?;
                self.needs_flush = false;
            }
            return Poll::Ready(Ok(0));
        }
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        slices.iter_mut().zip(&self.slices).for_each(|(slice, part)| *slice = IoSlice::new(part));
        let listed = self.slices.len().min(MAX_SLICES);
        let written = ready!(stream.as_mut().poll_write_vectored(cx, &slices[..listed]))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.advance(written);
        self.needs_flush = true;
        Poll::Ready(Ok(written))
    }

    fn advance(&mut self, mut written: usize) {
        self.ready_bytes -= written;
        while written > 0 {
            let part = self.slices.front_mut().expect("no more was written than was listed");
            let taken = part.len().min(written);
            part.advance(taken);
            written -= taken;
            if part.is_empty() {
                self.slices.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests;
