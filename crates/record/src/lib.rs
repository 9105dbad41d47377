//! Kafka's record batch, version 2: looking at one, checking one that a client sent, setting the fields that the
//! broker assigns, reading its records, and building new ones.
//!
//! It is not a log (that is `tidelog-log`), and it knows nothing of older formats: Kafka 4.0 dropped them.
//! All of it is written to be fed by an enemy: no length on the wire is believed, and no input makes it allocate more
//! than a small bound.
//!
//! ```
//! use record::{BatchBuilder, BatchHead, BatchView, Limits, Records};
//!
//! let batch = BatchBuilder::new().record(1_700_000_000_000, Some(b"key"), Some(b"value")).build()?;
//! let info = record::check(&batch, &Limits::default())?;
//! assert_eq!(info.count, 1);
//!
//! // The broker gives it a place: these fields lie outside the CRC.
//! let mut head = BatchHead::copy_of(&batch).expect("a checked batch has a head");
//! head.set_base_offset(42);
//! head.set_leader_epoch(7);
//! let stored = [head.as_bytes(), &batch[record::HEADER_BYTES..]].concat();
//!
//! let batch = BatchView::new(&stored)?;
//! batch.verify_crc()?;
//! let records = Records::of(&batch, record::MAX_DECOMPRESSED_BATCH_BYTES)?;
//! let first = records.iter().next().expect("it holds one record")?;
//! assert_eq!((first.offset, first.value), (42, Some(&b"value"[..])));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | job |
//! |---|---|
//! | `header` | the 61 bytes in front, by offset; patching and restamping |
//! | `check` | everything that must hold before a batch is replicated |
//! | `walk` | the pass over the records that the check makes, without keeping them |
//! | `refused` | which records a topic does not take, and why |
//! | `records` | reading keys, values and headers |
//! | `builder` | writing batches |
//! | `recompress` | the same batch under another codec |
//! | `keyed` | the pass that compaction makes, which holds one key at a time |
//! | `retain` | a batch with some of its records taken out |
//! | `compression` | the codecs, bounded |

mod builder;
mod check;
mod compression;
mod error;
mod header;
mod keyed;
mod recompress;
mod records;
mod refused;
mod retain;
mod varint;
mod walk;

#[cfg(test)]
mod tests;

pub use builder::{BatchBuilder, BuildError};
pub use check::{BatchInfo, Limits, MAX_DECOMPRESSED_BATCH_BYTES, Timestamps, check};
pub use compression::{Codec, Compression, UnknownCompressionName, decompress};
pub use error::BatchError;
pub use header::{Attributes, BatchHead, BatchView, HEADER_BYTES, NONE, TimestampType, restamp};
pub use keyed::{KeyedRecord, walk_keys};
pub use recompress::{RecompressError, Recompression, recompress};
pub use records::{Header, HeaderIter, Headers, RecordIter, RecordView, Records, TimestampOffset, first_at_or_after};
pub use refused::{RecordProblem, RefusedRecords};
pub use retain::{Retained, Retention, retain};
