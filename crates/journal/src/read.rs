//! Reads entries that memory no longer holds.

use std::io::{self, ErrorKind};
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use disk::File;
use model::GroupId;

use crate::Entry;
use crate::files::{Readable, file_name};
use crate::format::write::{HEAD_BYTES, Outline, Record, Tag};
use crate::format::{PAGE_BYTES, Position};

/// Reads a group's entries of an index range out of these writes, each of which counts for some of
/// it: at least one, up to `max_bytes`.
pub(crate) fn read_entries(
    files: &Readable,
    identity: &[u8; 16],
    group: GroupId,
    writes: &[(Range<u64>, Position)],
    range: Range<u64>,
    max_bytes: usize,
) -> io::Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut left = max_bytes as u64;
    for (counts_for, write) in writes {
        let next = range.start + entries.len() as u64;
        let wanted = next..range.end.min(counts_for.end);
        let file = files.get(write.generation()).ok_or(ErrorKind::NotFound)?;
        let found = find_entries(&*file, *write, identity, group, wanted.clone())?;
        let fits = |(record, _): &&(Record, u64)| {
            let fits = u64::from(record.len) <= left || record.id.index == range.start;
            left = left.saturating_sub(u64::from(record.len));
            fits
        };
        let taken = found.iter().take_while(fits).count();
        read_payloads(&*file, *write, &found[..taken], &mut entries)?;
        if taken < found.len() || wanted.end == range.end {
            break;
        }
    }
    if entries.is_empty() {
        return Err(ErrorKind::NotFound.into());
    }
    Ok(entries)
}

/// The records of consecutive entries from the range's start on, and where their payloads lie.
fn find_entries(
    file: &dyn File,
    write: Position,
    identity: &[u8; 16],
    group: GroupId,
    range: Range<u64>,
) -> io::Result<Vec<(Record, u64)>> {
    let (records, mut payload) = read_control(file, write, identity)?;
    let mut found: Vec<(Record, u64)> = Vec::new();
    for record in records {
        let offset = payload;
        payload += u64::from(record.len);
        if record.tag != Tag::Entry || record.group != group || !range.contains(&record.id.index) {
            continue;
        }
        // One write may hold an index twice, with a truncation in between: the later one counts.
        found.truncate((record.id.index - range.start) as usize);
        found.push((record, offset));
    }
    let expected = |(index, (record, _)): (u64, &(Record, u64))| record.id.index == index;
    if found.is_empty() || !(range.start..).zip(&found).all(expected) {
        return Err(damaged(write, &format!("does not hold entry {}", range.start)));
    }
    Ok(found)
}

fn read_control(file: &dyn File, write: Position, identity: &[u8; 16]) -> io::Result<(Vec<Record>, u64)> {
    let bad = || damaged(write, "has a head that does not check");
    let mut control = vec![0; PAGE_BYTES as usize];
    file.read_exact_at(&mut control, write.offset())?;
    let room = file.len()?.saturating_sub(write.offset());
    let outline = Outline::peek(&control[..HEAD_BYTES], write, room).ok_or_else(bad)?;
    let read = control.len();
    control.resize(outline.control_bytes as usize, 0);
    if control.len() > read {
        file.read_exact_at(&mut control[read..], write.offset() + read as u64)?;
    }
    let (_, records) = outline.decode(&control, identity).ok_or_else(bad)?;
    Ok((records, write.offset() + outline.control_bytes))
}

/// Reads payloads, those that lie side by side at once.
fn read_payloads(
    file: &dyn File,
    write: Position,
    wanted: &[(Record, u64)],
    entries: &mut Vec<Entry>,
) -> io::Result<()> {
    let side_by_side = |a: &(Record, u64), b: &(Record, u64)| a.1 + u64::from(a.0.len) == b.1;
    for run in wanted.chunk_by(side_by_side) {
        let len: usize = run.iter().map(|(record, _)| record.len as usize).sum();
        let mut bytes = BytesMut::zeroed(len);
        file.read_exact_at(&mut bytes, run[0].1)?;
        let mut bytes: Bytes = bytes.freeze();
        for (record, _) in run {
            let payload = bytes.split_to(record.len as usize);
            if crc32fast::hash(&payload) != record.crc {
                return Err(damaged(write, &format!("entry {} does not check", record.id.index)));
            }
            entries.push(Entry { id: record.id, kind: record.kind, payload });
        }
    }
    Ok(())
}

fn damaged(write: Position, what: &str) -> io::Error {
    let file = file_name(write.generation());
    io::Error::new(ErrorKind::InvalidData, format!("{file} is damaged: the write at byte {} {what}", write.offset()))
}
