//! What a manifest says of a partition log.

use serde::{Deserialize, Serialize};

use crate::epochs::Epochs;
use crate::segment::SegmentFacts;

/// A log as of a checkpoint: which files it has and how much of each counts.
///
/// Opaque, but for what callers go by. Serialise it with named fields (rmp-serde's `to_vec_named`): later versions add
/// some, and read those written now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogDescription {
    /// First offset that can be read.
    #[serde(rename = "start")]
    pub log_start: i64,
    /// The offset of the next record.
    #[serde(rename = "next")]
    pub next_offset: i64,
    /// The offset up to which compaction has been; left out while it has not.
    #[serde(default, rename = "clean", skip_serializing_if = "is_zero")]
    pub(crate) cleaned_to: i64,
    #[serde(default, rename = "epochs")]
    pub(crate) epochs: Epochs,
    #[serde(default, rename = "segs")]
    pub(crate) segments: Vec<SegmentFacts>,
}

fn is_zero(offset: &i64) -> bool {
    *offset == 0
}

impl LogDescription {
    /// Bytes of batches in all segments.
    pub fn size_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.log_bytes).sum()
    }
}
