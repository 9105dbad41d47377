//! The bytes of a manifest: see `docs/architecture/manifest-format.md`. All numbers are
//! little-endian.

use bytes::{BufMut, Bytes, BytesMut};

/// "Tidelog manifest".
const MAGIC: [u8; 8] = *b"TLMANIF\0";
/// The newest format that this version reads, and the one that it writes.
pub(crate) const VERSION: u32 = 1;
/// Magic, version, generation, CRC.
pub(crate) const HEADER_BYTES: usize = 24;
/// CRC, length of the edits, sequence.
const COMMIT_HEAD_BYTES: usize = 16;
/// Kind, length of the key, length of the value.
const EDIT_HEAD_BYTES: usize = 7;
/// Keys are names, and their length is written in two bytes.
pub(crate) const MAX_KEY_BYTES: usize = u16::MAX as usize;
/// A commit is built in memory and read whole: far above the largest checkpoint, far below a length
/// that a damaged head could use to exhaust memory.
pub(crate) const MAX_COMMIT_BYTES: usize = 256 * 1024 * 1024;

const PUT: u8 = 1;
const DELETE: u8 = 2;

/// A key's new value, or its end.
pub(crate) type Edit = (Bytes, Option<Bytes>);

/// What a file's first bytes say.
pub(crate) enum Header {
    /// This format, with the file's generation.
    Known(u64),
    /// A later format.
    Newer(u32),
    /// Not a manifest, or a changed one.
    Damaged,
}

pub(crate) fn write_header(generation: u64, into: &mut BytesMut) {
    let start = into.len();
    into.put_slice(&MAGIC);
    into.put_u32_le(VERSION);
    into.put_u64_le(generation);
    let crc = crc32fast::hash(&into[start..]);
    into.put_u32_le(crc);
}

pub(crate) fn read_header(file: &[u8]) -> Header {
    let Some(header) = file.get(..HEADER_BYTES) else { return Header::Damaged };
    let crc = crc32fast::hash(&header[..HEADER_BYTES - 4]);
    if header[..8] != MAGIC || crc != u32_at(header, HEADER_BYTES - 4) {
        return Header::Damaged;
    }
    match u32_at(header, 8) {
        VERSION => Header::Known(u64_at(header, 12)),
        other => Header::Newer(other),
    }
}

/// Bytes that an edit takes in a commit.
pub(crate) fn edit_bytes(key: &[u8], value: Option<&Bytes>) -> usize {
    EDIT_HEAD_BYTES + key.len() + value.map_or(0, Bytes::len)
}

/// Appends one commit. The caller has checked the sizes of keys and of the whole.
pub(crate) fn write_commit<'a>(
    generation: u64,
    sequence: u64,
    edits: impl IntoIterator<Item = (&'a Bytes, Option<&'a Bytes>)>,
    into: &mut BytesMut,
) {
    let start = into.len();
    into.put_bytes(0, COMMIT_HEAD_BYTES);
    for (key, value) in edits {
        into.put_u8(if value.is_some() { PUT } else { DELETE });
        into.put_u16_le(key.len() as u16);
        into.put_u32_le(value.map_or(0, Bytes::len) as u32);
        into.put_slice(key);
        into.put_slice(value.map_or(&[], |value| &value[..]));
    }
    let length = (into.len() - start - COMMIT_HEAD_BYTES) as u32;
    into[start + 4..start + 8].copy_from_slice(&length.to_le_bytes());
    into[start + 8..start + 16].copy_from_slice(&sequence.to_le_bytes());
    let crc = commit_crc(generation, &into[start + 4..]);
    into[start..start + 4].copy_from_slice(&crc.to_le_bytes());
}

/// The commit that starts at `position`, if it is whole and the one with this sequence.
///
/// Gives its edits and the position behind it. Keys and values are slices of `file`.
pub(crate) fn read_commit(file: &Bytes, position: usize, generation: u64, sequence: u64) -> Option<(Vec<Edit>, usize)> {
    let end = commit_end(file, position, generation, |found| found == sequence)?;
    let mut edits = Vec::new();
    let mut at = position + COMMIT_HEAD_BYTES;
    while at < end {
        let head = file.get(at..at + EDIT_HEAD_BYTES).filter(|_| at + EDIT_HEAD_BYTES <= end)?;
        let (kind, key_bytes, value_bytes) = (head[0], u16_at(head, 1) as usize, u32_at(head, 3) as usize);
        let key_end = at + EDIT_HEAD_BYTES + key_bytes;
        let value_end = key_end + value_bytes;
        if value_end > end {
            return None;
        }
        let key = file.slice(at + EDIT_HEAD_BYTES..key_end);
        let value = match kind {
            PUT => Some(file.slice(key_end..value_end)),
            DELETE => None,
            _ => return None,
        };
        edits.push((key, value));
        at = value_end;
    }
    Some((edits, end))
}

/// Whether a whole commit that came after `sequence` starts anywhere behind `position`.
///
/// A commit is written only when the one before it is durable. So a bad commit with a good one
/// behind it was changed after it had been acknowledged; with none behind it, it may as well be a
/// write that a crash cut short.
pub(crate) fn later_commit_exists(file: &Bytes, position: usize, generation: u64, sequence: u64) -> bool {
    // A commit takes room, so later ones can't be numbered higher than this.
    let highest = sequence + ((file.len() - position) / COMMIT_HEAD_BYTES) as u64;
    let later = |found| found > sequence && found <= highest;
    (position + 1..file.len()).any(|start| commit_end(file, start, generation, later).is_some())
}

fn commit_end(file: &[u8], position: usize, generation: u64, wanted: impl Fn(u64) -> bool) -> Option<usize> {
    let head = file.get(position..position + COMMIT_HEAD_BYTES)?;
    let end = position + COMMIT_HEAD_BYTES + u32_at(head, 4) as usize;
    if !wanted(u64_at(head, 8)) || end > file.len() {
        return None;
    }
    (commit_crc(generation, &file[position + 4..end]) == u32_at(head, 0)).then_some(end)
}

/// The generation is part of every CRC, so that bytes of another file never pass.
fn commit_crc(generation: u64, after_crc: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&generation.to_le_bytes());
    hasher.update(after_crc);
    hasher.finalize()
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
