//! The records of `__consumer_offsets`, byte for byte as Kafka writes them.
//!
//! Keys and values start with a two-byte version. Of a key it tells the *kind* of record; see [`Key`].
//! Every version that Kafka ever wrote is read; written are those that Kafka 4.4 writes: GroupMetadata 3,
//! OffsetCommit 4 (or 1 where an expiry time was asked for by an old client).

mod bytes;
mod group_metadata;
mod key;
mod offset_commit;
mod subscription;
#[cfg(test)]
mod tests;

use ::bytes::Bytes;

pub use group_metadata::{decode_group, encode_group};
pub use key::Key;
pub use offset_commit::{decode_offset, encode_offset};
pub(crate) use subscription::CONSUMER_PROTOCOL_TYPE;
pub use subscription::subscribed_topics;

/// Key and value of one record; no value is a tombstone.
pub type KeyValue = (Bytes, Option<Bytes>);

/// Longest string that goes into a record: those of the older formats carry a signed 16-bit length.
pub const MAX_STRING_BYTES: usize = i16::MAX as usize;

/// Why bytes are no record of `__consumer_offsets`, or none that this version can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A length or a fixed field reaches beyond the end.
    #[error("{0} ends in the middle of a field; the record is damaged")]
    Truncated(&'static str),
    /// A negative length where none may be, text that is not UTF-8, a varint without end.
    #[error("{what} has an impossible {field}; the record is damaged")]
    Malformed {
        /// Which kind of key or value.
        what: &'static str,
        /// Which of its fields.
        field: &'static str,
    },
    /// Written by a version of the broker that came later.
    #[error("{what} has version {version}, which this version of the broker does not know; upgrade it")]
    UnknownVersion {
        /// Which kind of key or value.
        what: &'static str,
        /// The version found.
        version: i16,
    },
}
