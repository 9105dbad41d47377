//! The codecs of record batches, and decompression that no input can make grow beyond a bound.

mod compress;
mod inflate;
mod lz4;
mod snappy;
mod zstd_stream;

use std::fmt;
use std::str::FromStr;

use crate::BatchError;

pub use compress::Codec;
pub(crate) use compress::{compress, compress_from};
pub use inflate::decompress;
pub(crate) use inflate::{Inflater, with_scratch};

/// How the records of a batch are compressed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy blocks, framed as the Java library xerial frames them.
    Snappy,
    /// The LZ4 frame format.
    Lz4,
    /// RFC 8878; for Produce 7 and Fetch 10 upwards (KIP-110).
    Zstd,
}

impl Compression {
    /// Every one of them.
    pub const ALL: [Compression; 5] =
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

    /// The codec of a number in the lowest bits of a batch's attributes, or wherever else Kafka numbers codecs.
    pub fn from_id(id: u8) -> Result<Self, BatchError> {
        Self::ALL.get(usize::from(id)).copied().ok_or(BatchError::UnknownCompression(id))
    }

    pub(crate) fn id(self) -> i16 {
        self as i16
    }

    /// As `compression.type` spells it, but for `none`, which topics call `uncompressed`.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no codec's.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("'{0}' is no compression type: use none, gzip, snappy, lz4 or zstd")]
pub struct UnknownCompressionName(String);

impl FromStr for Compression {
    type Err = UnknownCompressionName;

    fn from_str(name: &str) -> Result<Self, UnknownCompressionName> {
        match name {
            "uncompressed" => Ok(Compression::None),
            _ => Self::ALL
                .into_iter()
                .find(|codec| codec.name() == name)
                .ok_or_else(|| UnknownCompressionName(name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
