//! The state machine of one coordinator, which its task shares with those who bring heartbeats.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use config::BrokerConfig;
use coordinator::{ClassicGroups, Config, Effects};
use shard::Partition;
use tokio::time::Instant;

use crate::broker::Broker;

/// Entered by one at a time, for a step that waits for nothing.
///
/// Heartbeats enter where they arrive: most requests of a broker with many groups are heartbeats, and they have no
/// effects, so that nothing is gained by a queue and two wake-ups for each.
pub(super) struct Live {
    pub(super) partition: Arc<Partition>,
    timeline: Timeline,
    state: Mutex<State>,
}

struct State {
    groups: ClassicGroups,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// What the partition's view has is yet to be taken over.
    New,
    Leading,
    Over,
}

impl Live {
    pub(super) fn new(broker: &Broker, partition: Arc<Partition>) -> Self {
        let timeline = Timeline { start_ms: broker.env.clock.now_ms(), start: Instant::now() };
        let groups = ClassicGroups::new(classic_config(&broker.config()), broker.env.random.clone());
        Live { partition, timeline, state: Mutex::new(State { groups, phase: Phase::New }) }
    }

    /// Takes a step, with the time it is now; none is taken once the leadership has ended. Whoever is first takes over
    /// the groups that are there.
    pub(super) fn enter<R>(&self, step: impl FnOnce(&mut ClassicGroups, i64) -> R) -> Option<R> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { groups, phase } = &mut *state;
        let now_ms = self.timeline.now_ms();
        if *phase == Phase::New {
            *phase = Phase::Leading;
            if let Some(store) = self.partition.groups() {
                groups.load_all(now_ms, &store);
            }
        }
        (*phase == Phase::Leading).then(|| step(groups, now_ms))
    }

    /// Ends the leadership.
    pub(super) fn end(&self) -> Effects {
        let effects = self.enter(|groups, _| groups.unload()).unwrap_or_default();
        self.state.lock().unwrap_or_else(PoisonError::into_inner).phase = Phase::Over;
        effects
    }

    /// When time has something to do.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.enter(|groups, _| groups.next_deadline()).flatten().map(|at_ms| self.timeline.instant(at_ms))
    }
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

fn classic_config(config: &BrokerConfig) -> Config {
    Config {
        min_session_timeout_ms: config.group_min_session_timeout_ms(),
        max_session_timeout_ms: config.group_max_session_timeout_ms(),
        initial_rebalance_delay_ms: config.group_initial_rebalance_delay_ms(),
        max_size: usize::try_from(config.group_max_size()).unwrap_or(usize::MAX),
        offset_metadata_max_chars: usize::try_from(config.offset_metadata_max_bytes()).unwrap_or(0),
        offsets_retention_ms: i64::from(config.offsets_retention_minutes()) * 60_000,
    }
}
