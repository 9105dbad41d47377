//! Start: the state as the manifest tells it. The journal's entries beyond it are applied again by
//! the Raft group. One path for a clean stop, a kill and a power cut; nothing is scanned, and logs
//! look at their files when they are first used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use disk::Disk;
use log::{FileCache, PartitionLog};
use manifest::Manifest;
use model::{GroupId, PartitionId, TopicId};
use raft::{Applied, EntryId};
use serde::de::DeserializeOwned;

use crate::ShardError;
use crate::catch_up;
use crate::checkpoint::{GROUP_PREFIX, META_KEY, Meta, PARTITION_KEY_BYTES, PARTITION_PREFIX, PartitionRecord};
use crate::health::Health;
use crate::lifecycle::partition_dir;
use crate::machine::{Cell, Machine};
use crate::partition::{KnownProducers, Partition};
use crate::view::View;

/// The feature level of apply with which a new shard begins.
const FIRST_LEVEL: u16 = 1;

/// Where a shard's files are.
pub(crate) struct Home {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) files: Arc<FileCache>,
    /// The directory of the shard's manifest.
    pub(crate) dir: PathBuf,
    /// The directory of all topics.
    pub(crate) topics: PathBuf,
}

impl Machine {
    pub(crate) fn restore(group: GroupId, home: Home) -> Result<Machine, ShardError> {
        let (manifest, stored) = Manifest::open(home.disk.clone(), &home.dir)?;
        let mut machine = Machine {
            group,
            files: home.files,
            topics: home.topics,
            manifest: Arc::new(Mutex::new(manifest)),
            applied: None,
            clock_ms: 0,
            level: FIRST_LEVEL,
            cells: BTreeMap::new(),
            view: Arc::new(View::new(BTreeMap::new())),
            health: Arc::new(Health::default()),
            unsaved: Arc::default(),
            dirty: BTreeSet::new(),
            stall: None,
            questions: Arc::default(),
            stage: catch_up::Stage::new(&home.dir),
            term: 0,
            offers: 0,
        };
        if let Err(why) = machine.stage.clear(&*home.disk) {
            tracing::warn!(%group, %why, "what a crash left of an installed state could not be cleared away");
        }
        // Keys come in order: a partition's groups after all partitions would come too early (`g`
        // sorts before `p`), so partitions first.
        for (key, value) in stored.iter().filter(|(key, _)| key.first() == Some(&PARTITION_PREFIX)) {
            machine.restore_partition(partition_of(group, key)?, unpack(group, value)?);
        }
        for (key, value) in &stored {
            match key.first() {
                Some(&GROUP_PREFIX) => machine.restore_group(partition_of(group, key)?, key, value),
                _ if &key[..] == META_KEY => machine.restore_meta(unpack(group, value)?),
                _ => {}
            }
        }
        Ok(machine)
    }

    fn restore_meta(&mut self, meta: Meta) {
        let id = EntryId { term: meta.term, node: meta.node, index: meta.index };
        self.applied = Some(Applied { id, membership: meta.membership.into() });
        self.clock_ms = meta.clock_ms;
        self.level = meta.level;
        self.view.set_image_version(meta.image_version);
    }

    fn restore_partition(&mut self, id: PartitionId, record: PartitionRecord) {
        let dir = partition_dir(&self.topics, &record.topic, id, record.arrival);
        let log = PartitionLog::restore(self.files.clone(), dir, record.settings.log.clone(), &record.log);
        let standing = record.standing();
        let partition = Partition::new(id, record.topic, log, record.settings.clone(), record.arrival, standing);
        let last_batches = record.producers.last_batches();
        partition.set_known_producers(KnownProducers { below: record.log.next_offset, last_batches });
        self.hold(Cell { partition: Arc::new(partition), settings: record.settings, producers: record.producers });
    }

    fn restore_group(&mut self, id: PartitionId, key: &Bytes, value: &Bytes) {
        let groups = self.cells.get(&id).and_then(|cell| cell.partition.groups());
        match groups {
            Some(mut groups) => {
                if let Err(why) = groups.restore(&key[PARTITION_KEY_BYTES..], value) {
                    tracing::error!(partition = %id, %why, "a group in the manifest was not understood");
                }
            }
            None => tracing::error!(partition = %id, "the manifest holds a group of a partition that it does not hold"),
        }
    }
}

pub(crate) fn partition_of(group: GroupId, key: &[u8]) -> Result<PartitionId, ShardError> {
    let malformed = || ShardError::malformed(group, "a key is too short");
    let topic = key.get(1..17).and_then(|bytes| uuid::Uuid::from_slice(bytes).ok()).ok_or_else(malformed)?;
    let index = key.get(17..PARTITION_KEY_BYTES).and_then(|bytes| bytes.try_into().ok()).ok_or_else(malformed)?;
    Ok(PartitionId { topic: TopicId(topic), index: i32::from_be_bytes(index) })
}

pub(crate) fn unpack<T: DeserializeOwned>(group: GroupId, value: &[u8]) -> Result<T, ShardError> {
    rmp_serde::from_slice(value).map_err(|why| ShardError::malformed(group, why))
}
