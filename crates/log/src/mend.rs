//! Putting damaged batches right, with those that another replica has in their place.
//!
//! Replicas have the same batches at the same places, but for what compaction takes out of each. So the good bytes are
//! written over the bad ones, once it is known that they fit between what is good before and behind them: nothing moves,
//! nothing that the manifest says changes, and no file gets shorter that is mapped.

use std::io::IoSlice;

use disk::Open;

use crate::partition_log::Shared;
use crate::scan::{Found, Scan};
use crate::segment::{Kind, Name, Segment};
use crate::transfer::Batches;
use crate::{LogError, PartitionLog, lock};

/// A place in a segment where the next batch should be, and is not as it was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hole {
    name: Name,
    /// Where in the segment's file.
    pub position: u64,
    /// The first offset that may be lost.
    pub from: i64,
}

/// What became of a hole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mended {
    /// It is closed, durably, or the segment is gone.
    Closed,
    /// Of a file that was cut, this is missing still.
    GoesOn(Hole),
    /// These batches go into it, but there must be more behind them.
    NeedsMore,
    /// The other replica's batches have other places: compaction has been there. Nothing was changed.
    DoesNotFit,
}

impl PartitionLog {
    /// The first hole in the segment that holds an offset. All of it is read, and each checksum checked. Blocks.
    ///
    /// # Errors
    /// The offset is out of range; the disk's.
    pub fn first_hole(&self, offset: i64) -> Result<Option<Hole>, LogError> {
        let Some(segment) = self.segments_from(offset, 0)?.into_iter().next() else { return Ok(None) };
        self.shared.first_hole(&segment)
    }

    /// Closes a hole with batches of another replica, from [`Hole::from`] on, as its
    /// [`read_checked`](PartitionLog::read_checked) gave them. Blocks.
    ///
    /// # Errors
    /// The disk's.
    pub fn mend(&self, hole: &Hole, batches: &[u8]) -> Result<Mended, LogError> {
        let shared = &*self.shared;
        let _none_compacts = lock(&shared.compacting);
        let _hands = shared.hands();
        let segment = {
            let state = shared.state();
            let Some(place) = state.place_of(hole.name) else { return Ok(Mended::Closed) };
            state.segments[place].clone()
        };
        let path = Kind::Log.path(&shared.dir, hole.name);
        let disk = shared.files.disk();
        let file = disk.open(&path, Open::Create).map_err(LogError::io(&path))?;
        let mut scan = shared.scan(&segment, &*file);
        let file_bytes = file.len().map_err(LogError::io(&path))?;
        let fitting = Fitting { log_bytes: segment.facts.log_bytes, file_bytes, end: shared.end_of(&segment) };
        let (bytes, mended) = match fitting.of(hole, batches, &mut scan) {
            Ok(fitting) => fitting,
            Err(why) => return Ok(why),
        };
        file.write_all_at(&[IoSlice::new(&batches[..bytes])], hole.position).map_err(LogError::io(&path))?;
        file.sync_data().map_err(LogError::io(&path))?;
        disk.sync_dir(&shared.dir).map_err(LogError::io(&shared.dir))?; // of a file that was gone
        shared.files.forget(|open| *open.dir == *shared.dir && open.name == hole.name);
        Ok(mended)
    }
}

/// What batches have to fit into.
struct Fitting {
    /// Where the segment ends.
    log_bytes: u64,
    /// Where its file does.
    file_bytes: u64,
    /// The offset after the segment's last.
    end: i64,
}

impl Fitting {
    /// How many bytes of the batches go into the hole, up to where the segment goes on, or ends; and what became of it
    /// then. Where the file ends there is nothing that would not fit: as many as there are.
    fn of(&self, hole: &Hole, batches: &[u8], scan: &mut Scan<'_>) -> Result<(usize, Mended), Mended> {
        let mut checked = Batches::new(hole.from, self.end);
        let (mut bytes, mut is_cut) = (0, false);
        loop {
            match checked.first_in(&batches[bytes..]) {
                Ok(0) if is_cut => {
                    let rest = Hole { position: hole.position + bytes as u64, from: checked.next_offset(), ..*hole };
                    return Ok((bytes, Mended::GoesOn(rest)));
                }
                Ok(0) => return Err(Mended::NeedsMore),
                Ok(size) => bytes += size,
                Err(_) => return Err(Mended::DoesNotFit),
            }
            let behind = hole.position + bytes as u64;
            if behind > self.log_bytes {
                return Err(Mended::DoesNotFit);
            }
            let goes_on = |found: Found| found.head.base_offset() >= checked.next_offset();
            if behind == self.log_bytes || matches!(scan.at(behind), Ok(Some(found)) if goes_on(found)) {
                return Ok((bytes, Mended::Closed));
            }
            is_cut |= behind > self.file_bytes;
        }
    }
}

impl Shared {
    fn first_hole(&self, segment: &Segment) -> Result<Option<Hole>, LogError> {
        let mut hole = Hole { name: segment.name(), position: 0, from: segment.facts.base_offset };
        let open = match self.open(segment) {
            Err(LogError::Damaged { .. }) => return Ok(Some(hole)), // it is missing
            opened => opened?,
        };
        let mut scan = self.scan(segment, &*open.log);
        while hole.position < segment.facts.log_bytes {
            let Ok(Some(found)) = scan.at(hole.position) else { return Ok(Some(hole)) };
            let is_in_order = found.head.base_offset() >= hole.from && !overlaps_next(&mut scan, &found);
            if !is_in_order || self.checked_batch(segment, &open, &found).is_err() {
                return Ok(Some(hole));
            }
            (hole.position, hole.from) = (found.end(), found.head.last_offset() + 1);
        }
        Ok(None)
    }
}

/// The checksum does not cover the base offset: one that is too great shows by the next one.
fn overlaps_next(scan: &mut Scan<'_>, found: &Found) -> bool {
    matches!(scan.at(found.end()), Ok(Some(next)) if next.head.base_offset() <= found.head.last_offset())
}
