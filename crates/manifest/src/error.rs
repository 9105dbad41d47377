//! What can be wrong with a manifest.

use std::io;
use std::path::PathBuf;

/// Why a manifest could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file system refused.
    #[error("{action} {path} failed: {source}; mend the disk and restart")]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Bytes that were durable once have changed.
    #[error(
        "{path} is damaged at byte {position}: {what}; restore the file, or remove the group's data and let it be copied anew"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where the first bad piece starts.
        position: u64,
        /// What is bad about it.
        what: &'static str,
    },
    /// Written by a later version.
    #[error("{path} has format version {found}, and this version reads up to {newest}; run the version that wrote it")]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest that is known here.
        newest: u32,
    },
    /// Beyond what the format can hold.
    #[error("a {what} of {bytes} bytes does not fit {path}: the limit is {limit}")]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Key or commit.
        what: &'static str,
        /// Its size.
        bytes: u64,
        /// The most that fits.
        limit: u64,
    },
    /// An earlier write left it unknown what the disk holds, so nothing more is written.
    #[error("{path} takes no more commits since an earlier one failed; mend the disk and restart")]
    Failed {
        /// Which file.
        path: PathBuf,
    },
}
