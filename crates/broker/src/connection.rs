//! One client connection.
//!
//! Requests are handled one after another, as in Kafka, but for produce: it is queued in order and
//! answered later, so that the appends of several requests share a write to the journal. Responses
//! leave in the order of the requests. All is one task, and what it holds is bounded: a frame that
//! is arriving, [`MAX_IN_FLIGHT`] requests, and one response being written.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesOrdered;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use wire::{Frame, FrameReader};

use crate::broker::Broker;
use crate::dispatch::{self, Answer};
use crate::error::Close;
use crate::listener::Listener;

/// Produce requests of one connection that are being appended. Clients send 5 at most
/// (`max.in.flight.requests.per.connection`) while they want order.
const MAX_IN_FLIGHT: usize = 16;

/// Who is at the other end, and where they came in.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) listener: Arc<Listener>,
}

/// Serves a connection until the client leaves, or sends what makes Kafka close it.
pub(crate) async fn serve<S>(broker: Arc<Broker>, peer: Peer, mut stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let address = peer.address;
    match (Connection { broker, peer, in_flight: FuturesOrdered::new() }).run(&mut stream).await {
        Ok(()) | Err(Close::Gone) => {}
        Err(why) => tracing::info!(client = %address, %why, "connection closed"),
    }
}

struct Connection {
    broker: Arc<Broker>,
    peer: Peer,
    in_flight: FuturesOrdered<Answer>,
}

impl Connection {
    async fn run<S>(&mut self, stream: &mut S) -> Result<(), Close>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = &self.broker.config;
        let mut frames = FrameReader::new(usize::try_from(config.socket_request_max_bytes()).unwrap_or(0));
        // A negative time is none, as in Kafka.
        let idle = u64::try_from(config.connections_max_idle_ms()).map_or(Duration::MAX, Duration::from_millis);
        loop {
            if self.in_flight.len() < MAX_IN_FLIGHT
                && let Some(frame) = frames.next_frame()?
            {
                if let Some(answer) = self.begin(stream, frame).await? {
                    self.in_flight.push_back(answer);
                }
                continue;
            }
            tokio::select! {
                biased;
                Some(response) = self.in_flight.next() => self.respond(stream, response?).await?,
                read = timeout(idle, stream.read_buf(frames.buffer())), if self.in_flight.len() < MAX_IN_FLIGHT => {
                    match read {
                        Ok(Ok(1..)) => {}
                        Ok(_) => return Err(Close::Gone),
                        // What is being appended is answered first, and time begins anew.
                        Err(_) if !self.in_flight.is_empty() => {}
                        Err(_) => return Err(Close::Idle),
                    }
                }
            }
        }
    }

    /// Starts a request. One that does not wait for appends is answered before the next begins,
    /// after all that were sent before it.
    async fn begin<S>(&mut self, stream: &mut S, frame: bytes::Bytes) -> Result<Option<Answer>, Close>
    where
        S: AsyncWrite + Unpin,
    {
        let begun = dispatch::begin(&self.broker, &self.peer, frame).await?;
        if begun.may_overlap {
            return Ok(Some(begun.answer));
        }
        while let Some(response) = self.in_flight.next().await {
            self.respond(stream, response?).await?;
        }
        let response = begun.answer.await?;
        self.respond(stream, response).await?;
        Ok(None)
    }

    /// Writes a response, together with those behind it that are ready.
    async fn respond<S: AsyncWrite + Unpin>(&mut self, stream: &mut S, response: Option<Frame>) -> Result<(), Close> {
        if let Some(mut frame) = response {
            stream.write_all_buf(&mut frame).await?;
        }
        Ok(())
    }
}
