//! A durable map from keys to values, kept as a log of edits: where a Raft group writes down, at
//! each checkpoint, how far its state goes and which files hold it.
//!
//! It is not a database: all of it is read at start, and what it says then lives with the caller.
//! Commits are rare (one a checkpoint) and atomic. The format is in
//! `docs/architecture/manifest-format.md`.
//!
//! ```
//! use std::{path::Path, sync::Arc};
//! use bytes::Bytes;
//! # fn main() -> Result<(), manifest::ManifestError> {
//! let disk = Arc::new(disk::SimDisk::new(1));
//! let (manifest, found) = manifest::Manifest::open(disk.clone(), Path::new("groups/1"))?;
//! assert!(found.is_empty());
//! manifest.commit(vec![("applied".into(), Some("42".into())), ("draft".into(), None)])?;
//!
//! let (_, found) = manifest::Manifest::open(disk, Path::new("groups/1"))?;
//! assert_eq!(found.get(&b"applied"[..]), Some(&Bytes::from("42")));
//! # Ok(())
//! # }
//! ```

mod error;
mod format;
mod manifest;

pub use error::ManifestError;
pub use manifest::Manifest;

#[cfg(test)]
mod tests;
