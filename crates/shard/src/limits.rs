//! The shard's bounds, each with its reason.

/// Decompressed size of a batch of group records: coordinators write them themselves, uncompressed
/// and below `offsets.topic.segment.bytes`; what is larger is not theirs.
pub(crate) const GROUP_BATCH_BYTES: u64 = 100 * 1024 * 1024;
