//! One client connection.
//!
//! Requests are handled one after another, as in Kafka, but for produce: it is queued in order and
//! answered later, so that the appends of several requests share a write to the journal. Responses
//! leave in the order of the requests. All is one task, and what it holds is bounded: by
//! [`MAX_IN_FLIGHT`] requests, one response being written, and the [budget](crate::budget) of all connections.

use std::collections::VecDeque;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use bytes::{Buf, Bytes};
use futures::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use wire::Frame;

use crate::broker::Broker;
use crate::budget::Share;
use crate::dispatch::{self, Answer};
use crate::error::Close;
use crate::gaps::Gaps;
use crate::inbox::{Inbox, idle_time};
use crate::listener::Listener;

/// Produce requests of one connection that are being appended. Clients send 5 at most
/// (`max.in.flight.requests.per.connection`) while they want order.
const MAX_IN_FLIGHT: usize = 16;

/// Responses that are ready leave in one write, up to about so many bytes.
const JOINED_BYTES: usize = 64 * 1024;

/// Who is at the other end, and where they came in.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) listener: Arc<Listener>,
    /// Name and version of the client's library, once it has said them (KIP-511).
    pub(crate) software: Arc<OnceLock<(String, String)>>,
    /// Batches that were refused here: those behind them are not taken.
    pub(crate) gaps: Arc<Gaps>,
}

/// Serves a connection until the client leaves, or sends what makes Kafka close it.
pub(crate) async fn serve<S>(broker: Arc<Broker>, peer: Peer, mut stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let address = peer.address;
    let mut inbox = Inbox::new(&broker.config(), broker.budget.clone());
    let mut connection = Connection { broker, peer, in_work: VecDeque::new() };
    match connection.run(&mut inbox, &mut stream).await {
        Ok(()) | Err(Close::Gone) => {}
        Err(why) => tracing::info!(client = %address, %why, "connection closed"),
    }
}

struct Connection {
    broker: Arc<Broker>,
    peer: Peer,
    in_work: VecDeque<InWork>,
}

/// A request that was begun, with what it takes of the budget.
struct InWork {
    answer: Answer,
    _share: Share,
}

impl Connection {
    async fn run<S>(&mut self, inbox: &mut Inbox, stream: &mut S) -> Result<(), Close>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let (is_busy, is_full) = (!self.in_work.is_empty(), self.in_work.len() >= MAX_IN_FLIGHT);
            tokio::select! {
                biased;
                response = first(&mut self.in_work) => self.respond(stream, response?).await?,
                request = inbox.next(stream, is_busy), if !is_full => match request {
                    Ok((frame, share)) => {
                        self.begin(stream, frame, share).await?;
                        inbox.client_is_known();
                    }
                    // What is being appended is answered first, and time begins anew.
                    Err(Close::Idle) if is_busy => {}
                    Err(why) => return Err(why),
                },
            }
        }
    }

    /// Starts a request. One that does not wait for appends is answered before the next begins,
    /// after all that were sent before it.
    async fn begin<S>(&mut self, stream: &mut S, frame: Bytes, share: Share) -> Result<(), Close>
    where
        S: AsyncWrite + Unpin,
    {
        let begun = dispatch::begin(&self.broker, &self.peer, frame).await?;
        if begun.may_overlap {
            self.in_work.push_back(InWork { answer: begun.answer, _share: share });
            return Ok(());
        }
        while !self.in_work.is_empty() {
            let response = first(&mut self.in_work).await?;
            self.respond(stream, response).await?;
        }
        let response = begun.answer.await?;
        drop(share);
        self.respond(stream, response).await
    }

    /// Writes a response, together with those behind it that are ready.
    async fn respond<S: AsyncWrite + Unpin>(&mut self, stream: &mut S, response: Option<Frame>) -> Result<(), Close> {
        let mut frame = response.unwrap_or_default();
        let mut end = Ok(());
        while end.is_ok()
            && frame.remaining() < JOINED_BYTES
            && let Some(next) = first(&mut self.in_work).now_or_never()
        {
            end = next.map(|next| frame.append(next.unwrap_or_default()));
        }
        self.write(stream, frame).await?;
        end
    }

    async fn write<S: AsyncWrite + Unpin>(&mut self, stream: &mut S, mut frame: Frame) -> Result<(), Close> {
        let budget = &self.broker.budget;
        let _share = budget.take(frame.own_bytes());
        let idle = idle_time(&self.broker.config());
        while frame.has_remaining() {
            match budget.wait(idle, true, stream.write_buf(&mut frame)).await {
                Ok(1..) => {}
                Ok(0) => return Err(Close::Gone),
                Err(Close::Idle) => return Err(Close::Unread),
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }
}

/// The response to the oldest request in work, or never if there is none. The wait may be given up.
async fn first(in_work: &mut VecDeque<InWork>) -> Result<Option<Frame>, Close> {
    let Some(oldest) = in_work.front_mut() else { return pending().await };
    let response = (&mut oldest.answer).await;
    in_work.pop_front();
    response
}
