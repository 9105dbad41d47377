//! The image as the manifest keeps it: one key for each part that changes by itself.
//!
//! Keys are text and sort so that a shard comes before the topics in it; values are a version
//! byte and a MessagePack map with names, like commands. `docs/architecture/cluster-image.md` has
//! them all.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use model::{BrokerId, GroupId, PartitionId};
use raft::{Applied, EntryId};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use uuid::Uuid;

use crate::format::{self, FormatError};
use crate::image::{BrokerImage, ClusterImage, Draft, Key, Move, Resource, Settings, ShardImage, TopicImage};

#[cfg(test)]
pub(crate) use tests::differences;

/// Format version of a value that this build writes, and the newest that it reads.
pub(crate) const VALUE_VERSION: u8 = 1;

const APPLIED: &str = "applied";
const CLUSTER: &str = "cluster";
const FEATURES: &str = "features";
const BROKER: &str = "broker";
const MOVE: &str = "move";
const SETTINGS: &str = "settings";
const SHARD: &str = "shard";
const TOPIC: &str = "topic";

/// What one checkpoint writes: a value for each key, or its removal.
pub(crate) type Edits = Vec<(Bytes, Option<Bytes>)>;

#[derive(Serialize, Deserialize)]
struct StoredApplied {
    term: u64,
    node: i32,
    index: u64,
    #[serde(with = "binary")]
    membership: Bytes,
}

#[derive(Serialize, Deserialize)]
struct StoredCluster {
    id: String,
    version: u64,
    next_shard: u32,
    next_producer_id: i64,
    #[serde(default)]
    controllers: Vec<BrokerId>,
    #[serde(default, skip_serializing_if = "is_zero")]
    next_broker: i32,
}

#[derive(Serialize, Deserialize)]
struct StoredShard {
    id: GroupId,
    members: Vec<BrokerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    founders: Option<BTreeMap<BrokerId, Uuid>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pinned: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredMove {
    partition: PartitionId,
    to: GroupId,
    id: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredSettings {
    resource: Resource,
    settings: Settings,
}

#[derive(Serialize, Deserialize)]
struct Packed {
    parts: BTreeMap<ByteBuf, ByteBuf>,
}

/// Reads what checkpoints wrote: the image, and how far it goes; nothing from an empty manifest.
pub(crate) fn load(content: &BTreeMap<Bytes, Bytes>) -> Result<(Draft, Option<Applied>), FormatError> {
    let mut draft = Draft::default();
    let mut applied = None;
    for (key, value) in content {
        let key = String::from_utf8_lossy(key);
        match key.split(':').next().unwrap_or_default() {
            APPLIED => applied = Some(read_applied(value)?),
            BROKER => draft.put_broker(read::<BrokerImage>("broker", value)?),
            CLUSTER => load_cluster(&mut draft, read("cluster", value)?),
            FEATURES => draft.set_features(read("set of features", value)?),
            MOVE => {
                let StoredMove { partition, to, id } = read("move of a partition", value)?;
                draft.put_move(partition, Move { to, id });
            }
            SETTINGS => {
                let stored = read::<StoredSettings>("set of settings", value)?;
                draft.put_settings(stored.resource, stored.settings);
            }
            SHARD => {
                let stored = read::<StoredShard>("shard", value)?;
                draft.add_shard(stored.id, stored.members, stored.founders, stored.pinned);
            }
            TOPIC => drop(draft.put_topic(read::<TopicImage>("topic", value)?)),
            _ => return Err(FormatError::UnknownKey { key: key.into_owned() }),
        }
    }
    if draft.image().controllers().is_empty() {
        // Written by a build that knew single brokers alone.
        draft.set_controllers(draft.image().brokers().map(|broker| broker.id).collect());
    }
    draft.take_changed();
    Ok((draft, applied))
}

fn load_cluster(draft: &mut Draft, stored: StoredCluster) {
    draft.set_cluster_id(&stored.id);
    draft.set_version(stored.version);
    draft.set_next_shard(stored.next_shard);
    draft.set_next_producer_id(stored.next_producer_id);
    draft.set_controllers(stored.controllers);
    draft.set_next_broker(stored.next_broker);
}

/// What a checkpoint of `image` writes, if `changed` is what differs from the one before.
pub(crate) fn edits(image: &ClusterImage, changed: &BTreeSet<Key>, applied: &Applied) -> Edits {
    let parts = changed.iter().map(|key| (key_bytes(key), value(image, key)));
    parts.chain([(Bytes::from_static(APPLIED.as_bytes()), Some(write_applied(applied)))]).collect()
}

/// The whole image as one value, for a member that lacks entries which are purged: the parts as the
/// manifest keeps them.
pub(crate) fn pack(image: &ClusterImage) -> Bytes {
    let part = |key: &Key| value(image, key).map(|value| (key_bytes(key), value));
    write(&Packed { parts: keys(image).iter().filter_map(part).map(|(key, value)| (buf(key), buf(value))).collect() })
}

/// Reads what [`pack`] wrote.
pub(crate) fn unpack(packed: &[u8]) -> Result<Draft, FormatError> {
    let Packed { parts } = read("packed cluster image", packed)?;
    let content = parts.into_iter().map(|(key, value)| (key.into_vec().into(), value.into_vec().into())).collect();
    Ok(load(&content)?.0)
}

fn buf(bytes: Bytes) -> ByteBuf {
    ByteBuf::from(Vec::from(bytes))
}

/// The keys of all parts of an image.
pub(crate) fn keys(image: &ClusterImage) -> BTreeSet<Key> {
    let brokers = image.brokers().map(|it| Key::Broker(it.id));
    let shards = image.shards().map(|it| Key::Shard(it.id));
    let topics = image.topics().map(|it| Key::Topic(it.id));
    let moves = image.moves().map(|(partition, _)| Key::Move(partition));
    let settings = image.all_settings().map(|(resource, _)| Key::Settings(resource.clone()));
    [Key::Cluster, Key::Features]
        .into_iter()
        .chain(brokers)
        .chain(shards)
        .chain(topics)
        .chain(moves)
        .chain(settings)
        .collect()
}

fn key_bytes(key: &Key) -> Bytes {
    match key {
        Key::Cluster => CLUSTER.into(),
        Key::Features => FEATURES.into(),
        Key::Broker(id) => format!("{BROKER}:{id}").into(),
        Key::Shard(id) => format!("{SHARD}:{}", id.0).into(),
        Key::Topic(id) => format!("{TOPIC}:{id}").into(),
        Key::Move(partition) => format!("{MOVE}:{}:{}", partition.topic, partition.index).into(),
        Key::Settings(resource) => format!("{SETTINGS}:{}:{}", resource.kind(), resource.name()).into(),
    }
}

fn value(image: &ClusterImage, key: &Key) -> Option<Bytes> {
    match key {
        Key::Cluster => Some(write(&StoredCluster {
            id: image.cluster_id().to_owned(),
            version: image.version(),
            next_shard: image.next_shard(),
            next_producer_id: image.next_producer_id(),
            controllers: image.controllers().to_vec(),
            next_broker: image.next_broker(),
        })),
        Key::Features => Some(write(image.features())),
        Key::Broker(id) => image.broker(*id).map(|broker| write(broker.as_ref())),
        Key::Shard(id) => {
            let stored = |shard: &ShardImage| StoredShard {
                id: *id,
                members: shard.members.clone(),
                founders: shard.founders.clone(),
                pinned: shard.pinned,
            };
            image.shard(*id).map(|shard| write(&stored(shard)))
        }
        Key::Topic(id) => image.topic_by_id(*id).map(|topic| write(topic.as_ref())),
        Key::Move(id) => {
            let stored = |moving: &Move| StoredMove { partition: *id, to: moving.to, id: moving.id };
            image.move_of(*id).map(|moving| write(&stored(moving)))
        }
        Key::Settings(resource) => {
            let stored = |settings| StoredSettings { resource: resource.clone(), settings };
            image.settings(resource).map(|settings| write(&stored(settings.clone())))
        }
    }
}

fn write_applied(applied: &Applied) -> Bytes {
    let EntryId { term, node, index } = applied.id;
    write(&StoredApplied { term, node, index, membership: applied.membership.clone() })
}

fn read_applied(value: &[u8]) -> Result<Applied, FormatError> {
    let StoredApplied { term, node, index, membership } = read("last applied entry", value)?;
    Ok(Applied { id: EntryId { term, node, index }, membership })
}

fn write(fields: &impl Serialize) -> Bytes {
    let mut value = vec![VALUE_VERSION];
    format::write_fields(&mut value, fields);
    value.into()
}

fn read<T: serde::de::DeserializeOwned>(what: &'static str, value: &[u8]) -> Result<T, FormatError> {
    format::read_fields(what, format::check_version(what, VALUE_VERSION, value)?)
}

fn is_zero(value: &i32) -> bool {
    *value == 0
}

/// Bytes as MessagePack's `bin`, which serde would write as an array of numbers.
mod binary {
    use bytes::Bytes;
    use serde::{Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        struct Owned;
        impl de::Visitor<'_> for Owned {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes::copy_from_slice(bytes))
            }
        }
        from.deserialize_bytes(Owned)
    }
}
