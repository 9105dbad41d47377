//! One merged write: a head, a table of records, the payloads of the records, zeros up to a page.
//!
//! Head and table together are the *control*; its CRC starts from the directory's identity and covers
//! the write's own position, so that bytes of another directory, another generation of the file or
//! another place never pass. Each record holds the CRC of its payload.

use bytes::Bytes;
use crc32fast::Hasher;
use model::GroupId;

use super::{Position, padded, u32_at, u64_at};
use crate::EntryId;

const MAGIC: u32 = u32::from_le_bytes(*b"TJW1");

/// Length of the head.
pub(crate) const HEAD_BYTES: usize = 64;

/// Length of a record in the table.
pub(crate) const RECORD_BYTES: usize = 40;

/// The head of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct WriteHead {
    /// Where this write starts.
    pub(crate) position: Position,
    /// Where the write before it ended: in the file before, for the first one of a file.
    pub(crate) previous: Position,
    /// All before this was synced when this was written: what is bad there is damaged, not torn.
    pub(crate) synced: Position,
    /// The oldest file that was needed when this was written.
    pub(crate) oldest_generation: u32,
    /// Counts the openings of the journal, never goes back: tells a write from one at the same place
    /// that an earlier opening cut off.
    pub(crate) life: u32,
    /// Whether the journal was shut down after this write.
    pub(crate) clean_stop: bool,
}

/// No log comes this far; what follows an index is an index, too.
const MAX_INDEX: u64 = u64::MAX >> 1;

/// No journal is opened so often; the next opening has a life, too.
const MAX_LIFE: u32 = u32::MAX >> 1;

/// What a record says. The numbers are the format's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Tag {
    /// An entry, with a payload.
    Entry = 1,
    /// The group's vote is the payload.
    Vote = 2,
    /// Committed up to the id.
    Committed = 3,
    /// All entries up to the id are purged.
    Purged = 4,
    /// All entries from the id's index on are removed.
    Truncated = 5,
    /// At the head of a file: the group's last entry, which is in an earlier file or purged.
    Last = 6,
    /// The group begins anew, as if nothing had ever been written to it.
    Forgotten = 7,
}

/// One line of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    pub(crate) tag: Tag,
    /// Of an entry, the caller's.
    pub(crate) kind: u8,
    pub(crate) group: GroupId,
    pub(crate) id: EntryId,
    /// Length and CRC of the payload.
    pub(crate) len: u32,
    pub(crate) crc: u32,
}

impl Record {
    /// A record without a payload.
    pub(crate) fn mark(tag: Tag, group: GroupId, id: EntryId) -> Self {
        Record { tag, kind: 0, group, id, len: 0, crc: 0 }
    }

    pub(crate) fn vote(group: GroupId, vote: &Bytes) -> Self {
        let crc = crc32fast::hash(vote);
        Record { tag: Tag::Vote, kind: 0, group, id: EntryId::default(), len: vote.len() as u32, crc }
    }

    fn encode(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&[self.tag as u8, self.kind, 0, 0]);
        to.extend_from_slice(&self.group.0.to_le_bytes());
        to.extend_from_slice(&self.id.term.to_le_bytes());
        to.extend_from_slice(&self.id.index.to_le_bytes());
        to.extend_from_slice(&self.id.node.to_le_bytes());
        to.extend_from_slice(&self.len.to_le_bytes());
        to.extend_from_slice(&self.crc.to_le_bytes());
        to.extend_from_slice(&[0; 4]);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let tag = match bytes[0] {
            1 => Tag::Entry,
            2 => Tag::Vote,
            3 => Tag::Committed,
            4 => Tag::Purged,
            5 => Tag::Truncated,
            6 => Tag::Last,
            7 => Tag::Forgotten,
            _ => return None,
        };
        let id = EntryId { term: u64_at(bytes, 8), index: u64_at(bytes, 16), node: u32_at(bytes, 24).cast_signed() };
        if id.index > MAX_INDEX {
            return None;
        }
        let group = GroupId(u32_at(bytes, 4));
        Some(Record { tag, kind: bytes[1], group, id, len: u32_at(bytes, 28), crc: u32_at(bytes, 32) })
    }
}

/// Length of the control of so many records.
pub(crate) fn control_bytes(records: usize) -> u64 {
    (HEAD_BYTES + records * RECORD_BYTES) as u64
}

/// Writes head and table into `to`, which is emptied before.
pub(crate) fn encode(to: &mut Vec<u8>, head: &WriteHead, records: &[Record], identity: &[u8; 16]) {
    to.clear();
    to.extend_from_slice(&MAGIC.to_le_bytes());
    to.extend_from_slice(&[0; 4]); // the CRC, below
    to.extend_from_slice(&head.position.0.to_le_bytes());
    to.extend_from_slice(&head.previous.0.to_le_bytes());
    to.extend_from_slice(&head.synced.0.to_le_bytes());
    to.extend_from_slice(&head.oldest_generation.to_le_bytes());
    to.extend_from_slice(&head.life.to_le_bytes());
    to.extend_from_slice(&(records.len() as u32).to_le_bytes());
    to.extend_from_slice(&u32::from(head.clean_stop).to_le_bytes());
    let payload_bytes: u64 = records.iter().map(|record| u64::from(record.len)).sum();
    to.extend_from_slice(&payload_bytes.to_le_bytes());
    to.extend_from_slice(&[0; 8]);
    for record in records {
        record.encode(to);
    }
    let crc = crc(to, identity);
    to[4..8].copy_from_slice(&crc.to_le_bytes());
}

fn crc(control: &[u8], identity: &[u8; 16]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(identity);
    hasher.update(&control[8..]);
    hasher.finalize()
}

/// A head that names its own place, which stale and foreign bytes hardly ever do. Only the CRC of the
/// whole control (`Outline::decode`) proves it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outline {
    /// Length of head and table.
    pub(crate) control_bytes: u64,
    /// Length of the payloads together.
    pub(crate) payload_bytes: u64,
}

impl Outline {
    /// Looks at the first [`HEAD_BYTES`] of what may be a write at `position`, in a file that has
    /// `room` bytes from there on.
    pub(crate) fn peek(head: &[u8], position: Position, room: u64) -> Option<Self> {
        if head.len() < HEAD_BYTES || u32_at(head, 0) != MAGIC || u64_at(head, 8) != position.0 {
            return None;
        }
        let outline =
            Outline { control_bytes: control_bytes(u32_at(head, 40) as usize), payload_bytes: u64_at(head, 48) };
        (outline.control_bytes.checked_add(outline.payload_bytes)? <= room).then_some(outline)
    }

    /// Reads head and table, if the CRC holds.
    pub(crate) fn decode(&self, control: &[u8], identity: &[u8; 16]) -> Option<(WriteHead, Vec<Record>)> {
        if u32_at(control, 4) != crc(control, identity) {
            return None;
        }
        let head = WriteHead {
            position: Position(u64_at(control, 8)),
            previous: Position(u64_at(control, 16)),
            synced: Position(u64_at(control, 24)),
            oldest_generation: u32_at(control, 32),
            life: u32_at(control, 36),
            clean_stop: u32_at(control, 44) & 1 != 0,
        };
        if head.life > MAX_LIFE {
            return None;
        }
        let records: Option<Vec<Record>> =
            control[HEAD_BYTES..].chunks_exact(RECORD_BYTES).map(Record::decode).collect();
        Some((head, records?))
    }

    /// From the start of this write to the start of the next.
    pub(crate) fn padded_bytes(&self) -> u64 {
        padded(self.control_bytes + self.payload_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY: [u8; 16] = [5; 16];

    fn head() -> WriteHead {
        WriteHead {
            position: Position::new(3, 8192),
            previous: Position::new(2, 4096),
            synced: Position::new(2, 4096),
            oldest_generation: 1,
            life: 9,
            clean_stop: true,
        }
    }

    fn records() -> Vec<Record> {
        let id = EntryId { term: u64::MAX, node: -7, index: 1 << 40 };
        let entry = Record { tag: Tag::Entry, kind: 200, group: GroupId(u32::MAX), id, len: 77, crc: 1 };
        let marks = [Tag::Committed, Tag::Purged, Tag::Truncated, Tag::Last, Tag::Forgotten];
        let marks = marks.map(|tag| Record::mark(tag, GroupId(2), id));
        [entry, Record::vote(GroupId(1), &Bytes::from_static(b"vote"))].into_iter().chain(marks).collect()
    }

    fn decode(control: &[u8], position: Position, identity: &[u8; 16]) -> Option<(WriteHead, Vec<Record>)> {
        Outline::peek(control, position, 1000)
            .filter(|outline| outline.control_bytes == control.len() as u64)?
            .decode(control, identity)
    }

    #[test]
    fn a_control_comes_back_as_it_was() {
        let mut control = Vec::new();
        encode(&mut control, &head(), &records(), &IDENTITY);
        assert_eq!(decode(&control, head().position, &IDENTITY), Some((head(), records())));
        let outline = Outline::peek(&control, head().position, 1000).unwrap();
        assert_eq!((outline.payload_bytes, outline.padded_bytes()), (81, 4096));
        assert!(Outline::peek(&control, head().position, 424).is_none(), "does not fit its file");
    }

    #[test]
    fn a_control_with_any_bit_flipped_or_out_of_its_place_does_not_pass() {
        let mut control = Vec::new();
        encode(&mut control, &head(), &records(), &IDENTITY);
        for bit in 0..control.len() * 8 {
            control[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&control, head().position, &IDENTITY), None, "bit {bit}");
            control[bit / 8] ^= 1 << (bit % 8);
        }
        for elsewhere in [Position::new(3, 12288), Position::new(4, 8192)] {
            assert_eq!(decode(&control, elsewhere, &IDENTITY), None);
        }
        assert_eq!(decode(&control, head().position, &[6; 16]), None);
    }
}
