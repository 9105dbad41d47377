//! Compaction: logs of topics with `cleanup.policy=compact`, the one that needs it most first, a step
//! at a time on threads that may block. Each replica compacts for itself: nothing of it is replicated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::TopicConfig;
use log::{Compaction, CompactionNeed, CompactionOrder, CompactionReport, CompactionRules, CompactionStep, LogError};
use model::PartitionId;
use shard::{Partition, Stage, entry};
use tokio::sync::RwLock;
use tokio::task::JoinSet;

use crate::broker::{Broker, ShardHere};

/// Bytes that are read and written in one step at most: some milliseconds, after which others have
/// their turn.
const STEP_BYTES: u64 = 4 * 1024 * 1024;

/// And where the rate is limited so low that a step would take long.
const LEAST_STEP_BYTES: u64 = 64 * 1024;

/// Old segments of so many bytes may wait for a checkpoint to let them go while a pass goes on.
const REPLACED_BYTES: u64 = 256 * 1024 * 1024;

/// A log whose compaction failed is left alone for so long: damage does not mend itself.
const RETRY_AFTER_MS: i64 = 5 * 60 * 1000;

/// Between two looks at all logs, whatever `log.cleaner.backoff.ms` says.
const LEAST_PAUSE: Duration = Duration::from_millis(10);

/// What the tasks that compact share.
#[derive(Default)]
pub(crate) struct Compactions {
    running: Mutex<BTreeSet<PartitionId>>,
    /// Those that failed, and when they may be tried again.
    failed: Mutex<BTreeMap<PartitionId, i64>>,
    /// Held by each pass, so that a stop can wait until nobody touches files any more.
    at_work: RwLock<()>,
}

impl Compactions {
    /// Returns when no pass goes on. To be called when the broker has been told to stop.
    pub(crate) async fn ended(&self) {
        drop(self.at_work.write().await);
    }

    fn running(&self) -> MutexGuard<'_, BTreeSet<PartitionId>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self) -> MutexGuard<'_, BTreeMap<PartitionId, i64>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A log that is due, and that nobody else compacts meanwhile.
struct Candidate {
    broker: Arc<Broker>,
    here: ShardHere,
    partition: Arc<Partition>,
    rules: CompactionRules,
    need: CompactionNeed,
}

impl Drop for Candidate {
    fn drop(&mut self) {
        self.broker.compactions.running().remove(&self.partition.id);
    }
}

/// Compacts, up to `log.cleaner.threads` logs at once, until the broker stops.
pub(crate) async fn run(broker: Arc<Broker>) {
    let mut passes = JoinSet::new();
    while !broker.stop.is_requested() {
        while passes.len() < threads(&broker)
            && let Some(candidate) = pick(&broker)
        {
            model::spawn_on(&mut passes, work_on(candidate));
        }
        let pause = Duration::from_millis(u64::try_from(broker.config().log_cleaner_backoff_ms()).unwrap_or(0));
        tokio::select! {
            biased;
            () = broker.stop.requested() => {}
            Some(_) = passes.join_next() => {}
            () = tokio::time::sleep(pause.max(LEAST_PAUSE)) => {}
        }
    }
    // None is cut off in the midst of a step: a thread would go on with it.
    while passes.join_next().await.is_some() {}
}

fn threads(broker: &Broker) -> usize {
    usize::try_from(broker.config().log_cleaner_threads()).unwrap_or(0)
}

async fn work_on(candidate: Candidate) {
    let broker = candidate.broker.clone();
    let _at_work = broker.compactions.at_work.read().await;
    if broker.stop.is_requested() {
        return;
    }
    // It counts as failed until it has not: a pass that panics must not be tried again at once.
    let (id, clock) = (candidate.partition.id, broker.env.clock.clone());
    let fail = || {
        let retry_ms = clock.now_ms().saturating_add(RETRY_AFTER_MS);
        broker.compactions.failed().insert(id, retry_ms);
    };
    fail();
    match compact(&broker, &candidate).await {
        Ok(()) => {
            broker.compactions.failed().remove(&id);
        }
        Err(why) => {
            report(&candidate.partition, &why);
            if let GivenUp::Log(LogError::Damaged { from, .. }) = why {
                broker.mending.ask(id, from);
            }
            fail();
        }
    }
}

async fn stops_within(broker: &Broker, time: Duration) -> bool {
    tokio::select! {
        biased;
        () = broker.stop.requested() => true,
        () = tokio::time::sleep(time) => false,
    }
}

/// The log that needs it most, of all that are compacted, here, and not in work.
fn pick(broker: &Arc<Broker>) -> Option<Candidate> {
    if broker.room.is_full() {
        return None; // what is left is for deletes and retention
    }
    let now_ms = broker.env.clock.now_ms();
    broker.compactions.failed().retain(|_, retry_ms| *retry_ms > now_ms);
    let (image, shards) = (broker.image(), broker.shards.load_full());
    let mut most: Option<Candidate> = None;
    for topic in image.topics() {
        let settings = broker.topics.settings(topic);
        if !settings.config.cleanup_policy.compact {
            continue;
        }
        let rules = rules(&settings.config);
        for (index, place) in topic.numbered() {
            let id = PartitionId { topic: topic.id, index };
            let Some(here) = shards.get(&place.shard) else { continue };
            let Some(partition) = here.shard.view().get(id) else { continue };
            if partition.stage() != Stage::Serving {
                continue;
            }
            let Some(need) = partition.log.compaction_need(&rules, i64::MAX, now_ms) else { continue };
            let is_more = most.as_ref().is_none_or(|most| need > most.need);
            if is_more && !broker.compactions.failed().contains_key(&id) && broker.compactions.running().insert(id) {
                let broker = broker.clone();
                most = Some(Candidate { broker, here: here.clone(), partition, rules, need });
            }
        }
    }
    most
}

fn rules(config: &TopicConfig) -> CompactionRules {
    CompactionRules {
        min_lag_ms: config.min_compaction_lag_ms,
        max_lag_ms: config.max_compaction_lag_ms,
        min_dirty_ratio: config.min_cleanable_dirty_ratio,
        delete_retention_ms: config.delete_retention_ms,
    }
}

/// Why a pass was given up.
#[derive(Debug, thiserror::Error)]
enum GivenUp {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("no checkpoint could be taken that would let it begin: {0}")]
    Checkpoint(String),
    #[error("the disk is full")]
    DiskFull,
}

/// Passes over one log, until all its keys have been looked at.
async fn compact(broker: &Broker, candidate: &Candidate) -> Result<(), GivenUp> {
    let Candidate { here, partition, rules, need, .. } = candidate;
    let now_ms = broker.env.clock.now_ms();
    let is_known = || partition.log.compaction_need(rules, partition.known_producers().below, now_ms);
    if is_known() != Some(*need) {
        // What was closed since the last checkpoint may not be touched before the next.
        here.shard.checkpoint().await.map_err(|why| GivenUp::Checkpoint(why.to_string()))?;
    }
    if is_known().is_none() {
        return Err(GivenUp::Checkpoint("it is not taken for as long as entries wait for the disk".to_owned()));
    }
    loop {
        let order = order(broker, partition, *rules);
        let mut replaced = Replaced { candidate, bytes: 0 };
        let ended = pass(broker, partition.log.compact(order), &mut replaced).await;
        replaced.give_back().await;
        match ended? {
            Some(CompactionReport { bytes_before, bytes_after, has_more }) => {
                let (topic, index) = (&partition.topic, partition.id.index);
                tracing::info!(%topic, index, bytes_before, bytes_after, has_more, "a log was compacted");
                if !has_more {
                    return Ok(());
                }
            }
            None => return Ok(()),
        }
    }
}

fn order(broker: &Broker, partition: &Partition, rules: CompactionRules) -> CompactionOrder {
    let config = broker.config();
    let known = partition.known_producers();
    let threads = i64::from(config.log_cleaner_threads().max(1));
    CompactionOrder {
        rules,
        below: known.below,
        last_batches: known.last_batches,
        map_bytes: u64::try_from(config.log_cleaner_dedupe_buffer_size() / threads).unwrap_or(0),
        map_load: config.log_cleaner_io_buffer_load_factor(),
        seed: broker.env.random.bytes(),
        now_ms: broker.env.clock.now_ms(),
    }
}

/// The steps of one pass; no report if it was overtaken, or the broker stops.
async fn pass(
    broker: &Broker,
    mut pass: Compaction,
    replaced: &mut Replaced<'_>,
) -> Result<Option<CompactionReport>, GivenUp> {
    loop {
        // The settings may change while a pass goes on.
        let bytes_per_second = bytes_per_second(broker);
        // A tenth of a second's worth: a limit that low is meant to be felt evenly.
        let step_bytes = ((bytes_per_second / 10.0) as u64).clamp(LEAST_STEP_BYTES, STEP_BYTES);
        if broker.room.is_full() {
            return Err(GivenUp::DiskFull);
        }
        let work = move || {
            let step = pass.step(step_bytes);
            (pass, step)
        };
        let (again, step) = broker.env.blocking(work).await;
        pass = again;
        let bytes = match step? {
            CompactionStep::Worked(bytes) => bytes,
            CompactionStep::Replaced(bytes) => {
                replaced.add(bytes).await;
                0
            }
            CompactionStep::Done(report) => return Ok(Some(report)),
            CompactionStep::Overtaken => return Ok(None),
        };
        let pause = Duration::try_from_secs_f64(bytes as f64 / bytes_per_second).unwrap_or(Duration::MAX);
        if broker.stop.is_requested() || (pause > Duration::from_millis(1) && stops_within(broker, pause).await) {
            return Ok(None);
        }
    }
}

/// What each of as many passes as there may be gets of `log.cleaner.io.max.bytes.per.second`.
fn bytes_per_second(broker: &Broker) -> f64 {
    let config = broker.config();
    (config.log_cleaner_io_max_bytes_per_second() / f64::from(config.log_cleaner_threads().max(1))).max(1.0)
}

/// Segments that a pass has replaced, and whose files are to be given back to the disk.
struct Replaced<'a> {
    candidate: &'a Candidate,
    bytes: u64,
}

impl Replaced<'_> {
    async fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
        if self.bytes >= REPLACED_BYTES {
            self.give_back().await;
        }
    }

    /// Lets the next checkpoint name the new segments, and makes sure that there is one.
    async fn give_back(&mut self) {
        if std::mem::take(&mut self.bytes) == 0 {
            return;
        }
        let Candidate { broker, here, partition, .. } = self.candidate;
        let now_ms = broker.env.clock.now_ms();
        here.shard.compacted(partition, now_ms);
        if here.leading_term(broker.id()).is_some() {
            // A checkpoint is taken of something new only.
            let nothing = entry::advance_start(now_ms, &entry::AdvanceStart::default());
            if let Err(why) = here.shard.submit(nothing).await {
                tracing::debug!(shard = %here.shard.id(), %why, "compacted segments wait for the next checkpoint");
            }
        }
    }
}

fn report(partition: &Partition, why: &GivenUp) {
    let (topic, index) = (&partition.topic, partition.id.index);
    match why {
        GivenUp::Log(LogError::Damaged { .. }) => {
            tracing::error!(%topic, index, %why, "a log can't be compacted, and grows until it is repaired");
        }
        _ => tracing::warn!(%topic, index, %why, "a compaction was given up, to be tried again"),
    }
}
