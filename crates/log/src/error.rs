//! What a partition log can fail with.

use std::io;
use std::path::{Path, PathBuf};

/// Why a partition log could not do something. Nothing was changed, and it may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Outside of what the log holds (Kafka's OFFSET_OUT_OF_RANGE).
    #[error("offset {offset} is out of range: the log holds {start} up to, not including, {end}")]
    OffsetOutOfRange {
        /// The offset asked for.
        offset: i64,
        /// Log start offset.
        start: i64,
        /// Log end offset.
        end: i64,
    },
    /// A batch that does not come after the last one. The log never goes back.
    #[error("a batch with offsets {base} to {last} can't follow log end offset {end} in {dir}")]
    NotAtEnd {
        /// The partition's directory.
        dir: PathBuf,
        /// First offset of the refused batch.
        base: i64,
        /// Its last offset.
        last: i64,
        /// Log end offset.
        end: i64,
    },
    /// Bytes on disk are not what was written. All other offsets can still be read.
    #[error("{}: {problem} at byte {position}: offsets {from} up to, not including, {to} can't be read here; restore the file or accept the loss", path.display())]
    Damaged {
        /// The file, in the partition's directory.
        path: PathBuf,
        /// Where in it.
        position: u64,
        /// First offset that may be lost.
        from: i64,
        /// First offset after those that may be lost.
        to: i64,
        /// What was found.
        problem: String,
    },
    /// The disk refused: full, or broken.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or directory.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// An earlier fsync of this log failed, so that what the kernel holds can't be trusted any more.
    #[error("{}: an earlier fsync failed: restart the broker, which replays the journal", dir.display())]
    SyncFailedBefore {
        /// The partition's directory.
        dir: PathBuf,
    },
}

impl LogError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> LogError {
        move |source| LogError::Io { path: path.to_owned(), source }
    }

    /// Whether the disk has no room: worth a retriable error and another try.
    pub fn is_disk_full(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, LogError::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded))
    }
}
