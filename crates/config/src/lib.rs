//! Settings: Kafka's names, types, defaults and bounds, what was said about them and where, and the
//! typed values that the broker and its logs go by.
//!
//! It is not a reader of files or of the environment (both come in as text through [`Sources`]), nor
//! a store: settings changed while running are kept by the controller and handed in.
//!
//! ```
//! use std::collections::BTreeMap;
//! use config::{BrokerConfig, Sources, TopicConfig};
//!
//! let sources = Sources { set: vec!["log.retention.hours=24".to_owned()], ..Sources::default() };
//! let broker = BrokerConfig::load(&sources)?;
//! assert_eq!(broker.num_partitions(), 1);
//!
//! let overrides = BTreeMap::from([("segment.bytes".to_owned(), "1048576".to_owned())]);
//! let topic = TopicConfig::from_overrides(&overrides, &broker)?;
//! assert_eq!((topic.segment_bytes, topic.retention_ms), (1 << 20, 24 * 3_600_000));
//! # Ok::<(), config::ConfigError>(())
//! ```
//!
//! * `table` and `setting`: what is known of each setting; `rule`: what a value must keep to
//! * `load`: from [`Sources`] to [`BrokerConfig`]; `cross`: what settings must keep to among each other
//! * `broker`, `topic`, `group`: values in use; `listeners`: where clients connect;
//!   `cluster`: where other brokers do
//! * `client_metrics`: subscriptions to the metrics of clients
//! * `describe`: what DescribeConfigs answers; `change`, `dynamic`: what may change while running
//! * `reference`: the page `docs/reference/configuration.md`, made of the tables

mod broker;
mod change;
mod client_metrics;
mod cluster;
mod cross;
mod describe;
mod duration;
mod dynamic;
mod error;
mod group;
mod listeners;
mod load;
mod origin;
mod reference;
mod rule;
mod setting;
mod table;
mod topic;

pub use broker::{BrokerConfig, Durability, EffectiveValue};
pub use change::{MAX_SETTINGS_BYTES, Owner};
pub use client_metrics::ClientMetricsConfig;
pub use cluster::{ClusterConfig, ClusterTls};
pub use describe::{
    Described, Source, Synonym, describe_broker, describe_client_metrics, describe_cluster_default, describe_group,
    describe_topic,
};
pub use duration::parse_iso_8601_ms;
pub use dynamic::validate_dynamic;
pub use error::ConfigError;
pub use group::{group_value, validate_group_overrides};
pub use listeners::{DEFAULT_PORT, HostPort, Listener};
pub use load::{Flags, Sources, environment_name, is_reserved};
pub use origin::Origin;
pub use reference::reference_page;
pub use rule::Rule;
pub use setting::{Effect, Inherit, Kind, Mode, Setting};
pub use table::{
    BROKER_BY_SUBJECT, CLIENT_METRICS, GROUP, TOPIC, broker as broker_settings, find_broker, find_group, find_topic,
};
pub use topic::{CleanupPolicy, CompressionType, TimestampType, TopicConfig, validate_topic_override};
