//! What the settings of each topic come to, worked out once for each change.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use config::{BrokerConfig, TopicConfig};
use controller::TopicImage;
use log::LogSettings;
use model::TopicId;
use shard::entry::PartitionSettings;

use crate::settings::LiveConfig;

/// A topic's settings, typed.
pub(crate) struct TopicSettings {
    pub(crate) config: TopicConfig,
    /// What apply needs of them.
    pub(crate) partition: PartitionSettings,
}

/// All topics' settings, kept for as long as the image holds the same topic and the broker's
/// settings, which give the defaults, are the same.
pub(crate) struct Topics {
    broker: Arc<LiveConfig>,
    known: RwLock<BTreeMap<TopicId, Known>>,
}

/// A topic's settings, and what they were worked out from.
type Known = (Arc<TopicImage>, Arc<BrokerConfig>, Arc<TopicSettings>);

impl Topics {
    pub(crate) fn new(broker: Arc<LiveConfig>) -> Self {
        Topics { broker, known: RwLock::default() }
    }

    /// The settings of a topic as this image has it.
    pub(crate) fn settings(&self, topic: &Arc<TopicImage>) -> Arc<TopicSettings> {
        let broker = self.broker.load();
        if let Some((of, by, settings)) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&topic.id)
            && Arc::ptr_eq(of, topic)
            && Arc::ptr_eq(by, &broker)
        {
            return settings.clone();
        }
        let settings = Arc::new(work_out(topic, &broker));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(topic.id, (topic.clone(), broker, settings.clone()));
        settings
    }

    /// Forgets topics that are gone.
    pub(crate) fn retain(&self, exists: impl Fn(TopicId) -> bool) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).retain(|id, _| exists(*id));
    }
}

fn work_out(topic: &TopicImage, broker: &BrokerConfig) -> TopicSettings {
    let config = TopicConfig::from_stored(&topic.configs, broker);
    let partition = PartitionSettings {
        log: LogSettings {
            segment_bytes: bytes(config.segment_bytes),
            segment_ms: config.roll_ms(),
            segment_jitter_ms: config.segment_jitter_ms,
            index_interval_bytes: bytes(config.index_interval_bytes),
            segment_index_bytes: bytes(config.segment_index_bytes),
        },
        producer_expiration_ms: i64::from(broker.producer_id_expiration_ms()),
        file_delete_delay_ms: config.file_delete_delay_ms,
    };
    TopicSettings { config, partition }
}

/// Sizes are Kafka's signed numbers, checked not to be negative.
fn bytes(size: i32) -> u64 {
    u64::try_from(size).unwrap_or(0)
}
