//! The machine's file system.

use std::fs;
use std::io::{self, ErrorKind, IoSlice};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FlockOperation, fdatasync, flock, statvfs};
use rustix::io::{Errno, pwritev};

use crate::raw::{self, MappedFile, ReachedLength};
use crate::{Disk, Entry, File, Map, Open, check_same_parent, shortened_under_map};

/// Parts that one `pwritev` takes on Linux (`UIO_MAXIOV`).
const MAX_PARTS_PER_WRITE: usize = 1024;

/// The file system of the machine. Paths are as everywhere: relative ones to the working directory.
#[derive(Clone, Copy, Default, Debug)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(how != Open::Read)
            .create(how == Open::Create)
            .create_new(how == Open::CreateNew)
            .open(path)?;
        Ok(Arc::new(RealFile { file: Arc::new(file), reached: Arc::default() }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        check_same_parent(from, to)?;
        fs::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(or_here(dir))? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            let is_dir = metadata.is_dir();
            let name = entry.file_name().to_string_lossy().into_owned();
            entries.push(Entry { name, is_dir, len: if is_dir { 0 } else { metadata.len() } });
        }
        entries.sort();
        Ok(entries)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        or_here(path).try_exists()
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(or_here(dir))?.sync_all()
    }

    fn available_bytes(&self, dir: &Path) -> io::Result<u64> {
        let stat = retry(|| statvfs(or_here(dir)))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn total_bytes(&self, dir: &Path) -> io::Result<Option<u64>> {
        let stat = retry(|| statvfs(or_here(dir)))?;
        Ok(Some(stat.f_blocks.saturating_mul(stat.f_frsize)))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        retry(|| flock(&file, FlockOperation::NonBlockingLockExclusive))?;
        Ok(Box::new(file)) // the lock belongs to the open file, and goes with it
    }
}

/// The parent of a bare file name is the empty path, by which the kernel would find nothing.
fn or_here(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() { Path::new(".") } else { dir }
}

/// Calls again when a signal came in between.
fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            other => return other.map_err(io::Error::from),
        }
    }
}

struct RealFile {
    file: Arc<fs::File>,
    reached: Arc<ReachedLength>,
}

impl File for RealFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.file.read_at(buf, offset) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    fn write_all_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        let end = write_parts(parts, offset, |parts, offset| retry(|| pwritev(&self.file, parts, offset)))?;
        self.reached.reached(end);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        retry(|| fdatasync(&self.file))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if Arc::strong_count(&self.reached) > 1 && len < self.len()? {
            return Err(shortened_under_map());
        }
        self.file.set_len(len)?;
        self.reached.set(len);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn map(&self, len: u64) -> io::Result<Arc<dyn Map>> {
        Ok(Arc::new(MappedFile::new(self.file.clone(), self.reached.clone(), len)?))
    }

    fn start_write_back(&self, offset: u64, len: u64) {
        raw::start_write_back(&self.file, offset, len);
    }
}

/// Drives a `pwritev` until all parts are written: it takes a bounded number of parts, and may write
/// less than it was given. Returns the position after the last byte.
fn write_parts(
    parts: &[IoSlice<'_>],
    mut offset: u64,
    mut write: impl FnMut(&[IoSlice<'_>], u64) -> io::Result<usize>,
) -> io::Result<u64> {
    let mut next = 0; // the first part that is not wholly written
    let mut skip = 0; // and how much of it is
    while next < parts.len() {
        let mut written = if skip == 0 {
            write(&parts[next..parts.len().min(next + MAX_PARTS_PER_WRITE)], offset)?
        } else {
            write(&[IoSlice::new(&parts[next][skip..])], offset)?
        };
        offset += written as u64;
        let before = (next, skip);
        while next < parts.len() && written >= parts[next].len() - skip {
            written -= parts[next].len() - skip;
            (next, skip) = (next + 1, 0);
        }
        skip += written;
        if (next, skip) == before {
            return Err(ErrorKind::WriteZero.into());
        }
    }
    Ok(offset)
}

#[cfg(test)]
mod tests;
