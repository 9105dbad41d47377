//! A flipped bit, and taking it back.

use std::path::{Path, PathBuf};

use disk::{Disk, Open, SimDisk};

use crate::sim::rng::Rng;

/// Bytes around a flipped bit by which it is known that nobody has written there since.
const AROUND: u64 = 32;

/// A bit that is wrong.
#[derive(Debug)]
pub(super) struct Flip {
    path: PathBuf,
    offset: u64,
    bit: u8,
    /// The bytes around it, with the wrong bit.
    start: u64,
    around: Vec<u8>,
}

impl Flip {
    /// Flips a bit of some file under a path, if there is one.
    pub(super) fn somewhere(disk: &SimDisk, under: &str, rng: &mut Rng) -> Option<Flip> {
        let (path, offset) = if under == "journal/" { in_journal(disk, rng)? } else { in_files(disk, under, rng)? };
        let bit = rng.index(8) as u8;
        disk.flip_bit(&path, offset, bit).ok()?;
        let start = offset.saturating_sub(AROUND);
        let around = read(disk, &path, start)?;
        Some(Flip { path, offset, bit, start, around })
    }

    /// Takes it back, unless the bytes were written anew since.
    pub(super) fn take_back(&self, disk: &SimDisk) -> bool {
        let is_there = read(disk, &self.path, self.start).is_some_and(|bytes| bytes.starts_with(&self.around));
        is_there && disk.flip_bit(&self.path, self.offset, self.bit).is_ok()
    }
}

fn read(disk: &SimDisk, path: &Path, start: u64) -> Option<Vec<u8>> {
    let file = disk.open(path, Open::Read).ok()?;
    let mut bytes = vec![0; (2 * AROUND) as usize];
    let read = file.read_at(&mut bytes, start).ok()?;
    bytes.truncate(read);
    Some(bytes)
}

/// Somewhere in what was written to the journal, but not in the last writes: of those nothing on the
/// disk says yet that they were synced, so that damage looks like a torn tail.
fn in_journal(disk: &SimDisk, rng: &mut Rng) -> Option<(PathBuf, u64)> {
    let operations = disk.operations();
    let mut synced = 0;
    let protected =
        operations.iter().rev().filter(|operation| operation.path.contains("journal/")).filter(|operation| {
            synced += u32::from(operation.kind == "sync");
            operation.kind == "write" && synced > 2
        });
    let writes: Vec<_> = protected.collect();
    let write = (!writes.is_empty()).then(|| *rng.pick(&writes))?;
    let (start, len) = write.range;
    Some((PathBuf::from(&write.path), start + rng.within(0..len.max(1))))
}

fn in_files(disk: &SimDisk, under: &str, rng: &mut Rng) -> Option<(PathBuf, u64)> {
    let mut files = Vec::new();
    list(disk, Path::new(""), &mut files);
    files.retain(|(path, len)| *len > 0 && path.to_string_lossy().contains(under));
    let (path, len) = (!files.is_empty()).then(|| rng.pick(&files))?;
    let offset = rng.within(0..*len);
    is_checked(disk, path, offset).then(|| (path.clone(), offset))
}

/// Whether something says what must stand there. In Kafka's batches, the CRC does not cover the base
/// offset, the length and the leader epoch, which the broker sets.
fn is_checked(disk: &SimDisk, path: &Path, offset: u64) -> bool {
    const NOT_COVERED_BYTES: u64 = 21;
    const OVERHEAD_BYTES: u64 = 12; // what the length does not count
    if path.extension().is_none_or(|extension| extension != "log") {
        return true;
    }
    let mut start = 0;
    while let Some(head) = read(disk, path, start).filter(|head| head.len() >= OVERHEAD_BYTES as usize) {
        let length = u32::from_be_bytes([head[8], head[9], head[10], head[11]]);
        let end = start + OVERHEAD_BYTES + u64::from(length);
        if offset < end {
            return offset >= start + NOT_COVERED_BYTES;
        }
        start = end;
    }
    false
}

fn list(disk: &SimDisk, dir: &Path, files: &mut Vec<(PathBuf, u64)>) {
    for entry in disk.list(dir).unwrap_or_default() {
        let path = dir.join(&entry.name);
        if entry.is_dir {
            list(disk, &path, files);
        } else {
            files.push((path, entry.len));
        }
    }
}
