//! Identities that must not be mixed up with one another.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The identity of a topic (KIP-516). A topic created anew under an old name has a new id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TopicId(pub Uuid);

impl TopicId {
    /// "No id": what older requests send.
    pub const NIL: TopicId = TopicId(Uuid::nil());

    /// An id made of 16 random bytes. It never starts with `-` when printed, so that it can stand
    /// as a word on a command line (as in Kafka).
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        if bytes[0] >> 2 == 62 {
            bytes[0] &= 0b0111_1111;
        }
        TopicId(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}

/// Kafka's form: 22 characters of unpadded URL-safe base64.
impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bits = self.0.as_u128();
        for position in 0..21 {
            let sextet = (bits >> (122 - 6 * position)) & 63;
            write!(f, "{}", char::from(ALPHABET[sextet as usize]))?;
        }
        write!(f, "{}", char::from(ALPHABET[((bits << 4) & 63) as usize]))
    }
}

impl fmt::Debug for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One partition of one topic, whatever the topic is called.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct PartitionId {
    /// The topic that it is a part of.
    pub topic: TopicId,
    /// Its number, from 0.
    pub index: i32,
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.index)
    }
}

/// A broker, by its `node.id`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct BrokerId(pub i32);

impl fmt::Display for BrokerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A Raft group: the controller is 0, shards count from 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct GroupId(pub u32);

impl GroupId {
    /// The group whose state is the cluster image.
    pub const CONTROLLER: GroupId = GroupId(0);
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            GroupId::CONTROLLER => f.write_str("controller"),
            GroupId(shard) => write!(f, "shard-{shard}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_id_prints_as_kafka_prints_it() {
        // From org.apache.kafka.common.Uuid: new Uuid(1, 2) and Uuid.fromString("yrT5fzBzTn2SWyGBxeCbOw").
        assert_eq!(TopicId(Uuid::from_u64_pair(1, 2)).to_string(), "AAAAAAAAAAEAAAAAAAAAAg");
        assert_eq!(TopicId::NIL.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
    }

    #[test]
    fn a_random_topic_id_never_prints_with_a_leading_dash() {
        for first in 0..=255 {
            let id = TopicId::from_random([first; 16]);
            assert!(!id.to_string().starts_with('-'), "{id} from {first}");
        }
    }
}
