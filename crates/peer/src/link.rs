//! What a connection shares with those who call through it: the calls that wait, and what else is to be said.
//!
//! Nothing here waits or does I/O. The connection's task takes from it, and is woken when there is more.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use bytes::Bytes;
use model::BrokerId;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::call::Call;
use crate::frame::{Goodbye, charge, lane_of};
use crate::handshake::greeting::{Purpose, Windows};
use crate::lock::lock;
use crate::{CallError, Identity, Message, Options, Urgency};

/// See the module.
pub(crate) struct Link {
    /// Counts the links of this process.
    pub(crate) serial: u64,
    pub(crate) broker: BrokerId,
    pub(crate) purpose: Purpose,
    /// Of two connections of a pair, the one that the lower id has dialled stays.
    pub(crate) dialled_by_lower: bool,
    options: Arc<Options>,
    state: Mutex<State>,
}

/// A call that is to be sent.
pub(crate) struct Outgoing {
    pub(crate) call: u64,
    pub(crate) kind: u8,
    pub(crate) message: Message,
}

/// What may be sent next.
pub(crate) enum Next {
    Call(Outgoing),
    /// This call was given up, which the other end does not know of yet.
    Cancelled(u64),
}

/// What there is to do beside calls.
pub(crate) struct Look {
    pub(crate) phase: Phase,
    /// Whether no call waits to be sent.
    pub(crate) is_drained: bool,
    /// Whether news are to be sent before their time.
    pub(crate) news_wanted: bool,
    /// This broker, as it is to be introduced anew.
    pub(crate) introduction: Option<Arc<Identity>>,
}

/// What is to be done with the connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Open,
    /// There is a better one: bring to an end what was begun, in both directions.
    Retiring,
    /// Say so, and close it.
    Leaving(Goodbye, String),
    /// It is over, for this reason.
    Ended(String),
}

struct State {
    identity: Arc<Identity>,
    phase: Phase,
    next_call: u64,
    /// Calls without a reply, in the order of their deadlines.
    waiting: BTreeMap<u64, Waiting>,
    lanes: [Lane; 2],
    news_wanted: bool,
    introduction: Option<Arc<Identity>>,
    /// The connection's task.
    task: Option<Waker>,
}

struct Waiting {
    reply: oneshot::Sender<Result<Bytes, CallError>>,
    deadline: Instant,
    lane: Urgency,
    charge: usize,
    is_sent: bool,
}

#[derive(Default)]
struct Lane {
    /// In the order of their numbers.
    queue: VecDeque<Outgoing>,
    queued_bytes: usize,
    /// Sent, without a reply, in bytes; and what the other end takes.
    unanswered_bytes: usize,
    window_bytes: usize,
    /// Sent and given up.
    cancelled: VecDeque<u64>,
}

/// An urgent lane has this part of what the bulk has.
pub(crate) const URGENT_SHARE: usize = 16;

impl Link {
    pub(crate) fn new(
        serial: u64,
        identity: Identity,
        (purpose, windows): (Purpose, Windows),
        dialled_by_lower: bool,
        options: Arc<Options>,
    ) -> Arc<Self> {
        let lane = |bytes: u32| Lane { window_bytes: bytes as usize, ..Lane::default() };
        let state = State {
            phase: Phase::Open,
            next_call: 1,
            waiting: BTreeMap::new(),
            lanes: [lane(windows.urgent), lane(windows.bulk)],
            news_wanted: false,
            introduction: None,
            task: None,
            identity: Arc::new(identity),
        };
        let broker = state.identity.broker;
        Arc::new(Link { serial, broker, purpose, dialled_by_lower, options, state: Mutex::new(state) })
    }

    /// Queues a call.
    pub(crate) fn call(self: &Arc<Self>, kind: u8, urgency: Urgency, message: Message) -> Call {
        let bytes = message.bytes();
        let lane = match lane_of(urgency, bytes) {
            Ok(lane) => lane,
            Err(too_long) => return Call::refused(too_long),
        };
        let mut state = lock(&self.state);
        if let Phase::Leaving(_, why) | Phase::Ended(why) = &state.phase {
            return Call::refused(CallError::Down { to: self.broker, why: why.clone() });
        }
        let most = match lane {
            Urgency::Urgent => self.options.queue_bytes / URGENT_SHARE,
            Urgency::Bulk => self.options.queue_bytes,
        };
        let (charge, queued_bytes) = (charge(bytes), state.lanes[lane as usize].queued_bytes);
        if queued_bytes > 0 && queued_bytes + charge > most {
            return Call::refused(CallError::Busy { to: self.broker, queued_bytes });
        }
        let (reply, received) = oneshot::channel();
        let call = state.next_call;
        state.next_call += 1;
        let deadline = Instant::now() + self.options.call_timeout;
        state.waiting.insert(call, Waiting { reply, deadline, lane, charge, is_sent: false });
        state.lanes[lane as usize].queued_bytes += charge;
        state.lanes[lane as usize].queue.push_back(Outgoing { call, kind, message });
        state.wake();
        drop(state);
        Call::waiting(self.clone(), call, received)
    }

    /// Nobody waits for the reply any more.
    pub(crate) fn give_up(&self, call: u64) {
        lock(&self.state).forget(call);
    }

    /// Fails what has waited for too long.
    pub(crate) fn expire(&self, now: Instant) {
        let mut state = lock(&self.state);
        while let Some((&call, _)) = state.waiting.first_key_value().filter(|(_, waiting)| waiting.deadline <= now) {
            if let Some(waiting) = state.forget(call) {
                waiting.answer(Err(CallError::Timeout));
            }
        }
    }

    /// A reply has arrived. To a call that was given up there may be one all the same.
    pub(crate) fn answer(&self, call: u64, result: Result<Bytes, CallError>) {
        let mut state = lock(&self.state);
        if state.waiting.get(&call).is_none_or(|waiting| !waiting.is_sent) {
            return;
        }
        let Some(waiting) = state.waiting.remove(&call) else { return };
        state.lanes[waiting.lane as usize].unanswered_bytes -= waiting.charge;
        drop(state);
        waiting.answer(result);
    }

    /// What there is to do beside calls. From then on, `task` is woken when there is more of anything.
    pub(crate) fn look(&self, task: &Waker) -> Look {
        let mut state = lock(&self.state);
        match &mut state.task {
            Some(known) => known.clone_from(task),
            none => *none = Some(task.clone()),
        }
        let phase = state.phase.clone();
        let is_drained = state.lanes.iter().all(|lane| lane.queue.is_empty());
        let introduction = state.introduction.take();
        Look { phase, is_drained, introduction, news_wanted: std::mem::take(&mut state.news_wanted) }
    }

    /// What may be sent next on a lane, when what was taken from it before has been sent whole.
    pub(crate) fn next(&self, lane: Urgency) -> Option<Next> {
        let mut state = lock(&self.state);
        let State { lanes, waiting, .. } = &mut *state;
        let lane = &mut lanes[lane as usize];
        if let Some(call) = lane.cancelled.pop_front() {
            return Some(Next::Cancelled(call));
        }
        let waiting = waiting.get_mut(&lane.queue.front()?.call).expect("what is queued is waited for");
        let unanswered_bytes = lane.unanswered_bytes + waiting.charge;
        if unanswered_bytes > lane.window_bytes && lane.unanswered_bytes > 0 {
            return None;
        }
        waiting.is_sent = true;
        lane.unanswered_bytes = unanswered_bytes;
        lane.queued_bytes -= waiting.charge;
        lane.queue.pop_front().map(Next::Call)
    }

    /// Has news sent.
    pub(crate) fn want_news(&self) {
        let mut state = lock(&self.state);
        state.news_wanted = true;
        state.wake();
    }

    /// Has this broker introduced anew.
    pub(crate) fn introduce(&self, me: Arc<Identity>) {
        let mut state = lock(&self.state);
        state.introduction = Some(me);
        state.wake();
    }

    /// Whether no call of this broker is left on it.
    pub(crate) fn has_no_calls(&self) -> bool {
        lock(&self.state).waiting.is_empty()
    }

    /// Whether it is the one between two brokers, as far as this end knows.
    pub(crate) fn is_current(&self) -> bool {
        lock(&self.state).phase == Phase::Open
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(lock(&self.state).phase, Phase::Ended(_))
    }

    pub(crate) fn identity(&self) -> Arc<Identity> {
        lock(&self.state).identity.clone()
    }

    pub(crate) fn set_identity(&self, identity: Arc<Identity>) {
        lock(&self.state).identity = identity;
    }

    /// There is a better connection.
    pub(crate) fn retire(&self) {
        self.turn(Phase::Retiring);
    }

    /// Says good-bye, and closes the connection.
    pub(crate) fn leave(&self, why: Goodbye, words: String) {
        self.turn(Phase::Leaving(why, words));
    }

    /// Phases follow one another, and never go back.
    fn turn(&self, to: Phase) {
        let mut state = lock(&self.state);
        let goes_on = match (&state.phase, &to) {
            (Phase::Open, _) => true,
            (Phase::Retiring, to) => *to != Phase::Retiring,
            (Phase::Leaving(..), to) => matches!(to, Phase::Ended(_)),
            (Phase::Ended(_), _) => false,
        };
        if goes_on {
            state.phase = to;
            state.wake();
        }
    }

    /// It is over. Fails all calls, in their order.
    pub(crate) fn end(&self, why: &str) {
        self.turn(Phase::Ended(why.to_owned()));
        let mut state = lock(&self.state);
        let waiting = std::mem::take(&mut state.waiting);
        state.lanes = Default::default();
        drop(state);
        for waiting in waiting.into_values() {
            let why = why.to_owned();
            let error = match waiting.is_sent {
                true => CallError::Lost { why },
                false => CallError::Down { to: self.broker, why },
            };
            waiting.answer(Err(error));
        }
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(task) = self.task.take() {
            task.wake();
        }
    }

    /// Takes a call back, as far as it still can be.
    fn forget(&mut self, call: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&call)?;
        let lane = &mut self.lanes[waiting.lane as usize];
        match waiting.is_sent {
            true => {
                lane.unanswered_bytes -= waiting.charge;
                lane.cancelled.push_back(call);
                self.wake();
            }
            false => {
                lane.queued_bytes -= waiting.charge;
                if let Ok(at) = lane.queue.binary_search_by_key(&call, |outgoing| outgoing.call) {
                    lane.queue.remove(at);
                }
            }
        }
        Some(waiting)
    }
}

impl Waiting {
    fn answer(self, result: Result<Bytes, CallError>) {
        self.reply.send(result).unwrap_or_default();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link {} with broker {}", self.serial, self.broker)
    }
}
