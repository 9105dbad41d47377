//! The face of this broker to others.

use bytes::Bytes;

use crate::{BoxFuture, Identity, Message};

/// The longest news that ride on a heartbeat; longer ones stay at home, with a warning.
pub const MAX_NEWS_BYTES: usize = 64 << 10;

/// What a broker does for others, and has to tell them.
///
/// All three are called by the task that keeps the connection with that broker, so they must not block.
pub trait Service: Send + Sync + 'static {
    /// Answers a call. Calls are begun in their order, lane by lane, and go on side by side. The future is
    /// polled by the connection's task, and dropped before its end when the caller has given up or the
    /// connection has broken: what must be carried through belongs to a task of its own.
    ///
    /// # Errors
    /// Words for the caller, who gets them as [`crate::CallError::Failed`].
    fn serve(&self, from: &Identity, kind: u8, body: Bytes) -> BoxFuture<Result<Message, String>>;

    /// What rides on each heartbeat to every broker: who leads which shard, and the like. May be empty; no
    /// more than [`MAX_NEWS_BYTES`].
    fn news(&self) -> Bytes;

    /// What another broker's heartbeat brought. They come in the order in which they were sent.
    fn heard(&self, from: &Identity, news: Bytes);
}
