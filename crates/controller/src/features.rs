//! Feature levels (KIP-584): what this build can do, and what the cluster agreed to use.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A feature as this build knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Feature {
    /// Kafka's name for it.
    pub name: &'static str,
    /// Lowest level that this build can run at.
    pub min: i16,
    /// Highest level that this build really serves.
    pub max: i16,
    /// Highest level that Kafka 4.4.0 knows: where `max` is on its way to.
    pub kafka: i16,
}

/// All features, by name. Raise `max` in the change that makes it true: clients choose protocols
/// by these levels, and a level once finalized in a cluster must be served ever after.
pub const FEATURES: &[Feature] = &[
    Feature { name: "eligible.leader.replicas.version", min: 0, max: 0, kafka: 1 },
    Feature { name: "group.version", min: 0, max: 0, kafka: 1 },
    Feature { name: METADATA_VERSION, min: 7, max: 33, kafka: 33 },
    Feature { name: "share.version", min: 0, max: 0, kafka: 2 },
    Feature { name: "streams.version", min: 0, max: 0, kafka: 1 },
    Feature { name: "transaction.version", min: 0, max: 0, kafka: 2 },
];

/// The feature that stands for Kafka's release: 33 is `4.4-IV2`.
pub const METADATA_VERSION: &str = "metadata.version";

/// The feature with this name.
pub fn feature(name: &str) -> Option<&'static Feature> {
    FEATURES.iter().find(|feature| feature.name == name)
}

/// What this build can do: features of which it serves some level above 0.
pub fn supported() -> impl Iterator<Item = &'static Feature> {
    FEATURES.iter().filter(|feature| feature.max > 0)
}

/// The levels that a fresh cluster starts with: the highest served ones.
pub fn initial_levels() -> BTreeMap<String, i16> {
    supported().map(|feature| (feature.name.to_owned(), feature.max)).collect()
}

/// The levels in force. A feature at level 0 is not listed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FinalizedFeatures {
    /// Level by name, each above 0.
    pub levels: BTreeMap<String, i16>,
    /// Index of the command that last changed a level: what ApiVersions calls the epoch.
    pub epoch: u64,
}

impl FinalizedFeatures {
    /// The level of a feature; 0 if it is off.
    pub fn level(&self, name: &str) -> i16 {
        self.levels.get(name).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_level_is_promised_that_kafka_does_not_know() {
        for feature in FEATURES {
            assert!(feature.min <= feature.max && feature.max <= feature.kafka, "{feature:?}");
        }
        assert!(FEATURES.is_sorted_by_key(|feature| feature.name));
    }

    #[test]
    fn a_fresh_cluster_finalizes_what_is_served_and_nothing_at_level_0() {
        let levels = initial_levels();
        assert_eq!(levels.get(METADATA_VERSION), Some(&33));
        assert!(levels.iter().all(|(name, level)| feature(name).is_some_and(|it| (1..=it.max).contains(level))));
    }
}
