//! What arrives on a connection, cut into requests that have their share of the budget.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use config::BrokerConfig;
use tokio::io::{AsyncRead, AsyncReadExt};
use wire::FrameReader;

use crate::budget::{Budget, FREE_BYTES, Share};
use crate::error::Close;

/// The first request may not be larger, as long as nobody knows whether a Kafka client is speaking. It is
/// what Kafka allows those who have not logged in (`sasl.server.max.receive.size`).
const FIRST_REQUEST_BYTES: usize = 512 * 1024;

/// See the module.
pub(crate) struct Inbox {
    frames: FrameReader,
    budget: Arc<Budget>,
    /// Of the request that is arriving, once it is a large one.
    share: Option<Share>,
    largest: usize,
    idle: Duration,
}

impl Inbox {
    pub(crate) fn new(config: &BrokerConfig, budget: Arc<Budget>) -> Self {
        let largest = usize::try_from(config.socket_request_max_bytes()).unwrap_or(0);
        let frames = FrameReader::new(largest.min(FIRST_REQUEST_BYTES));
        Inbox { frames, budget, share: None, largest, idle: idle_time(config) }
    }

    /// The client has sent a request that makes sense.
    pub(crate) fn client_is_known(&mut self) {
        self.frames.set_max_frame_bytes(self.largest);
    }

    /// The next request. `is_busy` says that others of the same connection are in work. Nothing is lost
    /// when the wait is given up.
    pub(crate) async fn next<S>(&mut self, stream: &mut S, is_busy: bool) -> Result<(Bytes, Share), Close>
    where
        S: AsyncRead + Unpin,
    {
        loop {
            if let Some(length) = self.frames.announced()? {
                let arrived = self.frames.pending_bytes() - 4;
                let is_costly = is_busy || length > FREE_BYTES;
                if self.share.is_none() && is_costly && arrived >= length.min(FREE_BYTES) {
                    self.share = Some(self.budget.reserve(length).await);
                }
                if let Some(frame) = self.frames.next_frame()? {
                    let share = self.share.take().unwrap_or_else(|| self.budget.take(frame.len()));
                    return Ok((frame, share));
                }
            }
            self.read(stream).await?;
        }
    }

    async fn read<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> Result<(), Close> {
        let holds_share = self.share.is_some();
        match self.budget.wait(self.idle, holds_share, stream.read_buf(self.frames.buffer())).await? {
            0 => Err(Close::Gone),
            _ => Ok(()),
        }
    }
}

/// `connections.max.idle.ms`. A negative time is none, as in Kafka.
pub(crate) fn idle_time(config: &BrokerConfig) -> Duration {
    u64::try_from(config.connections_max_idle_ms()).map_or(Duration::MAX, Duration::from_millis)
}
