//! The bytes of a journal file; `docs/architecture/journal-format.md` is the same in prose.
//!
//! * [`file_header`]: the first page of a file.
//! * [`write`]: the head of one merged write and its table of records.

pub(crate) mod file_header;
pub(crate) mod write;

use std::fmt;

/// The version that this build writes, and the newest that it reads.
pub(crate) const VERSION: u16 = 1;

/// Writes start and end at whole pages: no page is ever read to be written, and after damage the
/// next write is found at one.
pub(crate) const PAGE_BYTES: u64 = 4096;

/// A place in the journal: the file's generation above, the byte in the file below. Later is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Position(pub(crate) u64);

impl Position {
    pub(crate) fn new(generation: u32, offset: u64) -> Self {
        debug_assert!(offset <= u64::from(u32::MAX));
        Position(u64::from(generation) << 32 | offset)
    }

    pub(crate) fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(crate) fn offset(self) -> u64 {
        self.0 & u64::from(u32::MAX)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.generation(), self.offset())
    }
}

/// Up to the next whole page.
pub(crate) fn padded(bytes: u64) -> u64 {
    bytes.next_multiple_of(PAGE_BYTES)
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
