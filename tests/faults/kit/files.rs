//! Files of a data directory: found, compared, spoiled.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// All names below a directory, with the length and a hash of each file's bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snapshot(BTreeMap<PathBuf, (u64, u64)>);

impl Snapshot {
    /// Of a directory as it is now; of a file, or of nothing, as well.
    pub(crate) fn of(path: &Path) -> Self {
        let mut entries = BTreeMap::new();
        for path in walk(path) {
            let bytes = if path.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
            let mut hasher = DefaultHasher::new();
            bytes.hash(&mut hasher);
            entries.insert(path, (bytes.len() as u64, hasher.finish()));
        }
        Self(entries)
    }

    /// Panics with the names of what is not the same.
    #[track_caller]
    pub(crate) fn assert_same(&self, later: &Self) {
        let changed = |one: &Self, other: &Self| {
            one.0.iter().filter(|(path, what)| other.0.get(*path) != Some(what)).map(|(path, _)| path.clone()).collect()
        };
        let (before, after): (Vec<PathBuf>, Vec<PathBuf>) = (changed(self, later), changed(later, self));
        assert!(before.is_empty() && after.is_empty(), "gone or changed: {before:?}, new or changed: {after:?}");
    }
}

/// A path and all below it, in order.
fn walk(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if path.exists() {
        found.push(path.to_owned());
    }
    if path.is_dir() {
        let mut below: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        below.sort();
        found.extend(below.iter().flat_map(|path| walk(path)));
    }
    found
}

/// All files below a directory whose names end like this, in order.
#[track_caller]
pub(crate) fn named(dir: &Path, end: &str) -> Vec<PathBuf> {
    let found: Vec<PathBuf> = walk(dir).into_iter().filter(|path| path.to_string_lossy().ends_with(end)).collect();
    assert!(!found.is_empty(), "nothing like *{end} below {}", dir.display());
    found
}

/// The only file below a directory whose name holds `part`.
#[track_caller]
pub(crate) fn the_one(dir: &Path, part: &str) -> PathBuf {
    let found: Vec<PathBuf> =
        walk(dir).into_iter().filter(|path| path.file_name().unwrap().to_string_lossy().contains(part)).collect();
    assert_eq!(found.len(), 1, "{part} below {}: {found:?}", dir.display());
    found.into_iter().next().unwrap()
}

/// Bytes of a file.
pub(crate) fn bytes_at(file: &Path, at: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    fs::File::open(file).unwrap().read_exact_at(&mut bytes, at).unwrap();
    bytes
}

/// Puts other bytes into a file.
pub(crate) fn overwrite(file: &Path, at: u64, bytes: &[u8]) {
    fs::OpenOptions::new().write(true).open(file).unwrap().write_all_at(bytes, at).unwrap();
}

/// Flips one bit of a byte.
pub(crate) fn flip(file: &Path, at: u64) {
    let byte = bytes_at(file, at, 1)[0];
    overwrite(file, at, &[byte ^ 0x10]);
}

/// Cuts a file to a length.
pub(crate) fn cut(file: &Path, len: u64) {
    fs::OpenOptions::new().write(true).open(file).unwrap().set_len(len).unwrap();
}

/// The first place of some bytes in a file.
pub(crate) fn position_of(file: &Path, wanted: &[u8]) -> Option<u64> {
    let bytes = fs::read(file).unwrap();
    bytes.windows(wanted.len()).position(|window| window == wanted).map(|at| at as u64)
}

/// A record batch in a segment.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// Where it begins.
    pub(crate) at: u64,
    /// Its offsets.
    pub(crate) offsets: Range<i64>,
}

/// All batches of a segment that is in order.
pub(crate) fn batches(segment: &Path) -> Vec<Batch> {
    let bytes = fs::read(segment).unwrap();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let field = |from: usize, len: usize| {
            bytes[at + from..at + from + len].iter().fold(0, |number, byte| number << 8 | i64::from(*byte))
        };
        let (base, length, last) = (field(0, 8), field(8, 4), field(23, 4));
        found.push(Batch { at: at as u64, offsets: base..base + last + 1 });
        at += 12 + length as usize;
    }
    found
}
