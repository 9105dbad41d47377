//! The one module with `unsafe`: two calls of the kernel that have no safe wrapper.

#![allow(unsafe_code, reason = "mmap and sync_file_range; each use carries its argument")]

use std::fs;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use memmap2::{Advice, Mmap, MmapOptions};

use crate::Map;

/// A length that the file has reached and never goes below while it is mapped. Shared by a file
/// handle and its maps: who holds a map holds a second reference, by which the handle knows.
#[derive(Default)]
pub(crate) struct ReachedLength(AtomicU64);

impl ReachedLength {
    pub(crate) fn reached(&self, len: u64) {
        self.0.fetch_max(len, Ordering::Release);
    }

    /// The file was cut or extended; not while it is mapped.
    pub(crate) fn set(&self, len: u64) {
        self.0.store(len, Ordering::Release);
    }
}

/// A read-only mapping of a file that only grows.
pub(crate) struct MappedFile {
    map: Mmap,
    file: Arc<fs::File>,
    len: Arc<ReachedLength>,
}

impl MappedFile {
    pub(crate) fn new(file: Arc<fs::File>, len: Arc<ReachedLength>, map_len: u64) -> io::Result<Self> {
        let map_len = usize::try_from(map_len).map_err(|_| ErrorKind::InvalidInput)?;
        // SAFETY: the memory that we hand out stays mapped and does not change:
        // * it is never shortened while mapped: `RealFile::set_len` refuses, no other code of the
        //   project cuts a file that it has not just opened, and the data directory is locked;
        // * only bytes below the length that the file has reached can be sliced, and the formats
        //   that map their files (segments) are append-only: a written byte is never written again.
        let map = unsafe { MmapOptions::new().len(map_len).map(&*file)? };
        Ok(MappedFile { map, file, len })
    }

    /// The reached length, asked of the kernel only if what is known doesn't suffice.
    fn check_written(&self, end: u64) -> io::Result<()> {
        if end <= self.len.0.load(Ordering::Acquire) {
            return Ok(());
        }
        let len = self.file.metadata()?.len();
        self.len.reached(len);
        if end <= len { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }
}

impl Map for MappedFile {
    fn slice(self: Arc<Self>, range: Range<u64>) -> io::Result<Bytes> {
        self.check_written(range.end)?;
        if range.start > range.end || range.end > self.map.len() as u64 {
            return Err(ErrorKind::InvalidInput.into());
        }
        Ok(Bytes::from_owner(Whole(self)).slice(range.start as usize..range.end as usize))
    }

    fn prefetch(&self, range: Range<u64>) -> io::Result<()> {
        self.check_written(range.end)?;
        let length = range.end.saturating_sub(range.start) as usize;
        match self.map.advise_range(Advice::PopulateRead, range.start as usize, length) {
            // A kernel before 5.14 does not know how; the reader then waits for the disk itself.
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
            result => result,
        }
    }
}

/// The owner behind the `Bytes`: the mapping as a whole, of which only written bytes leave `slice`.
struct Whole(Arc<MappedFile>);

impl AsRef<[u8]> for Whole {
    fn as_ref(&self) -> &[u8] {
        &self.0.map
    }
}

/// Starts write-back of a range and returns at once.
pub(crate) fn start_write_back(file: &fs::File, offset: u64, len: u64) {
    // SAFETY: the call takes no pointer and can't touch our memory; the descriptor is open, since
    // `file` is borrowed. A failure is of no consequence: it is a hint.
    unsafe {
        libc::sync_file_range(file.as_raw_fd(), offset.cast_signed(), len.cast_signed(), libc::SYNC_FILE_RANGE_WRITE);
    }
}
