//! One partition as everybody on this broker sees it: apply writes it, fetches read it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coordinator::GroupStore;
use log::PartitionLog;
use model::{GroupId, PartitionId, TopicName};
use serde::{Deserialize, Serialize};

use crate::entry::PartitionSettings;
use crate::waiters::Waiters;

/// Where a partition's leader epochs begin: its epoch in the shard's first term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochBase {
    /// That epoch.
    pub epoch: i32,
}

impl EpochBase {
    /// The leader epoch in `term`.
    pub fn in_term(self, term: u64) -> i32 {
        model::leader_epoch(self.epoch, term)
    }
}

impl EpochBase {
    /// Such that the leader epoch in `term` comes after `epoch`.
    pub(crate) fn after(epoch: i32, term: u64) -> Self {
        let so_far = model::leader_epoch(0, term);
        EpochBase { epoch: epoch.saturating_add(1).saturating_sub(so_far) }
    }
}

/// Whether a partition is here for others to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// It is.
    #[default]
    Serving,
    /// It is on its way here, by this move.
    Arriving(u64),
    /// It is on its way to another shard, by this move, and takes no more records here.
    Leaving(u64),
}

/// How a partition came here from another shard: names its directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Arrival {
    /// This shard.
    pub(crate) shard: GroupId,
    /// Index of the entry by which it was first expected.
    pub(crate) entry: u64,
}

/// How a partition stands in its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) epoch_base: EpochBase,
    #[serde(default)]
    pub(crate) stage: Stage,
    /// The move by which it came here.
    #[serde(default)]
    pub(crate) arrived_by: Option<u64>,
}

/// The last batches of idempotent producers. A copy, so that apply need not share what it knows with every batch.
#[derive(Clone, Debug)]
pub struct KnownProducers {
    /// Batches from this offset on are not looked at.
    pub below: i64,
    /// Of each live producer its id and the base offset of its last batch, ordered by the ids.
    pub last_batches: Arc<[(i64, i64)]>,
}

/// A partition that lives in this shard.
pub struct Partition {
    /// Its identity.
    pub id: PartitionId,
    /// The topic's name.
    pub topic: TopicName,
    /// Its records.
    pub log: PartitionLog,
    pub(crate) arrival: Option<Arrival>,
    standing: Mutex<Standing>,
    settings: Mutex<PartitionSettings>,
    /// Committed offsets and group metadata, if this is a partition of `__consumer_offsets`.
    groups: Option<Mutex<GroupStore>>,
    waiters: Waiters,
    known: Mutex<KnownProducers>,
    /// When the newest record was applied, by the shard's clock; for reports only.
    last_append_ms: AtomicI64,
}

impl Partition {
    pub(crate) fn new(
        id: PartitionId,
        topic: TopicName,
        log: PartitionLog,
        settings: PartitionSettings,
        arrival: Option<Arrival>,
        standing: Standing,
    ) -> Self {
        let known = KnownProducers { below: log.log_end(), last_batches: [].into() };
        let groups = (topic.as_str() == TopicName::CONSUMER_OFFSETS).then(Mutex::default);
        Partition {
            id,
            topic,
            log,
            arrival,
            standing: Mutex::new(standing),
            settings: Mutex::new(settings),
            groups,
            waiters: Waiters::default(),
            known: Mutex::new(known),
            last_append_ms: AtomicI64::new(-1),
        }
    }

    pub(crate) fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where its leader epochs begin.
    pub fn epoch_base(&self) -> EpochBase {
        self.standing().epoch_base
    }

    /// Whether it is here for others to use.
    pub fn stage(&self) -> Stage {
        self.standing().stage
    }

    /// The replicated view of the groups kept in this partition; none but in `__consumer_offsets`.
    pub fn groups(&self) -> Option<MutexGuard<'_, GroupStore>> {
        self.groups.as_ref().map(|groups| groups.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The settings that were applied last.
    pub fn settings(&self) -> PartitionSettings {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn configure(&self, settings: PartitionSettings) {
        self.log.set_settings(settings.log.clone());
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// The live producers as of the last checkpoint, for compaction: it may go as far as that.
    pub fn known_producers(&self) -> KnownProducers {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_known_producers(&self, known: KnownProducers) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// The shard's clock at the newest append since start, or -1.
    pub fn last_append_ms(&self) -> i64 {
        self.last_append_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn grown(&self, now_ms: i64) {
        self.last_append_ms.store(now_ms, Ordering::Relaxed);
        self.waiters.wake();
    }

    /// Wakes those who wait here, to look at what became of the partition.
    pub(crate) fn changed(&self) {
        self.waiters.wake();
    }
}

impl AsRef<Waiters> for Partition {
    fn as_ref(&self) -> &Waiters {
        &self.waiters
    }
}
