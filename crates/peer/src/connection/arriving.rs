//! Cuts what arrives into frames, and puts the pieces of a message into the one buffer that it leaves in.

use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::FutureExt;
use tokio::io::AsyncReadExt;

use crate::frame::{Check, HEAD_BYTES, Head, Violation, What};
use crate::{MAX_MESSAGE_BYTES, MAX_URGENT_BYTES, Stream, Urgency};

/// Read at once when anything may come: small frames share a read.
const STAGED_BYTES: usize = 16 << 10;

/// Read at once between two pieces of a message, since what comes along with the head is copied.
const BETWEEN_BYTES: usize = 2 << 10;

/// Cuts what arrives into frames. Small ones are copied out of the place where all is staged; a bulk message
/// is read into a buffer of its own, which has its exact length.
#[derive(Default)]
pub(crate) struct Arriving {
    staged: BytesMut,
    /// A message of which not all has come. There is one at a time.
    bulk: Option<Bulk>,
}

struct Bulk {
    /// Of its first frame.
    head: Head,
    buffer: BytesMut,
    /// In later frames.
    left: usize,
    /// The frame that is arriving: its check, and how much of it has not come.
    frame: Option<(Check, usize)>,
}

/// What came of looking at the bytes that are there.
enum Step {
    Whole(Head, Bytes),
    More,
    Again,
}

impl Arriving {
    /// Reads once.
    pub(crate) fn poll_read(&mut self, stream: &mut dyn Stream, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if let Some(Bulk { buffer, frame: Some((check, missing)), .. }) = &mut self.bulk {
            let from = buffer.len();
            let read = ready!(pin!(stream.read_buf(&mut buffer.limit(*missing))).poll_unpin(cx))?;
            check.update(&buffer[from..]);
            *missing -= read;
            return Poll::Ready(Ok(read));
        }
        let wanted = if self.bulk.is_some() { BETWEEN_BYTES } else { STAGED_BYTES };
        self.staged.reserve(wanted);
        pin!(stream.read_buf(&mut (&mut self.staged).limit(wanted))).poll_unpin(cx)
    }

    /// The next whole frame; in the bulk lane, the next whole message with the head of its first frame.
    ///
    /// # Errors
    /// When what arrived can't be what a broker sends: nothing can be made of what follows.
    pub(crate) fn next(&mut self) -> Result<Option<(Head, Bytes)>, Violation> {
        loop {
            match self.step()? {
                Step::Whole(head, body) => return Ok(Some((head, body))),
                Step::More => return Ok(None),
                Step::Again => {}
            }
        }
    }

    fn step(&mut self) -> Result<Step, Violation> {
        let Some(Bulk { frame: Some(frame), buffer, .. }) = &mut self.bulk else { return self.begin() };
        let (check, missing) = frame;
        let staged = self.staged.split_to(self.staged.len().min(*missing));
        check.update(&staged);
        buffer.extend_from_slice(&staged);
        *missing -= staged.len();
        if *missing > 0 {
            return Ok(Step::More);
        }
        check.verify()?;
        match self.bulk.take() {
            Some(Bulk { head, buffer, left: 0, .. }) => Ok(Step::Whole(head, buffer.freeze())),
            unfinished => {
                self.bulk = unfinished.map(|bulk| Bulk { frame: None, ..bulk });
                Ok(Step::Again)
            }
        }
    }

    /// Begins a frame.
    fn begin(&mut self) -> Result<Step, Violation> {
        let Some(bytes) = self.staged.first_chunk::<HEAD_BYTES>() else { return Ok(Step::More) };
        let (head, mut check) = (Head::decode(bytes)?, Check::new(bytes));
        let length = head.length as usize;
        if head.lane == Urgency::Bulk && matches!(head.what, What::Request | What::Reply | What::Failure) {
            self.staged.advance(HEAD_BYTES);
            self.begin_piece(head)?.frame = Some((check, length));
            return Ok(Step::Again);
        }
        if head.left > 0 || length > MAX_URGENT_BYTES {
            return Err(Violation::TooLong(head.message_bytes()));
        }
        let Some(body) = self.staged.get(HEAD_BYTES..HEAD_BYTES + length) else { return Ok(Step::More) };
        check.update(body);
        check.verify()?;
        let body = Bytes::copy_from_slice(body);
        self.staged.advance(HEAD_BYTES + length);
        Ok(Step::Whole(head, body))
    }

    /// Begins a piece of a message, the first or another.
    fn begin_piece(&mut self, head: Head) -> Result<&mut Bulk, Violation> {
        let bytes = head.message_bytes();
        if bytes > MAX_MESSAGE_BYTES {
            return Err(Violation::TooLong(bytes));
        }
        let is_next = |bulk: &Bulk| {
            let same = (bulk.head.what, bulk.head.call, bulk.left) == (head.what, head.call, bytes);
            same && head.kind == bulk.head.kind
        };
        if self.bulk.as_ref().is_some_and(|bulk| !is_next(bulk)) || (head.length == 0 && head.left > 0) {
            return Err(Violation::Pieces);
        }
        let first = || Bulk { head, buffer: BytesMut::with_capacity(bytes), left: 0, frame: None };
        let bulk = self.bulk.get_or_insert_with(first);
        bulk.left = head.left as usize;
        Ok(bulk)
    }
}

#[cfg(test)]
mod tests;
