//! Appends on their way to one member: several at a time.

use std::fmt::Debug;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesOrdered;
use futures::{FutureExt, Stream, StreamExt};
use openraft::AnyError;
use openraft::errors::{RPCError, Unreachable};
use openraft::raft::{AppendEntriesRequest, StreamAppendError, StreamAppendResult};
use tokio::time::{Instant, Sleep, sleep_until};

use super::log_store::READ_BYTES;
use super::messages;
use super::network::Peer;
use super::types::{LogId, Types, log_id};
use crate::transport::{Appended, Request};

/// Payload on its way to one member at a time, beyond which the next append waits: what a link of
/// 1 GB/s carries in 4 ms. One append more is begun while there is less.
const WINDOW_BYTES: usize = 4 * READ_BYTES;
/// Appends on their way to one member at a time. The next one holds all that was written meanwhile:
/// with more of them they would only be smaller.
const WINDOW_CALLS: usize = 3;
/// How long news of a commit waits for entries that could carry it: nobody but the member's own
/// state machine waits for it. A timer can't be shorter.
const COMMIT_LINGERS: Duration = Duration::from_millis(1);

type Appending<R> = AppendEntriesRequest<Types<R>>;
/// What a member answered to one append.
pub(super) type Answer<R> = Result<StreamAppendResult<Types<R>>, RPCError<Types<R>>>;

/// Sends what openraft wants to be sent, as far as the window is open, and gives back the answers in
/// the same order; nothing after the first that is not a full success.
pub(super) struct Pipeline<'s, S, R: Send + Debug + 'static> {
    peer: &'s Peer,
    requests: S,
    requests_ended: bool,
    /// News of a commit without entries, and how long it waits for some.
    lingering: Option<(Appending<R>, Pin<Box<Sleep>>)>,
    calls: FuturesOrdered<BoxFuture<'s, (usize, Sent<R>)>>,
    bytes: usize,
    /// The last entry that the member is known to have.
    acknowledged: Option<LogId>,
    ended: bool,
}

/// The answer to one append, and whether another may follow.
struct Sent<R: Send + Debug + 'static> {
    answer: Answer<R>,
    go_on: bool,
}

impl<'s, S, R> Pipeline<'s, S, R>
where
    S: Stream<Item = Appending<R>> + Unpin,
    R: Send + Debug + 'static,
{
    pub(super) fn new(peer: &'s Peer, requests: S) -> Self {
        let calls = FuturesOrdered::new();
        Pipeline {
            peer,
            requests,
            requests_ended: false,
            lingering: None,
            calls,
            bytes: 0,
            acknowledged: None,
            ended: false,
        }
    }

    /// Takes requests while the window is open.
    fn fill(&mut self, context: &mut Context<'_>) {
        while !self.requests_ended && self.bytes < WINDOW_BYTES && self.calls.len() < WINDOW_CALLS {
            match self.requests.poll_next_unpin(context) {
                Poll::Ready(Some(request)) if request.entries.is_empty() => self.linger(request),
                Poll::Ready(Some(request)) => {
                    // What lingered says nothing that this does not.
                    self.lingering = None;
                    self.send(request);
                }
                Poll::Ready(None) => self.requests_ended = true,
                Poll::Pending => break,
            }
        }
        let fires = |(_, timer): &mut (_, Pin<Box<Sleep>>)| timer.poll_unpin(context).is_ready();
        // An append without entries may overtake those with some, and the member would lack what it comes after.
        if self.calls.is_empty()
            && (self.requests_ended || self.lingering.as_mut().is_some_and(fires))
            && let Some((request, _)) = self.lingering.take()
        {
            self.send(request);
        }
    }

    /// A member that lacks what it has acknowledged has got an append before the one that it follows: two connections
    /// may overtake one another. openraft takes that for a loss of entries, and it is none.
    fn checked(&mut self, answer: Answer<R>) -> Answer<R> {
        match answer {
            Ok(Ok(last)) => {
                self.acknowledged = self.acknowledged.max(last);
                Ok(Ok(last))
            }
            Ok(Err(StreamAppendError::Conflict(previous))) if Some(previous) <= self.acknowledged => {
                let what = AnyError::error("an append came before the one that it follows");
                Err(RPCError::Unreachable(Unreachable::new(&what)))
            }
            other => other,
        }
    }

    fn linger(&mut self, request: Appending<R>) {
        let timer = match self.lingering.take() {
            Some((_, timer)) => timer,
            None => Box::pin(sleep_until(Instant::now() + COMMIT_LINGERS)),
        };
        self.lingering = Some((request, timer));
    }

    fn send(&mut self, request: Appending<R>) {
        let previous = request.prev_log_id;
        let last = request.entries.last().map_or(previous, |entry| Some(entry.id));
        let append = messages::append(request, &self.peer.shared);
        let bytes = append.entries.iter().map(|entry| entry.payload.len()).sum();
        let peer = self.peer;
        let call = peer.call::<R, _>(Request::Append(append), messages::appended);
        self.bytes += bytes;
        self.calls.push_back(Box::pin(async move {
            let sent = match call.await {
                Ok(appended) => answer(appended, previous, last),
                Err(error) => Sent { answer: Err(error), go_on: false },
            };
            (bytes, sent)
        }));
    }
}

/// What a member's answer to entries after `previous`, up to `last`, means to openraft.
fn answer<R: Send + Debug + 'static>(appended: Appended, previous: Option<LogId>, last: Option<LogId>) -> Sent<R> {
    let stop = |answer| Sent { answer, go_on: false };
    match (appended, previous) {
        (Appended::All, _) => Sent { answer: Ok(Ok(last)), go_on: true },
        (Appended::UpTo(id), _) => stop(Ok(Ok(id.map(log_id)))),
        (Appended::Conflict, Some(previous)) => stop(Ok(Err(StreamAppendError::Conflict(previous)))),
        (Appended::Superseded(ballot), _) => stop(Ok(Err(StreamAppendError::HigherVote(messages::vote(ballot))))),
        (Appended::Conflict, None) => {
            let what = AnyError::error("it lacks an entry before the first");
            stop(Err(RPCError::Unreachable(Unreachable::new(&what))))
        }
    }
}

impl<S, R> Stream for Pipeline<'_, S, R>
where
    S: Stream<Item = Appending<R>> + Unpin,
    R: Send + Debug + 'static,
{
    type Item = Answer<R>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.fill(context);
        match self.calls.poll_next_unpin(context) {
            Poll::Ready(Some((bytes, sent))) => {
                self.bytes -= bytes;
                self.ended = !sent.go_on;
                Poll::Ready(Some(self.checked(sent.answer)))
            }
            Poll::Ready(None) if self.requests_ended => Poll::Ready(None),
            _ => Poll::Pending,
        }
    }
}
