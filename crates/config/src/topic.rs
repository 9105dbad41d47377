//! A topic's settings, typed, with the broker's values where the topic has none of its own.

use std::collections::BTreeMap;

use crate::broker::BrokerConfig;
use crate::error::ConfigError;
use crate::setting::{Effect, Setting};
use crate::table;

macro_rules! topic_config {
    ($($field:ident: $type:ty = $key:literal,)*) => {
        /// What the log and the produce path go by. Each field is the topic setting of that name;
        /// times are in milliseconds, sizes in bytes.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct TopicConfig {
            $(#[doc = concat!("`", $key, "`")] pub $field: $type,)*
        }

        impl TopicConfig {
            #[cfg(test)]
            pub(crate) const KEYS: &'static [&'static str] = &[$($key),*];

            /// The value of each setting from a text that was checked before.
            pub(crate) fn read(value: impl Fn(&'static str) -> String) -> Self {
                TopicConfig { $($field: value($key).parse().expect(CHECKED),)* }
            }

            /// Takes over one value that was checked before; settings that nothing reads are passed over.
            fn set(&mut self, key: &str, value: &str) {
                match key {
                    $($key => self.$field = value.parse().expect(CHECKED),)*
                    _ => {}
                }
            }
        }
    };
}

const CHECKED: &str = "values are checked against their setting before they are stored";

topic_config! {
    cleanup_policy: CleanupPolicy = "cleanup.policy",
    compression_gzip_level: i32 = "compression.gzip.level",
    compression_lz4_level: i32 = "compression.lz4.level",
    compression_type: CompressionType = "compression.type",
    compression_zstd_level: i32 = "compression.zstd.level",
    delete_retention_ms: i64 = "delete.retention.ms",
    file_delete_delay_ms: i64 = "file.delete.delay.ms",
    flush_messages: i64 = "flush.messages",
    flush_ms: i64 = "flush.ms",
    index_interval_bytes: i32 = "index.interval.bytes",
    max_compaction_lag_ms: i64 = "max.compaction.lag.ms",
    max_decompressed_message_bytes: i32 = "max.decompressed.message.bytes",
    max_message_bytes: i32 = "max.message.bytes",
    message_timestamp_after_max_ms: i64 = "message.timestamp.after.max.ms",
    message_timestamp_before_max_ms: i64 = "message.timestamp.before.max.ms",
    message_timestamp_type: TimestampType = "message.timestamp.type",
    min_cleanable_dirty_ratio: f64 = "min.cleanable.dirty.ratio",
    min_compaction_lag_ms: i64 = "min.compaction.lag.ms",
    min_insync_replicas: i32 = "min.insync.replicas",
    retention_bytes: i64 = "retention.bytes",
    retention_ms: i64 = "retention.ms",
    segment_bytes: i32 = "segment.bytes",
    segment_index_bytes: i32 = "segment.index.bytes",
    segment_jitter_ms: i64 = "segment.jitter.ms",
    segment_ms: i64 = "segment.ms",
}

const INTERNAL_SEGMENT_BYTES: &str = "internal.segment.bytes";

impl TopicConfig {
    /// The settings of a topic that is created or altered so: everything is checked.
    ///
    /// # Errors
    /// The first unknown name, bad value, conflict or unsupported value, in Kafka's words; all are
    /// INVALID_CONFIG (40).
    pub fn from_overrides(overrides: &BTreeMap<String, String>, broker: &BrokerConfig) -> Result<Self, ConfigError> {
        if let Some(stranger) = overrides.keys().find(|name| table::find_topic(name).is_none()) {
            return Err(ConfigError::UnknownTopicSetting(stranger.clone()));
        }
        let mut config = *broker.topic_defaults();
        for (name, value) in overrides {
            config.set(name, &validate_topic_override(name, value)?);
        }
        config.set_internal_segment_bytes(overrides);
        if let Some(name) = ["flush.messages", "flush.ms"].into_iter().find(|name| overrides.contains_key(*name)) {
            broker.check_flush_interval(name, &overrides[name])?;
        }
        config.check_compaction_lags()?;
        Ok(config)
    }

    /// The settings of a topic as it was stored, perhaps by another version or under another mode of
    /// durability: what cannot be read or kept any more counts as not set.
    pub fn from_stored(overrides: &BTreeMap<String, String>, broker: &BrokerConfig) -> Self {
        let mut config = *broker.topic_defaults();
        for (name, value) in overrides {
            if let Ok(value) = validate_topic_override(name, value) {
                config.set(name, &value);
            }
        }
        config.set_internal_segment_bytes(overrides);
        config
    }

    fn set_internal_segment_bytes(&mut self, overrides: &BTreeMap<String, String>) {
        let given = overrides.get(INTERNAL_SEGMENT_BYTES).and_then(|value| value.trim().parse().ok());
        self.segment_bytes = given.unwrap_or(self.segment_bytes);
    }

    pub(crate) fn check_compaction_lags(&self) -> Result<(), ConfigError> {
        if self.min_compaction_lag_ms <= self.max_compaction_lag_ms {
            return Ok(());
        }
        Err(ConfigError::Conflict(format!(
            "conflict topic config setting min.compaction.lag.ms ({}) > max.compaction.lag.ms ({})",
            self.min_compaction_lag_ms, self.max_compaction_lag_ms
        )))
    }

    /// Age at which the active segment is closed: a compacted topic must roll in time for
    /// `max.compaction.lag.ms`, since the active segment is never compacted.
    pub fn roll_ms(&self) -> i64 {
        if self.cleanup_policy.compact { self.segment_ms.min(self.max_compaction_lag_ms) } else { self.segment_ms }
    }
}

/// Checks one setting of a topic by itself, and gives its value back as Kafka would print it.
///
/// # Errors
/// As [`TopicConfig::from_overrides`], but for what only settings together can break.
pub fn validate_topic_override(name: &str, value: &str) -> Result<String, ConfigError> {
    let setting = table::find_topic(name).ok_or_else(|| ConfigError::UnknownTopicSetting(name.to_owned()))?;
    match setting.admit(value) {
        Err(ConfigError::Unsupported { .. }) if name == "remote.storage.enable" => Err(ConfigError::NoTieredStorage),
        admitted => admitted,
    }
}

impl Setting {
    /// Like [`Setting::normalize`], and refuses what is not supported here.
    pub(crate) fn admit(&self, value: &str) -> Result<String, ConfigError> {
        let value = self.normalize(value)?;
        match self.effect {
            Effect::Refused(reason) if Some(value.as_str()) != self.default => {
                Err(ConfigError::Unsupported { name: self.name.to_owned(), value, reason })
            }
            _ => Ok(value),
        }
    }
}

/// What becomes of old records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// The last record of each key is kept.
    pub compact: bool,
    /// Segments go by age and size.
    pub delete: bool,
}

impl std::str::FromStr for CleanupPolicy {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let has = |policy| text.split(',').any(|word| word == policy);
        Ok(CleanupPolicy { compact: has("compact"), delete: has("delete") })
    }
}

/// The codec in which batches are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the codecs'")]
pub enum CompressionType {
    /// As they came.
    Producer,
    Uncompressed,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// Not one of Kafka's words.
#[derive(Debug, thiserror::Error)]
#[error("no such word: {0}")]
pub struct UnknownWord(String);

impl std::str::FromStr for CompressionType {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Ok(match text {
            "producer" => CompressionType::Producer,
            "uncompressed" => CompressionType::Uncompressed,
            "gzip" => CompressionType::Gzip,
            "snappy" => CompressionType::Snappy,
            "lz4" => CompressionType::Lz4,
            "zstd" => CompressionType::Zstd,
            other => return Err(UnknownWord(other.to_owned())),
        })
    }
}

/// Whose clock stamps records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The broker's.
    LogAppendTime,
}

impl std::str::FromStr for TimestampType {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "CreateTime" => Ok(TimestampType::CreateTime),
            "LogAppendTime" => Ok(TimestampType::LogAppendTime),
            other => Err(UnknownWord(other.to_owned())),
        }
    }
}
