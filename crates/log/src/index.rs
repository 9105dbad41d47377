//! The entries of Kafka's two index files, and the search for one.
//!
//! Both files are arrays of big-endian entries of a fixed size, ordered by both fields. They are read with `read_at`,
//! never through a map, so that an I/O error is an error.

use std::io;

use disk::File;

/// `.index`: offset relative to the segment's base (4 bytes), position in the `.log` file (4 bytes).
pub(crate) const OFFSET_ENTRY_BYTES: u64 = 8;

/// `.timeindex`: timestamp (8 bytes), offset relative to the segment's base (4 bytes).
pub(crate) const TIME_ENTRY_BYTES: u64 = 12;

/// Entries that the search reads at once: about a page.
const BLOCK_ENTRIES: u64 = 512;

/// "The batch at `position` ends with this offset."
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OffsetEntry {
    pub(crate) relative_offset: u32,
    pub(crate) position: u32,
}

/// "No record up to this offset is newer than `timestamp`", and the batch that ends there has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TimeEntry {
    pub(crate) timestamp: i64,
    pub(crate) relative_offset: u32,
}

/// What both kinds have in common.
pub(crate) trait Entry: Copy {
    const BYTES: usize;
    /// Reads an entry from a slice of exactly `BYTES`.
    fn decode(bytes: &[u8]) -> Self;
}

impl OffsetEntry {
    pub(crate) fn encode(self) -> [u8; OFFSET_ENTRY_BYTES as usize] {
        let mut bytes = [0; OFFSET_ENTRY_BYTES as usize];
        bytes[..4].copy_from_slice(&self.relative_offset.to_be_bytes());
        bytes[4..].copy_from_slice(&self.position.to_be_bytes());
        bytes
    }
}

impl Entry for OffsetEntry {
    const BYTES: usize = OFFSET_ENTRY_BYTES as usize;

    fn decode(bytes: &[u8]) -> Self {
        OffsetEntry { relative_offset: u32_at(bytes, 0), position: u32_at(bytes, 4) }
    }
}

impl TimeEntry {
    pub(crate) fn encode(self) -> [u8; TIME_ENTRY_BYTES as usize] {
        let mut bytes = [0; TIME_ENTRY_BYTES as usize];
        bytes[..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..].copy_from_slice(&self.relative_offset.to_be_bytes());
        bytes
    }
}

impl Entry for TimeEntry {
    const BYTES: usize = TIME_ENTRY_BYTES as usize;

    fn decode(bytes: &[u8]) -> Self {
        let timestamp = i64::from(u32_at(bytes, 0) as i32) << 32 | i64::from(u32_at(bytes, 4));
        TimeEntry { timestamp, relative_offset: u32_at(bytes, 8) }
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The last of the first `file_bytes / BYTES` entries for which `holds`, which must hold for those before it too; and
/// its place.
///
/// Most look-ups are for the end of the log, so the last block is tried first: one read in the usual case.
pub(crate) fn last_where<E: Entry>(
    file: &dyn File,
    file_bytes: u64,
    holds: impl Fn(&E) -> bool,
) -> io::Result<Option<(u64, E)>> {
    let entries = file_bytes / E::BYTES as u64;
    let mut block = Block::new();
    let (mut low, mut high) = (0, entries);
    if high > BLOCK_ENTRIES {
        let tail = high - BLOCK_ENTRIES;
        block.read::<E>(file, tail, BLOCK_ENTRIES)?;
        match holds(&block.entry(0)) {
            true => return Ok(block.last_where(tail, holds)),
            false => high = tail,
        }
    }
    while high - low > BLOCK_ENTRIES {
        let middle = low + (high - low) / 2;
        block.read::<E>(file, middle, 1)?;
        if holds(&block.entry(0)) { low = middle } else { high = middle }
    }
    block.read::<E>(file, low, high - low)?;
    Ok(block.last_where(low, holds))
}

/// The entry at a place.
pub(crate) fn entry_at<E: Entry>(file: &dyn File, place: u64) -> io::Result<E> {
    let mut block = Block::new();
    block.read::<E>(file, place, 1)?;
    Ok(block.entry(0))
}

/// A few entries in memory.
struct Block {
    bytes: [u8; BLOCK_ENTRIES as usize * TIME_ENTRY_BYTES as usize],
    entries: usize,
}

impl Block {
    fn new() -> Self {
        Block { bytes: [0; BLOCK_ENTRIES as usize * TIME_ENTRY_BYTES as usize], entries: 0 }
    }

    fn read<E: Entry>(&mut self, file: &dyn File, first: u64, entries: u64) -> io::Result<()> {
        self.entries = entries as usize;
        file.read_exact_at(&mut self.bytes[..self.entries * E::BYTES], first * E::BYTES as u64)
    }

    fn entry<E: Entry>(&self, index: usize) -> E {
        E::decode(&self.bytes[index * E::BYTES..(index + 1) * E::BYTES])
    }

    fn last_where<E: Entry>(&self, first: u64, holds: impl Fn(&E) -> bool) -> Option<(u64, E)> {
        let (mut low, mut high) = (0, self.entries);
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(&self.entry(middle)) { low = middle + 1 } else { high = middle }
        }
        low.checked_sub(1).map(|index| (first + index as u64, self.entry(index)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use disk::{Disk, Open, SimDisk};
    use proptest::prelude::*;

    use super::*;

    fn file_of(bytes: Vec<u8>) -> Arc<dyn File> {
        let file = SimDisk::new(1).open("index".as_ref(), Open::Create).unwrap();
        file.write_all_at(&[io::IoSlice::new(&bytes)], 0).unwrap();
        file
    }

    #[test]
    fn entries_are_those_of_kafka() {
        let entry = OffsetEntry { relative_offset: 1, position: 0x0203_0405 };
        assert_eq!(entry.encode(), [0, 0, 0, 1, 2, 3, 4, 5]);
        assert_eq!(OffsetEntry::decode(&entry.encode()), entry);
        let entry = TimeEntry { timestamp: -2, relative_offset: 7 };
        assert_eq!(entry.encode(), [255, 255, 255, 255, 255, 255, 255, 254, 0, 0, 0, 7]);
        assert_eq!(TimeEntry::decode(&entry.encode()), entry);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_search_agrees_with_a_walk(
            steps in prop::collection::vec(1..5_u32, 0..3000),
            targets in prop::collection::vec(0..16_000_i64, 20),
        ) {
            let mut relative_offset = 0;
            let entries: Vec<TimeEntry> = steps.iter().map(|step| {
                relative_offset += step;
                TimeEntry { timestamp: i64::from(relative_offset), relative_offset }
            }).collect();
            let file = file_of(entries.iter().flat_map(|entry| entry.encode()).collect());
            let bytes = entries.len() as u64 * TIME_ENTRY_BYTES;
            let exact = entries.iter().step_by(97).map(|entry| entry.timestamp);
            for target in targets.into_iter().chain(exact) {
                let walked = entries.iter().rposition(|entry| entry.timestamp <= target);
                let expected = walked.map(|place| (place as u64, entries[place]));
                let found = last_where(&*file, bytes, |entry: &TimeEntry| entry.timestamp <= target).unwrap();
                prop_assert_eq!(found, expected);
                if let Some((place, entry)) = expected {
                    prop_assert_eq!(entry_at::<TimeEntry>(&*file, place).unwrap(), entry);
                }
            }
        }
    }
}
