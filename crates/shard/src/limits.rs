//! The shard's bounds, each with its reason.

/// Decompressed size of a batch of group records: coordinators write them themselves, uncompressed
/// and below `offsets.topic.segment.bytes`; what is larger is not theirs.
pub(crate) const GROUP_BATCH_BYTES: u64 = 100 * 1024 * 1024;

/// The description of a state is held in memory, by who offers it and by who takes it: about 1 KiB for a partition, and
/// what producers and consumer groups have on top. Of several offers the oldest make room.
pub(crate) const MAX_STATE_BYTES: u64 = 1024 * 1024 * 1024;

/// Files are kept so long for a member that has stopped fetching: longer than a leader's tries are apart.
pub(crate) const PIN_IDLE_MS: i64 = 60_000;

/// Files are kept so long for a member however busily it fetches: it must not fill the leader's disk.
pub(crate) const PIN_MOST_MS: i64 = 60 * 60 * 1000;

/// Offers that are being fetched at a time: more than a shard has members.
pub(crate) const MOST_PINS: usize = 16;
