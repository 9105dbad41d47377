//! Checkpoints: partition logs are synced, then the manifest names what they hold. After that the
//! journal need not keep the entries any more.
//!
//! Keys of a shard's manifest: `m` (the shard itself), `p` + topic id + partition (a partition),
//! `g` + topic id + partition + the group's own key (a group of that `__consumer_offsets`
//! partition). Values are MessagePack with named fields; groups' values are the coordinator's.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use bytes::{BufMut, Bytes, BytesMut};
use log::{LogDescription, SyncJob};
use manifest::ManifestError;
use model::{PartitionId, TopicName};
use raft::Applied;
use serde::{Deserialize, Serialize};

use crate::entry::PartitionSettings;
use crate::garbage::Garbage;
use crate::machine::{Cell, Machine};
use crate::partition::{Arrival, EpochBase, KnownProducers, Partition, Stage, Standing};
use crate::producers::Producers;

pub(crate) const META_KEY: &[u8] = b"m";
pub(crate) const PARTITION_PREFIX: u8 = b'p';
pub(crate) const GROUP_PREFIX: u8 = b'g';
/// A prefix, a topic id and a partition's number.
pub(crate) const PARTITION_KEY_BYTES: usize = 21;

/// The value of the key `m`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Meta {
    pub(crate) term: u64,
    pub(crate) node: i32,
    pub(crate) index: u64,
    #[serde(with = "serde_bytes")]
    pub(crate) membership: Vec<u8>,
    pub(crate) clock_ms: i64,
    pub(crate) level: u16,
    #[serde(default)]
    pub(crate) image_version: u64,
}

/// The value of a key `p...`.
#[derive(Serialize, Deserialize)]
pub(crate) struct PartitionRecord {
    pub(crate) topic: TopicName,
    pub(crate) epoch_base: EpochBase,
    #[serde(default)]
    pub(crate) stage: Stage,
    #[serde(default)]
    pub(crate) arrived_by: Option<u64>,
    #[serde(default)]
    pub(crate) arrival: Option<Arrival>,
    pub(crate) settings: PartitionSettings,
    pub(crate) log: LogDescription,
    #[serde(default)]
    pub(crate) producers: Producers,
}

impl PartitionRecord {
    /// What a manifest is to say of a partition whose log is as described.
    pub(crate) fn of(cell: &Cell, log: LogDescription) -> Self {
        let partition = &cell.partition;
        let Standing { epoch_base, stage, arrived_by } = *partition.standing();
        PartitionRecord {
            topic: partition.topic.clone(),
            epoch_base,
            stage,
            arrived_by,
            arrival: partition.arrival,
            settings: cell.settings.clone(),
            log,
            producers: cell.producers.clone(),
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        Standing { epoch_base: self.epoch_base, stage: self.stage, arrived_by: self.arrived_by }
    }
}

/// The key of a partition, or the beginning of the keys of its groups.
pub(crate) fn partition_key(prefix: u8, id: PartitionId) -> BytesMut {
    let mut key = BytesMut::with_capacity(PARTITION_KEY_BYTES);
    key.put_u8(prefix);
    key.put_slice(id.topic.0.as_bytes());
    key.put_i32(id.index);
    key
}

/// What no durable manifest says yet, and what may be removed once one does.
#[derive(Default)]
pub(crate) struct Unsaved {
    pending: Pending,
    pub(crate) garbage: Garbage,
    /// Keys of the checkpoint that runs.
    in_flight: BTreeSet<Bytes>,
    /// How often the whole state was replaced by another member's.
    replaced: u64,
}

/// What a checkpoint takes with it, and puts back if it fails.
#[derive(Default)]
struct Pending {
    dirty: BTreeSet<PartitionId>,
    edits: BTreeMap<Bytes, Option<Bytes>>,
    garbage_generation: u64,
    replaced: u64,
}

impl Unsaved {
    /// A partition has ceased, with what the manifest may hold of its groups.
    pub(crate) fn closed(&mut self, partition: Arc<Partition>, groups: Vec<(Bytes, Option<Bytes>)>, due_ms: i64) {
        let id = partition.id;
        self.pending.edits.insert(partition_key(PARTITION_PREFIX, id).freeze(), None);
        self.pending.edits.extend(groups.into_iter().map(|(key, value)| (group_key(id, &key), value)));
        self.garbage.add_partition(partition, due_ms);
    }

    /// A compaction has replaced segments: a checkpoint is to name the new ones, and then the old ones may go. By who
    /// did it, after it: a checkpoint that begins now describes the new ones.
    pub(crate) fn compacted(&mut self, id: PartitionId, replaced: Vec<PathBuf>, due_ms: i64) {
        self.pending.dirty.insert(id);
        self.garbage.add_files(replaced, due_ms);
    }

    pub(crate) fn dropped(&mut self, files: Vec<PathBuf>, due_ms: i64) {
        self.garbage.add_files(files, due_ms);
    }

    fn take(&mut self) -> Pending {
        let garbage_generation = self.garbage.next_generation();
        Pending { garbage_generation, replaced: self.replaced, ..std::mem::take(&mut self.pending) }
    }

    /// Another member's state takes the place of this one. Nothing that was noted about the old one may reach the
    /// manifest any more; what the manifest may hold, and the new state does not, is to go.
    pub(crate) fn replace(&mut self) {
        self.replaced += 1;
        self.pending.edits.extend(std::mem::take(&mut self.in_flight).into_iter().map(|key| (key, None)));
        self.pending.edits.values_mut().for_each(|value| *value = None);
    }

    fn put_back(&mut self, mut failed: Pending) {
        if failed.replaced != self.replaced {
            return; // it was about a state that is gone
        }
        self.pending.dirty.append(&mut failed.dirty);
        for (key, value) in failed.edits {
            self.pending.edits.entry(key).or_insert(value); // what was noted since is newer
        }
    }
}

fn group_key(id: PartitionId, key: &[u8]) -> Bytes {
    let mut whole = partition_key(GROUP_PREFIX, id);
    whole.put_slice(key);
    whole.freeze()
}

impl Machine {
    /// Captures the state at `applied`; the job that is returned makes it durable while apply goes on.
    pub(crate) fn begin_checkpoint(&mut self, applied: Applied) -> Box<dyn FnOnce() -> io::Result<()> + Send> {
        if self.stall.is_some() {
            self.resume();
        }
        if !self.health.accepts_writes() {
            let why = format!("no checkpoint of {}: {}", self.group, self.health.reason());
            return Box::new(move || Err(io::Error::other(why)));
        }
        let mut pending = self.unsaved().take();
        pending.dirty.append(&mut self.dirty);
        let mut syncs = Vec::new();
        for id in &pending.dirty {
            if let Some(cell) = self.cells.get_mut(id) {
                syncs.push(capture(cell, self.clock_ms, &mut pending.edits));
            }
        }
        pending.edits.insert(Bytes::from_static(META_KEY), Some(self.meta(&applied)));
        self.applied = Some(applied);
        self.unsaved().in_flight = pending.edits.keys().cloned().collect();
        let (unsaved, manifest, health) = (self.unsaved.clone(), self.manifest.clone(), self.health.clone());
        Box::new(move || {
            for sync in syncs {
                sync.run().inspect_err(|why| health.fail(why)).map_err(io::Error::other)?;
            }
            let edits = pending.edits.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            let manifest = manifest.lock().unwrap_or_else(PoisonError::into_inner);
            if unsaved.lock().unwrap_or_else(PoisonError::into_inner).replaced != pending.replaced {
                return Err(io::Error::other("the state was replaced by another member's meanwhile"));
            }
            let committed = manifest.commit(edits);
            drop(manifest);
            let mut unsaved = unsaved.lock().unwrap_or_else(PoisonError::into_inner);
            match committed {
                Ok(()) => unsaved.garbage.release(pending.garbage_generation),
                Err(why) => {
                    if matches!(why, ManifestError::Failed { .. }) {
                        health.fail(&why);
                    }
                    unsaved.put_back(pending);
                    return Err(io::Error::other(why));
                }
            }
            Ok(())
        })
    }

    fn meta(&self, applied: &Applied) -> Bytes {
        pack(&Meta {
            term: applied.id.term,
            node: applied.id.node,
            index: applied.id.index,
            membership: applied.membership.clone().into(),
            clock_ms: self.clock_ms,
            level: self.level,
            image_version: self.view.image_version(),
        })
    }
}

/// Notes what the manifest is to say of a partition, and gives back what must be synced before.
fn capture(cell: &mut Cell, now_ms: i64, edits: &mut BTreeMap<Bytes, Option<Bytes>>) -> SyncJob {
    let id = cell.partition.id;
    let (log, sync) = cell.partition.log.begin_checkpoint();
    cell.producers.forget_expired(now_ms, cell.settings.producer_expiration_ms);
    let last_batches = cell.producers.last_batches();
    cell.partition.set_known_producers(KnownProducers { below: log.next_offset, last_batches });
    let record = PartitionRecord::of(cell, log);
    edits.insert(partition_key(PARTITION_PREFIX, id).freeze(), Some(pack(&record)));
    if let Some(mut groups) = cell.partition.groups() {
        edits.extend(groups.take_dirty().into_iter().map(|(key, value)| (group_key(id, &key), value)));
    }
    sync
}

fn pack(value: &impl Serialize) -> Bytes {
    rmp_serde::to_vec_named(value).expect("writing to memory cannot fail").into()
}
