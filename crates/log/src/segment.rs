//! What is known of a segment without opening it.

use std::path::{Path, PathBuf};
use std::sync::Weak;

use serde::{Deserialize, Serialize};

use crate::file_cache::OpenSegment;
use crate::index::{OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES};
use crate::settings::LogSettings;

/// The three files of a segment, by the ends of their names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Log,
    OffsetIndex,
    TimeIndex,
}

impl Kind {
    pub(crate) const ALL: [Kind; 3] = [Kind::Log, Kind::OffsetIndex, Kind::TimeIndex];

    fn suffix(self) -> &'static str {
        match self {
            Kind::Log => "log",
            Kind::OffsetIndex => "index",
            Kind::TimeIndex => "timeindex",
        }
    }

    pub(crate) fn file_name(self, Name { base_offset, digits }: Name) -> String {
        format!("{base_offset:0width$}.{}", self.suffix(), width = usize::from(digits))
    }

    /// What a file of this name belongs to.
    pub(crate) fn of_file(file_name: &str) -> Option<(Kind, Name)> {
        let (digits, suffix) = file_name.split_once('.')?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.suffix() == suffix)?;
        let name = Name { base_offset: digits.parse().ok()?, digits: u8::try_from(digits.len()).ok()? };
        (kind.file_name(name) == file_name).then_some((kind, name))
    }

    pub(crate) fn path(self, dir: &Path, name: Name) -> PathBuf {
        dir.join(self.file_name(name))
    }
}

/// What the files of a segment are named for: the base offset, in so many digits.
///
/// Kafka's names have 20 digits. A segment that compaction made has more, so that it can lie beside the one that it
/// takes the place of; Kafka's tools, which read a number, read it all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Name {
    pub(crate) base_offset: i64,
    pub(crate) digits: u8,
}

impl Name {
    /// Kafka's number of digits.
    pub(crate) const DIGITS: u8 = 20;

    /// Most digits that are used, and then 20 again. So many compactions of one segment, each with the files of the
    /// one before still there, do not happen; and a name that is taken is passed over.
    const MOST_DIGITS: u8 = 60;

    /// The one to try after this one.
    pub(crate) fn next(self) -> Self {
        let digits = if self.digits < Self::MOST_DIGITS { self.digits + 1 } else { Self::DIGITS };
        Name { digits, ..self }
    }

    pub(crate) fn paths(self, dir: &Path) -> [PathBuf; 3] {
        Kind::ALL.map(|kind| kind.path(dir, self))
    }
}

/// A segment as a manifest describes it: enough to go on appending to it without reading it.
///
/// The names of its fields are short since a manifest repeats them for every segment of every partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct SegmentFacts {
    /// The offset that its files are named for. Batches in it have this offset or a greater one.
    #[serde(rename = "b")]
    pub(crate) base_offset: i64,
    /// Bytes of whole batches in the `.log` file.
    #[serde(rename = "l", default)]
    pub(crate) log_bytes: u64,
    /// Bytes of whole entries in the `.index` file.
    #[serde(rename = "i", default)]
    pub(crate) index_bytes: u64,
    /// Bytes of whole entries in the `.timeindex` file.
    #[serde(rename = "t", default)]
    pub(crate) time_index_bytes: u64,
    /// The greatest timestamp, -1 if there is none, and the last offset of the first batch that has it.
    #[serde(rename = "m", default = "none")]
    pub(crate) max_timestamp: i64,
    #[serde(rename = "o", default)]
    pub(crate) max_timestamp_offset: i64,
    /// The greatest timestamp of the first batch: the time for which the segment was opened.
    #[serde(rename = "f", default = "none")]
    pub(crate) first_timestamp: i64,
    /// The shard's clock when it was made, and at its last append.
    #[serde(rename = "c", default)]
    pub(crate) created_ms: i64,
    #[serde(rename = "a", default)]
    pub(crate) appended_ms: i64,
    /// Position of the batch that the last offset index entry points to.
    #[serde(rename = "p", default)]
    pub(crate) indexed_position: u64,
    /// Timestamp of the last time index entry.
    #[serde(rename = "s", default = "none")]
    pub(crate) indexed_timestamp: i64,
    /// Whether the next batch goes to a new segment, whatever the settings.
    #[serde(rename = "x", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) sealed: bool,
    /// Digits of the base offset in the names of its files.
    #[serde(rename = "d", default = "kafkas_digits", skip_serializing_if = "is_kafkas_digits")]
    pub(crate) digits: u8,
    /// The earliest delete horizon of its batches: when there is a tombstone to be dropped; -1 if there is none.
    #[serde(rename = "h", default = "none", skip_serializing_if = "is_none")]
    pub(crate) delete_horizon_ms: i64,
}

fn none() -> i64 {
    record::NONE
}

fn is_none(value: &i64) -> bool {
    *value == record::NONE
}

fn kafkas_digits() -> u8 {
    Name::DIGITS
}

fn is_kafkas_digits(digits: &u8) -> bool {
    *digits == Name::DIGITS
}

impl SegmentFacts {
    pub(crate) fn new(base_offset: i64, now_ms: i64) -> Self {
        SegmentFacts {
            base_offset,
            log_bytes: 0,
            index_bytes: 0,
            time_index_bytes: 0,
            max_timestamp: record::NONE,
            max_timestamp_offset: base_offset,
            first_timestamp: record::NONE,
            created_ms: now_ms,
            appended_ms: now_ms,
            indexed_position: 0,
            indexed_timestamp: record::NONE,
            sealed: false,
            digits: Name::DIGITS,
            delete_horizon_ms: record::NONE,
        }
    }

    pub(crate) fn name(&self) -> Name {
        Name { base_offset: self.base_offset, digits: self.digits }
    }

    pub(crate) fn bytes_of(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Log => self.log_bytes,
            Kind::OffsetIndex => self.index_bytes,
            Kind::TimeIndex => self.time_index_bytes,
        }
    }

    /// Whether a batch must go to a new segment: `LogSegment.shouldRoll` of Kafka. Depends on replicated state only.
    pub(crate) fn must_roll_for(&self, batch: &IncomingBatch, settings: &LogSettings, roll_after_ms: i64) -> bool {
        self.log_bytes > 0
            && (self.sealed
                || self.log_bytes + batch.size_bytes > settings.segment_bytes
                || self.open_for_ms(batch.max_timestamp, batch.now_ms) > roll_after_ms
                || !self.has_room_in_indexes(settings)
                || batch.last_offset - self.base_offset > i64::from(i32::MAX))
    }

    /// How long it has been open, by the timestamps of its batches, or by the clock where they have none.
    pub(crate) fn open_for_ms(&self, timestamp: i64, now_ms: i64) -> i64 {
        if self.first_timestamp >= 0 {
            timestamp.saturating_sub(self.first_timestamp)
        } else {
            now_ms.saturating_sub(self.created_ms)
        }
    }

    pub(crate) fn has_room_in_indexes(&self, settings: &LogSettings) -> bool {
        // The time index keeps a place for the entry that closes it.
        self.index_bytes + OFFSET_ENTRY_BYTES <= settings.segment_index_bytes
            && self.time_index_bytes + 2 * TIME_ENTRY_BYTES <= settings.segment_index_bytes
    }

    /// What retention by time goes by: the greatest timestamp, or the last append where batches have none.
    pub(crate) fn newest_ms(&self) -> i64 {
        if self.max_timestamp >= 0 { self.max_timestamp } else { self.appended_ms }
    }
}

/// What decides about rolling, of the batch to be appended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IncomingBatch {
    pub(crate) size_bytes: u64,
    pub(crate) last_offset: i64,
    pub(crate) max_timestamp: i64,
    pub(crate) now_ms: i64,
}

/// A segment in memory.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) facts: SegmentFacts,
    /// Its open files, while the cache keeps them.
    pub(crate) open: Weak<OpenSegment>,
    /// Written since the last checkpoint, by kind.
    pub(crate) dirty: [bool; 3],
    /// An index file is missing or shorter than it should be.
    pub(crate) needs_indexes: bool,
}

impl Segment {
    pub(crate) fn new(facts: SegmentFacts) -> Self {
        Segment { facts, open: Weak::new(), dirty: [false; 3], needs_indexes: false }
    }

    pub(crate) fn name(&self) -> Name {
        self.facts.name()
    }
}
