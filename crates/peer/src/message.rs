//! What is carried.

use bytes::Bytes;

/// The longest message, head and parts together: 64 MiB of parts, and a head.
pub const MAX_MESSAGE_BYTES: usize = (64 << 20) + (1 << 20);

/// An urgent message that is longer goes with the bulk: it would hold up the others.
pub const MAX_URGENT_BYTES: usize = 64 << 10;

/// A request or a reply. It is written without copying its parts, and arrives as one [`Bytes`]: the head,
/// then the parts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Message {
    /// What describes the parts.
    pub head: Bytes,
    /// Payloads, as they lie in memory.
    pub parts: Vec<Bytes>,
}

impl Message {
    /// A head and its parts.
    pub fn new(head: impl Into<Bytes>, parts: Vec<Bytes>) -> Self {
        Message { head: head.into(), parts }
    }

    /// All of its bytes.
    pub fn bytes(&self) -> usize {
        self.head.len() + self.parts.iter().map(Bytes::len).sum::<usize>()
    }
}

impl From<Message> for Bytes {
    /// As it arrives: in one piece. Copies, if there are parts.
    fn from(message: Message) -> Bytes {
        match message.parts.is_empty() {
            true => message.head,
            false => [message.head].into_iter().chain(message.parts).collect::<Vec<_>>().concat().into(),
        }
    }
}

impl From<Bytes> for Message {
    fn from(head: Bytes) -> Self {
        Message { head, parts: Vec::new() }
    }
}

/// Which of two lanes a call takes. Within a lane, calls to one broker keep their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Urgency {
    /// Votes, heartbeats and other small things: ahead of all bulk, even of what is being sent.
    Urgent,
    /// Everything else.
    Bulk,
}
