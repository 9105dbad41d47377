//! The task of one coordinator: requests, outcomes of writes and time go into the state machine one
//! after another; replies and writes come out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use coordinator::{CallerId, Effects, Reply};
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use shard::Stage;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::Ask;
use super::live::Live;
use super::writes::{Written, write};
use crate::broker::{Broker, ShardHere};

/// Groups looked at in one go when offsets expire, so that requests do not wait for long.
const GROUPS_PER_EXPIRY: usize = 100;

struct Actor {
    broker: Arc<Broker>,
    here: ShardHere,
    term: u64,
    live: Arc<Live>,
    callers: BTreeMap<CallerId, oneshot::Sender<Reply>>,
    next_caller: u64,
    writes: FuturesOrdered<Written>,
    /// Where the walk through all groups, for offsets to expire, goes on; and when.
    expiry: (Option<String>, Instant),
}

fn check_interval(broker: &Broker) -> Duration {
    Duration::from_millis(broker.config().offsets_retention_check_interval_ms().max(1) as u64)
}

/// Coordinates until the term ends or the broker stops.
pub(super) async fn run(
    broker: Arc<Broker>,
    here: ShardHere,
    term: u64,
    live: Arc<Live>,
    mut asks: mpsc::Receiver<Ask>,
) {
    let expiry = (None, Instant::now() + check_interval(&broker));
    let mut actor = Actor {
        broker,
        here,
        term,
        live,
        callers: BTreeMap::new(),
        next_caller: 0,
        writes: FuturesOrdered::new(),
        expiry,
    };
    actor.coordinate(&mut asks).await;
    let effects = actor.live.end();
    actor.reply(effects);
}

impl Actor {
    async fn coordinate(&mut self, asks: &mut mpsc::Receiver<Ask>) {
        let mut status = self.here.status.clone();
        let stopping = self.broker.clone();
        let mut stopping = std::pin::pin!(stopping.stop.requested());
        while self.here.leading_term(self.broker.id()) == Some(self.term) {
            let expiry = self.expiry.1;
            let deadline = self.live.next_deadline().map_or(expiry, |deadline| deadline.min(expiry));
            let effects = tokio::select! {
                biased;
                () = &mut stopping => return,
                changed = status.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
                Some((id, result)) = self.writes.next() => {
                    self.live.enter(|groups, now_ms| groups.written(now_ms, id, result)).unwrap_or_default()
                }
                ask = asks.recv() => match ask {
                    Some(ask) => self.take(ask),
                    None => return,
                },
                () = sleep_until(deadline) => self.pass_time(),
            };
            self.carry_out(effects).await;
        }
    }

    fn take(&mut self, ask: Ask) -> Effects {
        let Self { live, callers, next_caller, .. } = self;
        let taken = live.enter(|groups, now_ms| {
            let store = live.partition.groups()?;
            if live.partition.stage() != Stage::Serving {
                return None; // it goes to another shard, whose leader coordinates from now on
            }
            // An answer that nobody waits for any more is dropped: the client has gone.
            match ask {
                Ask::Request(request, answer) => {
                    let caller = CallerId(*next_caller);
                    *next_caller += 1;
                    callers.insert(caller, answer);
                    return Some(groups.handle(now_ms, &store, caller, request));
                }
                Ask::Describe(group, answer) => drop(answer.send(groups.describe(&store, &group))),
                Ask::List(filter, answer) => drop(answer.send(groups.list(&store, &filter))),
                Ask::TopicDeleted(topic) => return Some(groups.topic_deleted(now_ms, &store, &topic)),
            }
            None
        });
        taken.flatten().unwrap_or_default()
    }

    fn pass_time(&mut self) -> Effects {
        let Self { live, expiry: (after, due), .. } = self;
        let is_due = Instant::now() >= *due;
        let passed = live.enter(|groups, now_ms| {
            let mut effects = groups.expire(now_ms);
            let store = live.partition.groups().filter(|_| is_due);
            let next = store.map(|store| {
                let (more, next) = groups.expire_offsets(now_ms, &store, after.as_deref(), GROUPS_PER_EXPIRY);
                effects.replies.extend(more.replies);
                effects.writes.extend(more.writes);
                next
            });
            (effects, next)
        });
        let Some((effects, next)) = passed else { return Effects::default() };
        if let Some(next) = next {
            let pause = if next.is_some() { Duration::from_millis(1) } else { check_interval(&self.broker) };
            self.expiry = (next, Instant::now() + pause);
        }
        effects
    }

    async fn carry_out(&mut self, effects: Effects) {
        let writes = self.reply(effects);
        for write_wanted in writes {
            let now_ms = self.broker.env.clock.now_ms();
            let written = write(&self.here.shard, self.live.partition.id, self.term, now_ms, write_wanted);
            self.writes.push_back(written.await);
        }
    }

    /// Sends the replies; gives back the writes.
    fn reply(&mut self, effects: Effects) -> Vec<coordinator::Write> {
        for (caller, reply) in effects.replies {
            if let Some(waiting) = self.callers.remove(&caller) {
                drop(waiting.send(reply)); // the client may have gone
            }
        }
        effects.writes
    }
}
