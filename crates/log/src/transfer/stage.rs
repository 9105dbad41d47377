//! The directory into which one log is fetched.
//!
//! A file in it is named for the original, then for the position in it from which on it is here, and then for the
//! offer it belongs to, where another offer's may differ.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use disk::Disk;

use crate::LogError;
use crate::segment::{Kind, Name};

pub(super) fn file_name(name: Name, kind: Kind, from: u64, tag: &str) -> String {
    format!("{}@{from}@{tag}", kind.file_name(name))
}

/// What is in it.
pub(super) struct Stage {
    dir: PathBuf,
    lengths: BTreeMap<String, u64>,
}

impl Stage {
    pub(super) fn open(disk: &dyn Disk, dir: &Path) -> Result<Stage, LogError> {
        let lengths = match disk.list(dir) {
            Ok(entries) => entries.into_iter().map(|entry| (entry.name, entry.len)).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(LogError::io(dir)(error)),
        };
        Ok(Stage { dir: dir.to_owned(), lengths })
    }

    pub(super) fn holds(&self, file: &str) -> bool {
        self.lengths.contains_key(file)
    }

    /// Where what is here of a segment's batches begins, if that is not beyond `at`.
    pub(super) fn start_of(&self, name: Name, tag: &str, at: u64) -> Option<u64> {
        let log = Kind::Log.file_name(name);
        let starts = self.lengths.keys().filter_map(|file| {
            let mut parts = file.split('@');
            let (file, from, of) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
            (file == log && of == tag && from <= at).then_some(from)
        });
        starts.max()
    }

    /// The path of a file that has so many bytes.
    pub(super) fn whole(&self, file: &str, bytes: u64) -> Option<PathBuf> {
        (self.lengths.get(file) == Some(&bytes)).then(|| self.dir.join(file))
    }

    pub(super) fn remove_all_but(&self, disk: &dyn Disk, is_wanted: impl Fn(&str) -> bool) -> Result<(), LogError> {
        for file in self.lengths.keys().filter(|file| !is_wanted(file)) {
            let path = self.dir.join(file);
            disk.remove_file(&path).map_err(LogError::io(&path))?;
        }
        Ok(())
    }
}
