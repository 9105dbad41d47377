//! The file seam: every file that Tidelog touches, it touches through [`Disk`].
//!
//! [`RealDisk`] is the machine's file system. [`SimDisk`] is one in memory that does what a disk may
//! do at its worst: on a crash it drops and tears what was not synced, it fills up, fails an fsync,
//! flips bits. The same code runs on either, so that durability can be tested crash by crash.
//!
//! It is not: a cache, a file format, or asynchronous. Calls block; who must not block goes through
//! `model::Executor`.
//!
//! ```
//! use std::io::IoSlice;
//! use std::path::Path;
//! use disk::{Disk, Open, SimDisk};
//!
//! let disk = SimDisk::new(1);
//! let file = disk.open(Path::new("a"), Open::Create)?;
//! file.write_all_at(&[IoSlice::new(b"kept")], 0)?;
//! file.sync_data()?; // the bytes
//! disk.sync_dir(Path::new(""))?; // the name
//! file.write_all_at(&[IoSlice::new(b", and perhaps not kept")], 4)?;
//!
//! let disk = disk.restart(7); // a power cut, and what it left
//! let mut kept = [0; 4];
//! disk.open(Path::new("a"), Open::Read)?.read_exact_at(&mut kept, 0)?;
//! assert_eq!(&kept, b"kept");
//! # Ok::<(), std::io::Error>(())
//! ```

mod raw;
mod real;
mod sim;
mod small;

use std::io::{self, ErrorKind, IoSlice};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

pub use real::RealDisk;
pub use sim::{Operation, SimDisk};
pub use small::{read_start, replace};

/// A file system: names and directories. Used as `Arc<dyn Disk>`.
///
/// A creation, a link, a rename or a removal survives a power cut only after [`sync_dir`](Disk::sync_dir) of
/// the directory that holds the name.
pub trait Disk: Send + Sync + 'static {
    /// Opens a file. `NotFound` and `AlreadyExists` as usual.
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>>;

    /// Creates a directory and what is missing above it. Sync the parents to make it durable.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Renames a file or a directory within its parent directory, replacing a file that has the new
    /// name, atomically. Both names must have the same parent (`InvalidInput` otherwise): a move
    /// across two directories can't be made atomic by syncing them.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name, in the same or another directory; `AlreadyExists` if there is one.
    /// It is one file then, until either is removed. So a file gets into another directory without a
    /// copy: linked there, synced there, and removed here.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name. Open handles and maps of it stay good.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// What is in a directory, sorted by name.
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>>;

    /// Whether there is a file or a directory of this name.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Makes the names in a directory durable as they are now.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Bytes that may still be written on the file system of a directory.
    fn available_bytes(&self, dir: &Path) -> io::Result<u64>;

    /// Size of the file system that `dir` is on; `None` where that is not known.
    fn total_bytes(&self, _dir: &Path) -> io::Result<Option<u64>> {
        Ok(None)
    }

    /// Locks a file (created if missing) for this process; `WouldBlock` if another holder lives. The
    /// lock ends when the guard is dropped, and with the process.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>>;
}

/// An open file. Positions are explicit, so that one handle serves many threads.
#[allow(clippy::len_without_is_empty, reason = "an empty file is nothing special here")]
pub trait File: Send + Sync {
    /// Reads up to `buf.len()` bytes; 0 at the end of the file.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Fills `buf`, or fails with `UnexpectedEof`.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while done < buf.len() {
            match self.read_at(&mut buf[done..], offset + done as u64)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                n => done += n,
            }
        }
        Ok(())
    }

    /// Writes all the parts one after another, in as few system calls as the kernel allows (one, up
    /// to 1,024 parts). After an error any part of it may have been written.
    fn write_all_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()>;

    /// Makes the bytes, and the length needed to read them, durable. After an error nothing is known
    /// of any write since the last success, and trying again proves nothing: the kernel may have
    /// dropped the pages.
    fn sync_data(&self) -> io::Result<()>;

    /// Cuts the file, or extends it with zeros. A file that is mapped through this handle can't be
    /// shortened (`ResourceBusy`).
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Maps the first `len` bytes for reading. May reach beyond the end of the file, for a file that
    /// will grow: only bytes that are written can be sliced.
    fn map(&self, len: u64) -> io::Result<Arc<dyn Map>>;

    /// Asks the kernel to start writing a range back, without waiting: a hint, which makes a later
    /// sync shorter. Promises nothing.
    fn start_write_back(&self, offset: u64, len: u64);
}

/// A file mapped for reading.
pub trait Map: Send + Sync {
    /// Bytes of the file without a copy; they hold the mapping. `UnexpectedEof` beyond the end of
    /// the file, `InvalidInput` beyond the mapping.
    ///
    /// For `writev` to sockets only: reading them in user space would turn an I/O error into SIGBUS,
    /// where [`File::read_at`] returns an error.
    fn slice(self: Arc<Self>, range: Range<u64>) -> io::Result<Bytes>;

    /// Brings the bytes into memory, so that who reads them next does not wait for the disk. Blocks;
    /// a disk that cannot read them is an error here already.
    fn prefetch(&self, range: Range<u64>) -> io::Result<()>;
}

/// How to open a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Open {
    /// An existing file, for reading.
    Read,
    /// An existing file, for reading and writing.
    Write,
    /// For reading and writing, created empty if missing.
    Create,
    /// For reading and writing; `AlreadyExists` if there is one.
    CreateNew,
}

/// A name in a directory.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// The name, without the directory. (Not UTF-8: with replacement characters. It is not ours.)
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Length of a file in bytes; 0 for a directory.
    pub len: u64,
}

/// The rule that real and simulated disk keep alike.
fn check_same_parent(from: &Path, to: &Path) -> io::Result<()> {
    if from.parent() == to.parent() {
        return Ok(());
    }
    let both = format!("{} and {} are in two directories: copy instead", from.display(), to.display());
    Err(io::Error::new(ErrorKind::InvalidInput, both))
}

/// The other rule: no byte under a map goes away.
fn shortened_under_map() -> io::Error {
    io::Error::new(ErrorKind::ResourceBusy, "a file can't be shortened while it is mapped: drop its maps first")
}
