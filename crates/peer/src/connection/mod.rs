//! One connection, from the handshake to its end: a task that reads, serves, and writes.
//!
//! It goes round and round: each turn reads once, looks at the clock, goes on with the calls that are served,
//! and writes once. So nothing starves, whatever is always ready.

mod arriving;
mod departing;
mod serving;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::time::{Duration, Instant, Interval, MissedTickBehavior, interval};

use crate::frame::{Goodbye, Head, Violation, What};
use crate::handshake::greeting::{Purpose, put_identity, take_identity};
use crate::link::{Link, Look, Next, Phase, URGENT_SHARE};
use crate::{CallError, Identity, MAX_NEWS_BYTES, Options, Service, Stream, Urgency};
use arriving::Arriving;
use departing::Departing;
use serving::Serving;

/// Turns before other tasks get theirs.
const MAX_TURNS: usize = 64;

/// How long a good-bye may take: who does not read it is not waited for.
const GOODBYE_TIME: Duration = Duration::from_millis(200);

/// How a connection ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// It broke, or was broken off.
    Broken(String),
    /// The other end has closed it, with these words, and its process has ended or not.
    Goodbye { gone: bool, words: String },
    /// This end has closed it.
    Left(String),
    /// There is a better one, and nothing is left to do on this one.
    Superseded,
}

impl End {
    /// In words for people.
    pub(crate) fn words(&self) -> &str {
        match self {
            End::Broken(words) | End::Goodbye { words, .. } | End::Left(words) => words,
            End::Superseded => "another connection has taken its place",
        }
    }
}

/// Who is told that the other end has a new identity; it may object.
pub(crate) type Reintroduced = Box<dyn Fn(&Link, Identity) + Send>;

/// See the module.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    link: Arc<Link>,
    service: Arc<dyn Service>,
    options: Arc<Options>,
    /// Whether the other end may call.
    serves: bool,
    from: Arc<Identity>,
    reintroduced: Reintroduced,
    arriving: Arriving,
    departing: Departing,
    serving: Serving,
    ticks: Interval,
    heard_at: Instant,
    heartbeat_due: bool,
    introduction: Option<Arc<Identity>>,
    /// Since when this end is closing it.
    leaving: Option<Instant>,
    /// Who has said that no more calls will come.
    we_retired: bool,
    they_retired: bool,
}

impl Connection {
    pub(crate) fn new(
        stream: Box<dyn Stream>,
        link: Arc<Link>,
        serves: bool,
        (service, options): (Arc<dyn Service>, Arc<Options>),
        reintroduced: Reintroduced,
    ) -> Self {
        let mut ticks = interval(options.heartbeat);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Connection {
            stream,
            from: link.identity(),
            link,
            serving: Serving::new(service.clone(), [options.window_bytes / URGENT_SHARE, options.window_bytes]),
            service,
            options,
            serves,
            reintroduced,
            arriving: Arriving::default(),
            departing: Departing::default(),
            ticks,
            heard_at: Instant::now(),
            heartbeat_due: false,
            introduction: None,
            leaving: None,
            we_retired: false,
            they_retired: false,
        }
    }

    /// Runs until it ends.
    pub(crate) async fn run(mut self) -> End {
        poll_fn(move |cx| {
            for _ in 0..MAX_TURNS {
                match self.turn(cx) {
                    Ok(true) => {}
                    Ok(false) => return Poll::Pending,
                    Err(end) => return Poll::Ready(end),
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    /// Does a little of everything, and whether there may be more to do.
    fn turn(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let has_read = self.read(cx)?;
        let has_ticked = self.tick(cx, has_read)?;
        let has_answered = self.serving.poll(&self.from, cx);
        let has_written = self.write(cx)?;
        let has_sent_all = self.departing.is_between_messages() && self.departing.is_flushed();
        let is_done = self.we_retired && self.they_retired && has_sent_all;
        if is_done && self.serving.is_empty() && self.link.has_no_calls() {
            return Err(End::Superseded);
        }
        Ok(has_read || has_ticked || has_answered || has_written)
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        match self.arriving.poll_read(&mut *self.stream, cx) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Ok(0)) => return Err(End::Broken("the other broker closed the connection".to_owned())),
            Poll::Ready(Err(why)) => return Err(End::Broken(why.to_string())),
            Poll::Ready(Ok(_)) => self.heard_at = Instant::now(),
        }
        while let Some((head, body)) = self.arriving.next().map_err(|violation| End::Broken(violation.to_string()))? {
            self.handle(head, body)?;
        }
        Ok(true)
    }

    fn handle(&mut self, head: Head, body: Bytes) -> Result<(), End> {
        let broken = |violation: Violation| End::Broken(violation.to_string());
        match head.what {
            What::Request if !self.serves => return Err(broken(Violation::OutOfPlace)),
            What::Request => {
                self.serving.take(&self.from, (head.call, head.kind), head.lane, body).map_err(broken)?;
            }
            What::Reply => self.link.answer(head.call, Ok(body)),
            What::Failure => {
                let words = String::from_utf8_lossy(&body).into_owned();
                self.link.answer(head.call, Err(CallError::Failed(words)));
            }
            What::Cancel => self.serving.cancel(head.call),
            // Later ones may have come by the connection that took the place of this.
            What::Heartbeat if !self.link.is_current() => {}
            What::Heartbeat if self.link.purpose == Purpose::Pair => self.service.heard(&self.from, body),
            What::Heartbeat | What::Unknown => {}
            What::Identity => {
                let identity = take_identity(&mut &body[..]).filter(|identity| identity.is_process(&self.from));
                let identity = identity.ok_or_else(|| broken(Violation::OutOfPlace))?;
                self.from = Arc::new(identity.clone());
                (self.reintroduced)(&self.link, identity);
            }
            What::Retire => self.they_retired = true,
            What::Goodbye => {
                let gone = head.kind == Goodbye::Stopping as u8;
                return Err(End::Goodbye { gone, words: String::from_utf8_lossy(&body).into_owned() });
            }
        }
        Ok(())
    }

    /// Looks at the clock with each heartbeat. Who has just been heard is not silent, however late it is here.
    fn tick(&mut self, cx: &mut Context<'_>, has_read: bool) -> Result<bool, End> {
        if self.ticks.poll_tick(cx).is_pending() {
            return Ok(false);
        }
        let now = Instant::now();
        self.link.expire(now);
        self.heartbeat_due = true;
        let silence = now - self.heard_at;
        if !has_read && silence >= self.options.silence {
            return Err(End::Broken(format!("nothing was heard for {} ms", silence.as_millis())));
        }
        Ok(true)
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        self.fill(cx)?;
        let written = match self.departing.poll_write(&mut *self.stream, cx) {
            Poll::Ready(Ok(written)) => written > 0,
            Poll::Ready(Err(why)) => return Err(End::Broken(why.to_string())),
            Poll::Pending => false,
        };
        match self.leaving {
            Some(since) if self.departing.is_flushed() || since.elapsed() >= GOODBYE_TIME => {
                Err(End::Left("this broker closed the connection".to_owned()))
            }
            _ => Ok(written),
        }
    }

    /// Makes ready what is to be written, the most urgent first.
    fn fill(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        let Look { phase, is_drained, introduction, news_wanted } = self.link.look(cx.waker());
        self.heartbeat_due |= news_wanted;
        self.introduction = introduction.or(self.introduction.take());
        match phase {
            Phase::Ended(why) => return Err(End::Broken(why)),
            Phase::Leaving(why, words) => {
                self.say_goodbye(why, words);
                return Ok(());
            }
            Phase::Retiring if is_drained && self.departing.is_between_messages() && !self.we_retired => {
                self.put_control(What::Retire, 0, Bytes::new());
                self.we_retired = true;
            }
            Phase::Open | Phase::Retiring => {}
        }
        while self.departing.has_room() && (self.put_own() || self.put_urgent() || self.put_bulk()) {}
        Ok(())
    }

    /// What the connection itself has to say.
    fn put_own(&mut self) -> bool {
        if let Some(identity) = self.introduction.take() {
            let mut body = Vec::new();
            put_identity(&mut body, &identity);
            self.put_control(What::Identity, 0, body.into());
            return true;
        }
        if std::mem::take(&mut self.heartbeat_due) {
            let news = if self.link.purpose == Purpose::Pair { self.service.news() } else { Bytes::new() };
            let news = match news.len() {
                ..=MAX_NEWS_BYTES => news,
                bytes => {
                    tracing::warn!(bytes, "news for other brokers are too long, and are not sent");
                    Bytes::new()
                }
            };
            self.put_control(What::Heartbeat, 0, news);
            return true;
        }
        false
    }

    fn put_urgent(&mut self) -> bool {
        self.put_reply(Urgency::Urgent) || self.put_call(Urgency::Urgent)
    }

    /// Replies first: they make room in the other's window.
    fn put_bulk(&mut self) -> bool {
        self.departing.put_piece() || self.put_reply(Urgency::Bulk) || self.put_call(Urgency::Bulk)
    }

    fn put_reply(&mut self, lane: Urgency) -> bool {
        let Some(reply) = self.serving.next_reply(lane) else { return false };
        self.departing.put_message(reply.what, lane, (0, reply.call), reply.message);
        true
    }

    fn put_call(&mut self, lane: Urgency) -> bool {
        match self.link.next(lane) {
            None => return false,
            Some(Next::Call(call)) => {
                self.departing.put_message(What::Request, lane, (call.kind, call.call), call.message);
            }
            Some(Next::Cancelled(call)) => {
                self.departing.put(Head::whole(What::Cancel, lane, call, 0), &Bytes::new());
            }
        }
        true
    }

    fn say_goodbye(&mut self, why: Goodbye, words: String) {
        if self.leaving.is_none() {
            self.leaving = Some(Instant::now());
            self.put_control(What::Goodbye, why as u8, words.into());
        }
    }

    fn put_control(&mut self, what: What, kind: u8, body: Bytes) {
        let head = Head { kind, ..Head::whole(what, Urgency::Urgent, 0, body.len()) };
        self.departing.put(head, &body);
    }
}
