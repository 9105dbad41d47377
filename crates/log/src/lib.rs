//! The log of one partition: segments of raw record batches with an offset index and a time index, in the formats and
//! under the file names of Apache Kafka (`docs/architecture/segment-format.md`).
//!
//! It holds committed data only: it is appended to, its start moves up, compaction takes out what a later record
//! replaces, and nothing else ever changes. It is not what makes a produce durable (that is the journal): a restart goes back to the last checkpoint, and the journal
//! appends the rest again. And it decides nothing: offsets, settings and log starts come from its caller.
//!
//! ```
//! use log::{FileCache, LogSettings, PartitionLog};
//! use record::{BatchBuilder, BatchHead, HEADER_BYTES};
//!
//! let disk = std::sync::Arc::new(disk::SimDisk::new(1));
//! let files = FileCache::new(disk, 100);
//! let log = PartitionLog::create(files.clone(), "topics/orders/0".into(), LogSettings::default(), 0);
//!
//! let batch = BatchBuilder::new().record(1_700_000_000_000, None, Some(b"a record")).build()?;
//! let head = BatchHead::copy_of(&batch).expect("a batch has a head");
//! log.append(&head, &batch[HEADER_BYTES..], 1_700_000_000_000)?;
//! assert_eq!(log.log_end(), 1);
//! assert_eq!(log.read(0, 1 << 20, true)?, [batch]);
//!
//! // A checkpoint: make durable, then let a manifest say so. A restart starts from there.
//! let (description, job) = log.begin_checkpoint();
//! job.run()?;
//! let log = PartitionLog::restore(files, "topics/orders/0".into(), LogSettings::default(), &description);
//! assert_eq!(log.log_end(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | job |
//! |---|---|
//! | `partition_log` | state in memory; what needs no file |
//! | `append`, `read`, `timestamps`, `retention` | what its callers do with it |
//! | `compaction` | the last record of each key |
//! | `transfer`, `mend` | what another replica has and this one lacks, or has damaged |
//! | `checkpoint`, `prepare`, `rebuild` | being durable, starting again, and mending indexes |
//! | `segment`, `description`, `epochs`, `settings` | the facts that a manifest keeps |
//! | `look_up`, `index`, `scan`, `file_cache` | finding a batch; entries, headers and open files |

mod append;
mod checkpoint;
mod compaction;
mod description;
mod epochs;
mod error;
mod file_cache;
mod index;
mod look_up;
mod mend;
mod partition_log;
mod prepare;
mod read;
mod rebuild;
mod retention;
mod scan;
mod segment;
mod settings;
mod timestamps;
mod transfer;
mod warmth;

#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use checkpoint::{SyncJob, delete_dir};
pub use compaction::{
    Compaction, CompactionHold, CompactionNeed, CompactionOrder, CompactionReport, CompactionRules, CompactionStep,
};
pub use description::LogDescription;
pub use error::LogError;
pub use file_cache::{FILES_PER_SEGMENT, FileCache};
pub use mend::{Hole, Mended};
pub use partition_log::PartitionLog;
pub use record::TimestampOffset;
pub use settings::LogSettings;
pub use transfer::{PIECE_BYTES, Piece, Transfer, room_to_take};

/// Locks; a panic elsewhere while the lock was held left nothing half done, since values are replaced whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
