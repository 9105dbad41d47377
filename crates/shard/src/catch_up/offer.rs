//! What a leader offers: its state, but for the batches.
//!
//! An offer is a few bytes, since it is repeated until it is taken. The state's description, which tells of every
//! partition, is fetched like the files that it names.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use model::{PartitionId, TopicName};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::checkpoint::PartitionRecord;
use crate::lifecycle::partition_dir;
use crate::limits::MAX_STATE_BYTES;
use crate::machine::{Cell, Machine};
use crate::partition::{Arrival, Partition};
use crate::view::View;

/// The first byte of an offer, and of a description.
const VERSION: u8 = 1;

/// Under which the leader keeps files. Never used twice: a leader does not go on in its term after a restart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(crate) struct PinId {
    term: u64,
    serial: u64,
}

impl PinId {
    /// For names of files that are of use with this offer only.
    pub(crate) fn tag(self) -> String {
        format!("{}-{}", self.term, self.serial)
    }
}

/// MessagePack with named fields, after the version; as all that follows here.
#[derive(Serialize, Deserialize)]
pub(super) struct Offer {
    pub(super) pin: PinId,
    /// Length of the description.
    pub(super) state_bytes: u64,
}

/// The description.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    pub(super) clock_ms: i64,
    pub(super) level: u16,
    pub(super) image_version: u64,
    pub(super) partitions: Vec<Offered>,
}

/// A partition: what a manifest says of it.
#[derive(Serialize, Deserialize)]
pub(super) struct Offered {
    pub(super) id: PartitionId,
    pub(super) record: PartitionRecord,
    /// What `__consumer_offsets` holds, by keys, as in a manifest.
    #[serde(default)]
    pub(super) groups: Vec<(ByteBuf, ByteBuf)>,
}

impl Offer {
    pub(super) fn decode(bytes: &[u8]) -> io::Result<Offer> {
        let offer: Offer = decode(bytes)?;
        if offer.state_bytes > MAX_STATE_BYTES {
            return Err(malformed(format!("a description of {} bytes exceeds {MAX_STATE_BYTES}", offer.state_bytes)));
        }
        Ok(offer)
    }
}

impl State {
    pub(super) fn decode(bytes: &[u8]) -> io::Result<State> {
        decode(bytes)
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    match bytes.split_first() {
        Some((&VERSION, body)) => rmp_serde::from_slice(body).map_err(|why| malformed(why.to_string())),
        Some((version, _)) => Err(malformed(format!("its version {version} is not known to this broker"))),
        None => Err(malformed("it is empty".to_owned())),
    }
}

fn malformed(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the leader's offer: {why}"))
}

fn encode(value: &impl Serialize) -> io::Result<Bytes> {
    let mut bytes = BytesMut::new().writer();
    bytes.get_mut().put_u8(VERSION);
    let mut packer = rmp_serde::Serializer::new(&mut bytes).with_struct_map();
    value.serialize(&mut packer).map_err(io::Error::other)?;
    Ok(bytes.into_inner().freeze())
}

impl Machine {
    /// Describes the state as it is now, and keeps its files for who will fetch them.
    pub(crate) fn make_offer(&mut self) -> io::Result<Bytes> {
        if !self.health.accepts_writes() {
            // What is applied is not all in the files, or they can't be trusted.
            return Err(io::Error::other(self.health.reason()));
        }
        self.offers += 1;
        let pin = PinId { term: self.term, serial: self.offers };
        // Before the files are looked at: a compaction may replace some at any time.
        self.unsaved().garbage.pin(pin);
        let partitions = self.cells.iter().map(|(id, cell)| Offered::of(*id, cell)).collect();
        let (clock_ms, level, image_version) = (self.clock_ms, self.level, self.view.image_version());
        let state = encode(&State { clock_ms, level, image_version, partitions })?;
        let state_bytes = state.len() as u64;
        self.unsaved().garbage.describe(pin, state);
        encode(&Offer { pin, state_bytes })
    }
}

/// A partition's replica in a shard: what its directory is named for.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Replica {
    pub(super) id: PartitionId,
    topic: TopicName,
    #[serde(default)]
    arrival: Option<Arrival>,
}

impl Replica {
    /// Its directory among the topics.
    pub(super) fn dir(&self, topics: &Path) -> PathBuf {
        partition_dir(topics, &self.topic, self.id, self.arrival)
    }

    /// The last name of that.
    pub(super) fn name(&self) -> String {
        let dir = self.dir(Path::new(""));
        dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The partition of a view, unless that is another replica: one that went to another shard and came back.
    pub(super) fn find(&self, view: &View) -> Option<Arc<Partition>> {
        view.get(self.id).filter(|partition| partition.arrival == self.arrival)
    }
}

impl fmt::Display for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partition {}-{}", self.topic, self.id.index)
    }
}

impl Offered {
    pub(super) fn replica(&self) -> Replica {
        Replica { id: self.id, topic: self.record.topic.clone(), arrival: self.record.arrival }
    }

    fn of(id: PartitionId, cell: &Cell) -> Offered {
        let partition = &cell.partition;
        let record = PartitionRecord::of(cell, partition.log.describe());
        let groups = partition.groups().map(|groups| groups.all()).unwrap_or_default();
        let groups = groups.into_iter().map(|(key, value)| (ByteBuf::from(key), ByteBuf::from(value))).collect();
        Offered { id, record, groups }
    }
}
