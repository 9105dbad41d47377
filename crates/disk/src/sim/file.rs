//! Handles: an open file, its "mapping", and a lock.

use std::io::{self, ErrorKind, IoSlice};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::SimDisk;
use crate::{File, Map, Open, shortened_under_map};

/// An open file. It knows the path by which it was opened: faults and the log of operations name it.
pub(super) struct SimFile {
    handle: Arc<Handle>,
    writable: bool,
}

/// What a file and its maps hold on to: an inode lives as long as this does.
struct Handle {
    disk: SimDisk,
    inode: u64,
    path: String,
}

impl SimFile {
    pub(super) fn new(disk: SimDisk, inode: u64, path: &Path, how: Open) -> Self {
        let path = path.display().to_string();
        SimFile { handle: Arc::new(Handle { disk, inode, path }), writable: how != Open::Read }
    }

    fn check_writable(&self) -> io::Result<()> {
        if self.writable { Ok(()) } else { Err(ErrorKind::PermissionDenied.into()) }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.disk.state().close(self.inode);
    }
}

impl File for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let Handle { disk, inode, path } = &*self.handle;
        disk.state().read(*inode, path, buf, offset)
    }

    fn write_all_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.check_writable()?;
        let Handle { disk, inode, path } = &*self.handle;
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            bytes.extend_from_slice(part);
        }
        disk.state().write(*inode, path, &bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        let Handle { disk, inode, path } = &*self.handle;
        disk.state().sync(*inode, path)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check_writable()?;
        if Arc::strong_count(&self.handle) > 1 && len < self.len()? {
            return Err(shortened_under_map());
        }
        let Handle { disk, inode, path } = &*self.handle;
        disk.state().set_len(*inode, path, len)
    }

    fn len(&self) -> io::Result<u64> {
        self.handle.disk.state().len(self.handle.inode)
    }

    fn map(&self, len: u64) -> io::Result<Arc<dyn Map>> {
        Ok(Arc::new(SimMap { handle: self.handle.clone(), len }))
    }

    fn start_write_back(&self, _offset: u64, _len: u64) {}
}

/// Not a mapping: each slice is a copy.
struct SimMap {
    handle: Arc<Handle>,
    len: u64,
}

impl Map for SimMap {
    fn slice(self: Arc<Self>, range: Range<u64>) -> io::Result<Bytes> {
        let Handle { disk, inode, path } = &*self.handle;
        let mut state = disk.state();
        if range.end > state.len(*inode)? {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if range.start > range.end || range.end > self.len {
            return Err(ErrorKind::InvalidInput.into());
        }
        let mut bytes = vec![0; (range.end - range.start) as usize];
        state.read(*inode, path, &mut bytes, range.start)?;
        Ok(Bytes::from(bytes))
    }

    fn prefetch(&self, range: Range<u64>) -> io::Result<()> {
        let Handle { disk, inode, path } = &*self.handle;
        let mut bytes = vec![0; (range.end - range.start) as usize];
        disk.state().read(*inode, path, &mut bytes, range.start).map(drop)
    }
}

/// A held lock.
pub(super) struct SimLock {
    disk: SimDisk,
    path: PathBuf,
}

impl SimLock {
    pub(super) fn new(disk: SimDisk, path: &Path) -> Self {
        SimLock { disk, path: path.to_owned() }
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.disk.state().unlock(&self.path);
    }
}
