//! What can be wrong with a record batch, and the code that a client is told.

use model::ErrorCode;

use crate::{Compression, RefusedRecords};

/// Why a record batch was refused. Nothing of a refused batch may be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BatchError {
    /// Fewer bytes than the header or the length field asks for.
    #[error("record batch is cut short: {have} of {need} bytes are there")]
    Truncated {
        /// Bytes that are there.
        have: usize,
        /// Bytes that there should be.
        need: usize,
    },
    /// Bytes after the batch: a produce request carries exactly one batch for a partition.
    #[error("{0} bytes follow the record batch, where exactly one batch is expected: send one batch per partition")]
    Trailing(usize),
    /// The length field is below the size of a header, or negative.
    #[error("record batch states a length of {0} bytes, less than its own header")]
    BadLength(i32),
    /// Message formats 0 and 1 are gone since Kafka 4.0 (KIP-724); others never were.
    #[error("record batch has magic {0}, but only 2 is supported: use a client that writes record batches v2")]
    BadMagic(i8),
    /// Larger than `max.message.bytes`.
    #[error("record batch of {size} bytes is larger than max.message.bytes = {limit}")]
    TooLarge {
        /// Size of the batch, header included.
        size: usize,
        /// The topic's limit.
        limit: usize,
    },
    /// The checksum does not match: the batch was damaged on its way, or on disk.
    #[error("record batch is corrupt: its CRC-32C is {computed:08x} where {stated:08x} is stated")]
    BadCrc {
        /// What the header says.
        stated: u32,
        /// What the bytes give.
        computed: u32,
    },
    /// A compression id that no version of Kafka knows.
    #[error("record batch names the compression type {0}, which is not known")]
    UnknownCompression(u8),
    /// The records do not decompress.
    #[error("records do not decompress as {0}: {1}")]
    BadCompression(Compression, String),
    /// A record, or the whole of them, grows beyond a bound when decompressed.
    #[error("{what} decompresses to more than {limit} bytes")]
    DecompressedTooLarge {
        /// "record 3", "record batch".
        what: String,
        /// The bound.
        limit: u64,
    },
    /// The header contradicts itself, or says what a client may not say.
    #[error("record batch is invalid: {0}")]
    BadHeader(&'static str),
    /// A record is malformed.
    #[error("record {index} of the batch is invalid: {problem}")]
    BadRecord {
        /// Its place in the batch, from 0.
        index: i32,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The batch is well formed, but holds records that the topic does not take.
    #[error("{} records are refused by the topic", .0.count)]
    Refused(Box<RefusedRecords>),
    /// Epochs are positive, but for -1, which is none.
    #[error("record batch has the producer epoch {0}, which is negative")]
    BadProducerEpoch(i16),
}

impl BatchError {
    /// What Kafka answers to such a batch.
    pub fn code(&self) -> ErrorCode {
        match self {
            BatchError::BadLength(_) | BatchError::BadCrc { .. } => ErrorCode::CorruptMessage,
            BatchError::TooLarge { .. } => ErrorCode::MessageTooLarge,
            BatchError::UnknownCompression(_) => ErrorCode::UnsupportedCompressionType,
            BatchError::Refused(records) => records.code(),
            BatchError::BadProducerEpoch(_) => ErrorCode::InvalidProducerEpoch,
            BatchError::BadMagic(magic) if !(0..=2).contains(magic) => ErrorCode::CorruptMessage,
            BatchError::Truncated { .. }
            | BatchError::Trailing(_)
            | BatchError::BadMagic(_)
            | BatchError::BadCompression(..)
            | BatchError::DecompressedTooLarge { .. }
            | BatchError::BadHeader(_)
            | BatchError::BadRecord { .. } => ErrorCode::InvalidRecord,
        }
    }
}
