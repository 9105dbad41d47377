//! Errors, and what recovery found.

use std::io;
use std::path::PathBuf;

use model::GroupId;

/// Why a journal can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk said no.
    #[error("can't {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// Written by a newer Tidelog.
    #[error("{} has format version {version}, this build reads up to {supported}: start a newer Tidelog", file.display())]
    NewerVersion {
        /// The file.
        file: PathBuf,
        /// Its version.
        version: u16,
        /// Ours.
        supported: u16,
    },
    /// Copied here from another data directory.
    #[error("{} belongs to another data directory: put it back, or start with an empty directory", file.display())]
    ForeignFile {
        /// The file.
        file: PathBuf,
    },
    /// Bytes that were synced can't be read back, and nobody knows whose they were.
    #[error("{0}: restore the file, or let this broker rejoin with an empty directory")]
    Damaged(Damage),
}

/// Bytes that were synced and can't be read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is damaged at byte {position} ({}): {what}", file.display(), group_name(group))]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// Where in it.
    pub position: u64,
    /// Whose bytes they are, if that can be told.
    pub group: Option<GroupId>,
    /// What is missing.
    pub what: String,
}

fn group_name(group: &Option<GroupId>) -> String {
    group.map_or_else(|| "of unknown group".to_owned(), |group| group.to_string())
}

/// What opening a journal found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Entries that are there and not purged.
    pub entries: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Where a write was cut off that never became durable (file, byte): normal after a crash.
    pub torn: Option<(PathBuf, u64)>,
    /// Whether the journal was shut down cleanly. If not, in relaxed mode, acknowledged entries may be
    /// missing after a power cut.
    pub clean_stop: bool,
    /// Damage below the synced point. Each names its group, which is fenced: it takes no appends and
    /// no votes, and must rejoin as a new replica.
    pub damage: Vec<Damage>,
}
