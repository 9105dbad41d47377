//! The settings of a topic that shape its files.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// How a log cuts its segments. Part of the replicated state: it changes by entries, so that all replicas roll alike.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct LogSettings {
    /// `segment.bytes`: a segment is at most so large, unless a single batch is larger.
    pub segment_bytes: u64,
    /// `segment.ms`: the time that a segment's batches may span.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: up to so much is taken off `segment_ms`, so that partitions do not all roll at once.
    pub segment_jitter_ms: i64,
    /// `index.interval.bytes`: at least so many bytes of batches between two index entries.
    pub index_interval_bytes: u64,
    /// `segment.index.bytes`: an index file is at most so large.
    pub segment_index_bytes: u64,
}

impl Default for LogSettings {
    /// Kafka's defaults.
    fn default() -> Self {
        LogSettings {
            segment_bytes: 1024 * 1024 * 1024,
            segment_ms: 7 * 24 * 60 * 60 * 1000,
            segment_jitter_ms: 0,
            index_interval_bytes: 4096,
            segment_index_bytes: 10 * 1024 * 1024,
        }
    }
}

impl LogSettings {
    /// The time that the batches of a segment may span, jitter taken off. The jitter comes from the partition's name
    /// and the segment's base offset: random enough to spread, and the same on all replicas.
    pub(crate) fn roll_after_ms(&self, dir: &Path, base_offset: i64) -> i64 {
        let most = self.segment_jitter_ms.min(self.segment_ms);
        if most <= 0 {
            return self.segment_ms;
        }
        let name = dir.file_name().map(|name| name.as_encoded_bytes()).unwrap_or_default();
        let hash = name.iter().copied().chain(base_offset.to_be_bytes()).fold(0xcbf2_9ce4_8422_2325_u64, fnv1a);
        self.segment_ms - (hash >> 1) as i64 % most
    }
}

fn fnv1a(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}
