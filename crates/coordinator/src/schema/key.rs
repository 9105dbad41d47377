//! Keys: what a record is about.

use ::bytes::Bytes;

use super::RecordError;
use super::bytes::{Reader, Writer};

/// What a record of `__consumer_offsets` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key<'a> {
    /// Kinds 0 (before Kafka 0.9) and 1: a committed offset.
    Offset {
        /// The group that read.
        group: &'a str,
        /// The topic that it read.
        topic: &'a str,
        /// The partition of that topic.
        partition: i32,
    },
    /// Kind 2: a classic group's generation and members.
    Group(
        /// Its name.
        &'a str,
    ),
    /// Consumer, share and streams groups (kinds from 3), and kinds that are yet to come.
    Other(
        /// The kind.
        i16,
    ),
}

const OFFSET_BEFORE_0_9: i16 = 0;
const OFFSET: i16 = 1;
const GROUP: i16 = 2;

impl<'a> Key<'a> {
    /// Reads a record's key. A kind that is not known is no error.
    pub fn decode(key: &'a [u8]) -> Result<Self, RecordError> {
        let mut reader = Reader::new("the key of a group record", key);
        Ok(match reader.i16()? {
            OFFSET_BEFORE_0_9 | OFFSET => {
                let group = reader.string("group")?;
                let topic = reader.string("topic")?;
                Key::Offset { group, topic, partition: reader.i32()? }
            }
            GROUP => Key::Group(reader.string("group")?),
            kind => Key::Other(kind),
        })
    }

    /// The key as Kafka 4.4 writes it.
    ///
    /// # Panics
    /// If a name is longer than [`MAX_STRING_BYTES`](super::MAX_STRING_BYTES), or the kind is another's to write.
    pub fn encode(&self) -> Bytes {
        match *self {
            Key::Offset { group, topic, partition } => {
                let mut writer = Writer::new(OFFSET, false);
                writer.string(group);
                writer.string(topic);
                writer.i32(partition);
                writer.finish()
            }
            Key::Group(group) => {
                let mut writer = Writer::new(GROUP, false);
                writer.string(group);
                writer.finish()
            }
            Key::Other(kind) => panic!("records of kind {kind} are not written by classic groups"),
        }
    }
}
