//! The other broker's calls: those being served, and those that wait their turn.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::StreamExt;
use futures::future::{AbortHandle, Abortable, Aborted};
use futures::stream::FuturesUnordered;

use crate::frame::{Violation, What, charge};
use crate::{BoxFuture, Identity, MAX_MESSAGE_BYTES, MAX_URGENT_BYTES, Message, Service, Urgency};

/// Bulk calls of one broker that are served at a time.
const MAX_BULK_AT_ONCE: usize = 256;

/// Bulk replies that wait to be sent; while there are as many, no bulk call is gone on with.
const MAX_REPLY_BYTES: usize = 32 << 20;

/// The longest words of a service that refuses a call.
const MAX_WORDS_BYTES: usize = 4 << 10;

/// See the module.
pub(crate) struct Serving {
    service: Arc<dyn Service>,
    /// What was agreed on, by lane.
    windows: [usize; 2],
    taken_bytes: [usize; 2],
    calls: BTreeMap<u64, Taken>,
    /// By lane. Some may be aborted already.
    running: [FuturesUnordered<Abortable<BoxFuture<Served>>>; 2],
    bulk_running: usize,
    held: VecDeque<(u64, u8, Bytes)>,
    replies: [VecDeque<Reply>; 2],
    reply_bytes: usize,
}

/// The number of a call, and what the service made of it.
type Served = (u64, Result<Message, String>);

struct Taken {
    lane: Urgency,
    charge: usize,
    /// None while it waits its turn.
    abort: Option<AbortHandle>,
}

/// What is to be sent to the caller.
pub(crate) struct Reply {
    pub(crate) call: u64,
    pub(crate) what: What,
    pub(crate) message: Message,
}

impl Serving {
    pub(crate) fn new(service: Arc<dyn Service>, windows: [usize; 2]) -> Self {
        Serving {
            service,
            windows,
            taken_bytes: [0; 2],
            calls: BTreeMap::new(),
            running: Default::default(),
            bulk_running: 0,
            held: VecDeque::new(),
            replies: Default::default(),
            reply_bytes: 0,
        }
    }

    /// Takes a call.
    ///
    /// # Errors
    /// When more is sent than was agreed on, or a number comes twice.
    pub(crate) fn take(
        &mut self,
        from: &Identity,
        (call, kind): (u64, u8),
        lane: Urgency,
        body: Bytes,
    ) -> Result<(), Violation> {
        let charge = charge(body.len());
        let taken_bytes = &mut self.taken_bytes[lane as usize];
        let is_only = *taken_bytes == 0; // one that is longer than the window goes alone
        *taken_bytes += charge;
        if *taken_bytes > self.windows[lane as usize] && !is_only {
            return Err(Violation::Window);
        }
        if self.calls.insert(call, Taken { lane, charge, abort: None }).is_some() {
            return Err(Violation::OutOfPlace);
        }
        match lane {
            Urgency::Urgent => self.begin(from, call, kind, body),
            Urgency::Bulk => self.held.push_back((call, kind, body)),
        }
        Ok(())
    }

    /// The caller has given up.
    pub(crate) fn cancel(&mut self, call: u64) {
        let Some(Taken { lane, charge, abort }) = self.calls.remove(&call) else { return }; // was answered meanwhile
        self.taken_bytes[lane as usize] -= charge;
        match abort {
            Some(abort) => {
                abort.abort();
                self.bulk_running -= usize::from(lane == Urgency::Bulk);
            }
            None => self.held.retain(|(held, _, _)| *held != call),
        }
    }

    /// Goes on with all calls, and whether any was answered. Bulk ones stand still while too many replies wait
    /// to be sent: that they are being sent brings the next look.
    pub(crate) fn poll(&mut self, from: &Identity, cx: &mut Context<'_>) -> bool {
        let mut answered = false;
        while let Poll::Ready(Some(done)) = self.running[Urgency::Urgent as usize].poll_next_unpin(cx) {
            answered |= self.done(done);
        }
        while self.reply_bytes < MAX_REPLY_BYTES {
            self.begin_held(from); // before each look: nothing else wakes what was only begun
            match self.running[Urgency::Bulk as usize].poll_next_unpin(cx) {
                Poll::Ready(Some(done)) => answered |= self.done(done),
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        answered
    }

    fn done(&mut self, done: Result<Served, Aborted>) -> bool {
        done.map(|(call, result)| self.reply(call, result)).is_ok()
    }

    /// The next reply of a lane.
    pub(crate) fn next_reply(&mut self, lane: Urgency) -> Option<Reply> {
        let reply = self.replies[lane as usize].pop_front()?;
        if lane == Urgency::Bulk {
            self.reply_bytes -= reply.message.bytes();
        }
        Some(reply)
    }

    /// Whether no call is left, nor any reply.
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.replies.iter().all(VecDeque::is_empty)
    }

    fn begin_held(&mut self, from: &Identity) {
        while self.bulk_running < MAX_BULK_AT_ONCE {
            let Some((call, kind, body)) = self.held.pop_front() else { return };
            self.bulk_running += 1;
            self.begin(from, call, kind, body);
        }
    }

    fn begin(&mut self, from: &Identity, call: u64, kind: u8, body: Bytes) {
        let served = self.service.serve(from, kind, body);
        let (abort, registration) = AbortHandle::new_pair();
        let numbered: BoxFuture<Served> = Box::pin(async move { (call, served.await) });
        let Some(taken) = self.calls.get_mut(&call) else { return };
        taken.abort = Some(abort);
        self.running[taken.lane as usize].push(Abortable::new(numbered, registration));
    }

    fn reply(&mut self, call: u64, result: Result<Message, String>) {
        let Some(Taken { lane, charge, .. }) = self.calls.remove(&call) else { return }; // was cancelled meanwhile
        self.taken_bytes[lane as usize] -= charge;
        self.bulk_running -= usize::from(lane == Urgency::Bulk);
        let bytes = result.as_ref().map_or(0, Message::bytes);
        let failure = |words: &str| {
            let words = &words[..words.floor_char_boundary(MAX_WORDS_BYTES)];
            (What::Failure, Message::from(Bytes::copy_from_slice(words.as_bytes())))
        };
        let (what, message) = match result {
            Ok(_) if bytes > MAX_MESSAGE_BYTES => failure(&format!("the reply of {bytes} bytes is too long")),
            Ok(message) => (What::Reply, message),
            Err(words) => failure(&words),
        };
        let bytes = message.bytes();
        let lane = if bytes > MAX_URGENT_BYTES { Urgency::Bulk } else { lane };
        if lane == Urgency::Bulk {
            self.reply_bytes += bytes;
        }
        self.replies[lane as usize].push_back(Reply { call, what, message });
    }
}

#[cfg(test)]
mod tests;
