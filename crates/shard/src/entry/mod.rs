//! What a shard's log holds: the entries, byte by byte.
//!
//! Every entry starts with the same ten bytes, little-endian: format version (1), kind (1), and the
//! proposing leader's clock (8, milliseconds since the Unix epoch). What follows depends on the
//! kind. Appends are on the path of every record and are laid out by hand ([`append`]); everything
//! else happens now and then and is MessagePack with named fields, so that fields can be added.
//!
//! Kinds that this version does not write yet keep their numbers here, so that a file written now
//! and one written later can never disagree about them.

pub(crate) mod append;
mod lifecycle;
mod moves;

pub use append::{AppendEntry, Appends};
use bytes::{BufMut, Bytes, BytesMut};
pub use lifecycle::{
    AdvanceStart, ClosePartitions, Configure, FeatureLevel, LogStart, OpenPartition, OpenPartitions, PartitionSettings,
};
pub use moves::{Adopt, Depart, Departure, Expect, Import, Stay};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The only format so far.
pub const FORMAT: u8 = 1;

/// Bytes before the body of every entry.
pub const HEAD_BYTES: usize = 10;

/// The numbers of the kinds, as they stand in files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Batches for one or more partitions.
    Append = 0,
    /// Partitions come to live in this shard.
    Open = 1,
    /// Partitions cease, with their files.
    Close = 2,
    /// New settings for partitions.
    Configure = 3,
    /// Log starts move up: retention, DeleteRecords.
    AdvanceStart = 4,
    /// From here on apply behaves as this level says.
    FeatureLevel = 5,
    // 6: a transaction's markers. 7: share group state.
    /// An append that a coordinator computed from the state as of this term, and that counts in it alone.
    AppendInTerm = 8,
    /// A partition is to come here from another shard.
    Expect = 9,
    /// Batches of such a partition.
    Import = 10,
    /// It has all arrived, and lives here.
    Adopt = 11,
    /// A partition goes to another shard: no more is added to it here.
    Depart = 12,
    /// It stays after all.
    Stay = 13,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        Some(match byte {
            0 => Kind::Append,
            1 => Kind::Open,
            2 => Kind::Close,
            3 => Kind::Configure,
            4 => Kind::AdvanceStart,
            5 => Kind::FeatureLevel,
            8 => Kind::AppendInTerm,
            9 => Kind::Expect,
            10 => Kind::Import,
            11 => Kind::Adopt,
            12 => Kind::Depart,
            13 => Kind::Stay,
            _ => return None,
        })
    }
}

/// An entry, decoded.
#[derive(Debug)]
pub enum Command {
    /// See [`Kind::Append`].
    Append(Appends),
    /// See [`Kind::AppendInTerm`]: the term, then what to append.
    AppendInTerm(u64, Appends),
    /// See [`Kind::Open`].
    Open(OpenPartitions),
    /// See [`Kind::Close`].
    Close(ClosePartitions),
    /// See [`Kind::Configure`].
    Configure(Vec<Configure>),
    /// See [`Kind::AdvanceStart`].
    AdvanceStart(AdvanceStart),
    /// See [`Kind::FeatureLevel`].
    FeatureLevel(FeatureLevel),
    /// See [`Kind::Expect`].
    Expect(Expect),
    /// See [`Kind::Import`].
    Import(Import),
    /// See [`Kind::Adopt`].
    Adopt(Adopt),
    /// See [`Kind::Depart`].
    Depart(Depart),
    /// See [`Kind::Stay`].
    Stay(Stay),
}

/// Why an entry cannot be applied. A journal's checksum has already passed, so this is an entry of
/// a newer version, or a mistake in the program.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Written by a version after this one.
    #[error(
        "entry of format {0}, kind {1}: written by a newer version of tidelog; start that version on this directory"
    )]
    Newer(u8, u8),
    /// The bytes are not what the kind says.
    #[error("entry of kind {kind:?} is malformed: {why}")]
    Malformed {
        /// Its kind.
        kind: Option<Kind>,
        /// What is wrong.
        why: String,
    },
}

impl EntryError {
    fn malformed(kind: Kind, why: impl std::fmt::Display) -> Self {
        EntryError::Malformed { kind: Some(kind), why: why.to_string() }
    }
}

/// Reads an entry: the leader's clock and the command.
pub fn decode(entry: &Bytes) -> Result<(i64, Command), EntryError> {
    if entry.len() < HEAD_BYTES {
        return Err(EntryError::Malformed { kind: None, why: format!("{} bytes, needs {HEAD_BYTES}", entry.len()) });
    }
    let (format, kind_byte) = (entry[0], entry[1]);
    let kind = match Kind::from_byte(kind_byte) {
        Some(kind) if format == FORMAT => kind,
        _ => return Err(EntryError::Newer(format, kind_byte)),
    };
    let clock_ms = i64::from_le_bytes(entry[2..HEAD_BYTES].try_into().expect("eight bytes"));
    let body = entry.slice(HEAD_BYTES..);
    let command = match kind {
        Kind::Append => Command::Append(Appends::decode(body).map_err(|why| EntryError::malformed(kind, why))?),
        Kind::AppendInTerm => {
            let (term, appends) = Appends::decode_in_term(body).map_err(|why| EntryError::malformed(kind, why))?;
            Command::AppendInTerm(term, appends)
        }
        Kind::Open => Command::Open(unpack(kind, &body)?),
        Kind::Close => Command::Close(unpack(kind, &body)?),
        Kind::Configure => Command::Configure(unpack(kind, &body)?),
        Kind::AdvanceStart => Command::AdvanceStart(unpack(kind, &body)?),
        Kind::FeatureLevel => Command::FeatureLevel(unpack(kind, &body)?),
        Kind::Expect => Command::Expect(unpack(kind, &body)?),
        Kind::Import => Command::Import(Import::decode(body).map_err(|why| EntryError::malformed(kind, why))?),
        Kind::Adopt => Command::Adopt(unpack(kind, &body)?),
        Kind::Depart => Command::Depart(unpack(kind, &body)?),
        Kind::Stay => Command::Stay(unpack(kind, &body)?),
    };
    Ok((clock_ms, command))
}

/// An entry that opens partitions.
pub fn open(clock_ms: i64, open: &OpenPartitions) -> Bytes {
    pack(clock_ms, Kind::Open, open)
}

/// An entry that closes partitions.
pub fn close(clock_ms: i64, close: &ClosePartitions) -> Bytes {
    pack(clock_ms, Kind::Close, close)
}

/// An entry that changes settings.
pub fn configure(clock_ms: i64, changes: &[Configure]) -> Bytes {
    pack(clock_ms, Kind::Configure, &changes)
}

/// An entry that moves log starts.
pub fn advance_start(clock_ms: i64, moves: &AdvanceStart) -> Bytes {
    pack(clock_ms, Kind::AdvanceStart, moves)
}

/// An entry that has a partition come here.
pub fn expect(clock_ms: i64, expect: &Expect) -> Bytes {
    pack(clock_ms, Kind::Expect, expect)
}

/// An entry that opens a partition that has come here.
pub fn adopt(clock_ms: i64, adopt: &Adopt) -> Bytes {
    pack(clock_ms, Kind::Adopt, adopt)
}

/// An entry after which a partition takes no more records here.
pub fn depart(clock_ms: i64, depart: &Depart) -> Bytes {
    pack(clock_ms, Kind::Depart, depart)
}

/// An entry that has a partition stay here.
pub fn stay(clock_ms: i64, stay: &Stay) -> Bytes {
    pack(clock_ms, Kind::Stay, stay)
}

fn head(clock_ms: i64, kind: Kind, capacity: usize) -> BytesMut {
    let mut entry = BytesMut::with_capacity(HEAD_BYTES + capacity);
    entry.put_u8(FORMAT);
    entry.put_u8(kind as u8);
    entry.put_i64_le(clock_ms);
    entry
}

fn pack(clock_ms: i64, kind: Kind, body: &impl Serialize) -> Bytes {
    let mut entry = head(clock_ms, kind, 256).writer();
    rmp_serde::encode::write_named(&mut entry, body).expect("writing to memory cannot fail");
    entry.into_inner().freeze()
}

fn unpack<T: DeserializeOwned>(kind: Kind, body: &[u8]) -> Result<T, EntryError> {
    rmp_serde::from_slice(body).map_err(|why| EntryError::malformed(kind, why))
}

#[cfg(test)]
mod tests;
