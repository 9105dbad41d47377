//! The task of one coordinator: requests, outcomes of writes and time go into the state machine one
//! after another; replies and writes come out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::BrokerConfig;
use coordinator::{CallerId, ClassicGroups, Effects, Reply};
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use shard::Partition;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::Ask;
use super::writes::{Written, write};
use crate::broker::{Broker, ShardHere};

/// Groups looked at in one go when offsets expire, so that requests do not wait for long.
const GROUPS_PER_EXPIRY: usize = 100;

struct Actor {
    broker: Arc<Broker>,
    here: ShardHere,
    term: u64,
    partition: Arc<Partition>,
    groups: ClassicGroups,
    callers: BTreeMap<CallerId, oneshot::Sender<Reply>>,
    next_caller: u64,
    writes: FuturesOrdered<Written>,
    timeline: Timeline,
    /// Where the walk through all groups, for offsets to expire, goes on; and when.
    expiry: (Option<String>, Instant),
}

/// Time that does not jump: the wall clock at the start, and the time since then.
struct Timeline {
    start_ms: i64,
    start: Instant,
}

impl Timeline {
    fn now_ms(&self) -> i64 {
        self.start_ms + i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX / 2)
    }

    fn instant(&self, at_ms: i64) -> Instant {
        self.start + Duration::from_millis(u64::try_from(at_ms - self.start_ms).unwrap_or(0))
    }
}

fn check_interval(broker: &Broker) -> Duration {
    Duration::from_millis(broker.config().offsets_retention_check_interval_ms().max(1) as u64)
}

fn classic_config(config: &BrokerConfig) -> coordinator::Config {
    coordinator::Config {
        min_session_timeout_ms: config.group_min_session_timeout_ms(),
        max_session_timeout_ms: config.group_max_session_timeout_ms(),
        initial_rebalance_delay_ms: config.group_initial_rebalance_delay_ms(),
        max_size: usize::try_from(config.group_max_size()).unwrap_or(usize::MAX),
        offset_metadata_max_chars: usize::try_from(config.offset_metadata_max_bytes()).unwrap_or(0),
        offsets_retention_ms: i64::from(config.offsets_retention_minutes()) * 60_000,
    }
}

/// Coordinates until the term ends or the broker stops.
pub(super) async fn run(
    broker: Arc<Broker>,
    here: ShardHere,
    term: u64,
    partition: Arc<Partition>,
    mut asks: mpsc::Receiver<Ask>,
) {
    let timeline = Timeline { start_ms: broker.env.clock.now_ms(), start: Instant::now() };
    let mut groups = ClassicGroups::new(classic_config(&broker.config()), broker.env.random.clone());
    if let Some(store) = partition.groups() {
        groups.load_all(timeline.now_ms(), &store);
    }
    let expiry = (None, Instant::now() + check_interval(&broker));
    let mut actor = Actor {
        broker,
        here,
        term,
        partition,
        groups,
        callers: BTreeMap::new(),
        next_caller: 0,
        writes: FuturesOrdered::new(),
        timeline,
        expiry,
    };
    actor.coordinate(&mut asks).await;
    let effects = actor.groups.unload();
    actor.reply(effects);
}

impl Actor {
    async fn coordinate(&mut self, asks: &mut mpsc::Receiver<Ask>) {
        let mut status = self.here.status.clone();
        let stopping = self.broker.clone();
        let mut stopping = std::pin::pin!(stopping.stop.requested());
        while self.here.leading_term(self.broker.id()) == Some(self.term) {
            let expiry = self.expiry.1;
            let deadline = self.groups.next_deadline().map_or(expiry, |at_ms| self.timeline.instant(at_ms).min(expiry));
            let effects = tokio::select! {
                biased;
                () = &mut stopping => return,
                changed = status.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
                Some((id, result)) = self.writes.next() => {
                    self.groups.written(self.timeline.now_ms(), id, result)
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
        let now_ms = self.timeline.now_ms();
        let Some(store) = self.partition.groups() else { return Effects::default() };
        // An answer that nobody waits for any more is dropped: the client has gone.
        match ask {
            Ask::Request(request, answer) => {
                let caller = CallerId(self.next_caller);
                self.next_caller += 1;
                self.callers.insert(caller, answer);
                return self.groups.handle(now_ms, &store, caller, request);
            }
            Ask::Describe(group, answer) => drop(answer.send(self.groups.describe(&store, &group))),
            Ask::List(filter, answer) => drop(answer.send(self.groups.list(&store, &filter))),
            Ask::TopicDeleted(topic) => return self.groups.topic_deleted(now_ms, &store, &topic),
        }
        Effects::default()
    }

    fn pass_time(&mut self) -> Effects {
        let now_ms = self.timeline.now_ms();
        let mut effects = self.groups.expire(now_ms);
        if Instant::now() >= self.expiry.1
            && let Some(store) = self.partition.groups()
        {
            let (after, _) = &self.expiry;
            let (more, next) = self.groups.expire_offsets(now_ms, &store, after.as_deref(), GROUPS_PER_EXPIRY);
            effects.replies.extend(more.replies);
            effects.writes.extend(more.writes);
            let pause = match next {
                Some(_) => Duration::from_millis(1),
                None => check_interval(&self.broker),
            };
            self.expiry = (next, Instant::now() + pause);
        }
        effects
    }

    async fn carry_out(&mut self, effects: Effects) {
        let writes = self.reply(effects);
        for write_wanted in writes {
            let now_ms = self.broker.env.clock.now_ms();
            self.writes.push_back(write(&self.here.shard, self.partition.id, now_ms, write_wanted).await);
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
