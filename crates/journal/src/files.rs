//! The files of a journal: their names, the open ones, and how the next one is made.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use disk::{Disk, File, Open};

/// A file that is being written with zeros; removed at start.
const UNFINISHED: &str = "zeroing";

/// Zeros written by one call.
const ZEROS: &[u8] = &[0; 1 << 20];

/// `00000000000000000001.journal`.
pub(crate) fn file_name(generation: u32) -> String {
    format!("{generation:020}.journal")
}

fn generation_of(name: &str) -> Option<u32> {
    let generation = name.strip_suffix(".journal")?.parse().ok()?;
    (file_name(generation) == name).then_some(generation)
}

/// A file with its generation, which its name tells.
#[derive(Clone)]
pub(crate) struct OpenFile {
    pub(crate) generation: u32,
    pub(crate) file: Arc<dyn File>,
    /// Length in bytes.
    pub(crate) len: u64,
}

/// The files that may be read, by generation.
#[derive(Default)]
pub(crate) struct Readable(RwLock<BTreeMap<u32, Arc<dyn File>>>);

impl Readable {
    pub(crate) fn get(&self, generation: u32) -> Option<Arc<dyn File>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&generation).cloned()
    }

    pub(crate) fn insert(&self, file: &OpenFile) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(file.generation, file.file.clone());
    }

    pub(crate) fn remove(&self, generation: u32) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&generation);
    }
}

/// The directory.
#[derive(Clone)]
pub(crate) struct Dir {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) path: PathBuf,
}

impl Dir {
    pub(crate) fn file_path(&self, generation: u32) -> PathBuf {
        self.path.join(file_name(generation))
    }

    /// Makes the directory itself, durably.
    pub(crate) fn create(&self) -> io::Result<()> {
        if self.disk.exists(&self.path)? {
            return Ok(());
        }
        self.disk.create_dir_all(&self.path)?;
        self.disk.sync_dir(self.path.parent().unwrap_or(Path::new("")))
    }

    /// Opens all files there are, in order. Removes one that was never finished.
    pub(crate) fn open_all(&self) -> io::Result<Vec<OpenFile>> {
        let mut files = Vec::new();
        for entry in self.disk.list(&self.path)? {
            if entry.name == UNFINISHED {
                self.disk.remove_file(&self.path.join(UNFINISHED))?;
            }
            let Some(generation) = generation_of(&entry.name) else { continue };
            let file = self.disk.open(&self.path.join(&entry.name), Open::Write)?;
            files.push(OpenFile { generation, file, len: entry.len });
        }
        Ok(files)
    }

    /// Makes a new file of zeros, on the disk, and durable under its name. `StorageFull` if there is
    /// not enough room for twice as much: the journal must not be what takes the last byte.
    pub(crate) fn zero(&self, generation: u32, len: u64, give_up: impl Fn() -> bool) -> io::Result<OpenFile> {
        if self.disk.available_bytes(&self.path)? < len.saturating_mul(2) {
            return Err(ErrorKind::StorageFull.into());
        }
        let unfinished = self.path.join(UNFINISHED);
        let file = self.write_zeros(&unfinished, len, give_up);
        let named = file.and_then(|file| {
            self.disk.rename(&unfinished, &self.file_path(generation))?;
            self.disk.sync_dir(&self.path)?;
            Ok(OpenFile { generation, file, len })
        });
        if named.is_err() && self.disk.exists(&unfinished)? {
            self.disk.remove_file(&unfinished)?; // gives the room back
        }
        named
    }

    fn write_zeros(&self, path: &Path, len: u64, give_up: impl Fn() -> bool) -> io::Result<Arc<dyn File>> {
        let file = self.disk.open(path, Open::Create)?;
        let mut offset = 0;
        while offset < len {
            if give_up() {
                return Err(ErrorKind::Interrupted.into());
            }
            let zeros = &ZEROS[..ZEROS.len().min((len - offset) as usize)];
            file.write_all_at(&[IoSlice::new(zeros)], offset)?;
            file.start_write_back(offset, zeros.len() as u64);
            offset += zeros.len() as u64;
        }
        file.sync_data()?;
        Ok(file)
    }

    /// Makes a purged file a new one, durably. Its old writes do not pass under the new generation.
    pub(crate) fn recycle(&self, old: &OpenFile, generation: u32) -> io::Result<OpenFile> {
        self.disk.rename(&self.file_path(old.generation), &self.file_path(generation))?;
        self.disk.sync_dir(&self.path)?;
        Ok(OpenFile { generation, ..old.clone() })
    }

    pub(crate) fn remove(&self, generation: u32) -> io::Result<()> {
        self.disk.remove_file(&self.file_path(generation))
    }
}
