//! The broker's settings: what was given, layer over layer, and the typed values made of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::BrokerId;

use crate::cluster::{self, ClusterConfig};
use crate::error::ConfigError;
use crate::listeners::{self, Listener};
use crate::origin::Origin;
use crate::setting::{Effect, Setting};
use crate::table;
use crate::topic::TopicConfig;

/// All settings of this broker. Built once at start ([`BrokerConfig::load`]) and again for each
/// dynamic change ([`BrokerConfig::with_dynamic`]); reading a value is reading a field.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    /// Given at start.
    pub(crate) fixed: BTreeMap<&'static str, Given>,
    /// Set while running, for all brokers. Names that Kafka does not know are kept (plug-ins' own).
    pub(crate) cluster: BTreeMap<String, String>,
    /// Set while running, for this broker.
    pub(crate) dynamic: BTreeMap<String, String>,
    /// This machine's name: what `listeners` on every interface advertise.
    pub(crate) host_name: String,
    values: Values,
    listeners: Vec<Listener>,
    cluster_config: Option<ClusterConfig>,
    per_ip: BTreeMap<String, i32>,
    topic_defaults: TopicConfig,
}

/// A value and who said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

/// The one value of `replica.selector.class`: Kafka's class of this name.
pub(crate) const RACK_AWARE_SELECTOR: &str = "org.apache.kafka.common.replica.RackAwareReplicaSelector";

/// When a record is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Once it is on disk.
    Fsync,
    /// Once the kernel has it.
    Relaxed,
}

macro_rules! broker_values {
    ($($field:ident: $type:ty = $key:literal,)*) => {
        #[derive(Clone, Copy, Debug)]
        struct Values { $($field: $type,)* }

        impl Values {
            fn read(value: impl Fn(&'static str) -> String) -> Self {
                Values { $($field: value($key).parse().expect("values are checked before they are stored"),)* }
            }
        }

        /// One accessor for each number and switch that the broker goes by. Times are in the unit
        /// that the name ends with, sizes in bytes.
        impl BrokerConfig {
            #[cfg(test)]
            pub(crate) const KEYS: &'static [&'static str] = &[$($key),*];

            $(#[doc = concat!("`", $key, "`")]
            pub fn $field(&self) -> $type { self.values.$field })*
        }
    };
}

broker_values! {
    auto_create_topics_enable: bool = "auto.create.topics.enable",
    auto_leader_rebalance_enable: bool = "auto.leader.rebalance.enable",
    broker_replacement_ms: i64 = "broker.replacement.ms",
    broker_session_timeout_ms: i32 = "broker.session.timeout.ms",
    catch_up_max_bytes_per_second: u64 = "catch.up.max.bytes.per.second",
    connections_max_idle_ms: i64 = "connections.max.idle.ms",
    controlled_shutdown_enable: bool = "controlled.shutdown.enable",
    default_replication_factor: i32 = "default.replication.factor",
    delete_topic_enable: bool = "delete.topic.enable",
    disk_reserve_bytes: u64 = "disk.reserve.bytes",
    fetch_max_bytes: i32 = "fetch.max.bytes",
    group_initial_rebalance_delay_ms: i32 = "group.initial.rebalance.delay.ms",
    group_max_session_timeout_ms: i32 = "group.max.session.timeout.ms",
    group_max_size: i32 = "group.max.size",
    group_min_session_timeout_ms: i32 = "group.min.session.timeout.ms",
    journal_cache_bytes: u64 = "journal.cache.bytes",
    journal_checkpoint_bytes: u64 = "journal.checkpoint.bytes",
    journal_file_bytes: u64 = "journal.file.bytes",
    log_cleaner_backoff_ms: i64 = "log.cleaner.backoff.ms",
    log_cleaner_dedupe_buffer_size: i64 = "log.cleaner.dedupe.buffer.size",
    log_cleaner_enable: bool = "log.cleaner.enable",
    log_cleaner_io_buffer_load_factor: f64 = "log.cleaner.io.buffer.load.factor",
    log_cleaner_io_max_bytes_per_second: f64 = "log.cleaner.io.max.bytes.per.second",
    log_cleaner_threads: i32 = "log.cleaner.threads",
    log_retention_check_interval_ms: i64 = "log.retention.check.interval.ms",
    max_connection_creation_rate: i32 = "max.connection.creation.rate",
    max_connections: i32 = "max.connections",
    max_connections_per_ip: i32 = "max.connections.per.ip",
    max_incremental_fetch_session_cache_slots: i32 = "max.incremental.fetch.session.cache.slots",
    max_request_partition_size_limit: i32 = "max.request.partition.size.limit",
    num_partitions: i32 = "num.partitions",
    offset_metadata_max_bytes: i32 = "offset.metadata.max.bytes",
    offsets_commit_timeout_ms: i32 = "offsets.commit.timeout.ms",
    offsets_retention_check_interval_ms: i64 = "offsets.retention.check.interval.ms",
    offsets_retention_minutes: i32 = "offsets.retention.minutes",
    offsets_topic_num_partitions: i32 = "offsets.topic.num.partitions",
    offsets_topic_replication_factor: i16 = "offsets.topic.replication.factor",
    offsets_topic_segment_bytes: i32 = "offsets.topic.segment.bytes",
    producer_id_expiration_ms: i32 = "producer.id.expiration.ms",
    queued_max_request_bytes: i64 = "queued.max.request.bytes",
    replica_lag_time_max_ms: i64 = "replica.lag.time.max.ms",
    socket_listen_backlog_size: i32 = "socket.listen.backlog.size",
    socket_request_max_bytes: i32 = "socket.request.max.bytes",
    telemetry_max_bytes: i32 = "telemetry.max.bytes",
}

impl Default for BrokerConfig {
    fn default() -> Self {
        let config = Self::build(BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), String::new());
        config.expect("the defaults are good")
    }
}

impl BrokerConfig {
    pub(crate) fn build(
        fixed: BTreeMap<&'static str, Given>,
        cluster: BTreeMap<String, String>,
        dynamic: BTreeMap<String, String>,
        host_name: String,
    ) -> Result<Self, ConfigError> {
        let layers = Layers { fixed: &fixed, cluster: &cluster, dynamic: &dynamic };
        let checked = |name| layers.value(name).expect("a setting that is read has a default").to_owned();
        let values = Values::read(checked);
        let topic_defaults = TopicConfig::read(|name| layers.topic_default(name));
        let listeners = listeners::from_settings(&layers, &host_name)?;
        let per_ip = listeners::limits_per_address(&layers)?;
        let cluster_config = None;
        let mut config = BrokerConfig {
            values,
            listeners,
            cluster_config,
            per_ip,
            topic_defaults,
            fixed,
            cluster,
            dynamic,
            host_name,
        };
        crate::cross::check(&config)?;
        config.cluster_config = cluster::from_settings(&config.layers(), config.node_id())?;
        Ok(config)
    }

    /// These settings with what was set while running: for all brokers, and for this one.
    ///
    /// # Errors
    /// As at start; a caller that applies stored changes keeps the settings it has.
    pub fn with_dynamic(
        &self,
        cluster: &BTreeMap<String, String>,
        dynamic: &BTreeMap<String, String>,
    ) -> Result<BrokerConfig, ConfigError> {
        let checked = |layer: &BTreeMap<String, String>| -> Result<BTreeMap<String, String>, ConfigError> {
            layer.iter().map(|(name, value)| Ok((name.clone(), admit(name, value)?))).collect()
        };
        Self::build(self.fixed.clone(), checked(cluster)?, checked(dynamic)?, self.host_name.clone())
    }

    /// Where clients connect, in the order given; never empty.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// `node.id`, or its old name `broker.id` (-1 there is "not set").
    pub fn node_id(&self) -> BrokerId {
        let unset = self.value("broker.id") == Some("-1") || self.fixed.contains_key("node.id");
        let id = self.number(if unset { "node.id" } else { "broker.id" });
        let id = id.and_then(|id| i32::try_from(id).ok());
        BrokerId(id.expect("ids are checked before they are stored"))
    }

    /// Whether `node.id` is the default: a broker that joins a cluster is then given one.
    pub fn has_node_id(&self) -> bool {
        ["node.id", "broker.id"].iter().any(|name| self.fixed.contains_key(name))
    }

    /// How the broker finds others; none if it is alone.
    pub fn cluster_config(&self) -> Option<&ClusterConfig> {
        self.cluster_config.as_ref()
    }

    /// `cluster.secret`, if it is set.
    pub fn cluster_secret(&self) -> Option<&str> {
        self.value("cluster.secret")
    }

    /// `cluster.secret.file`, if it is set.
    pub fn cluster_secret_file(&self) -> Option<PathBuf> {
        self.value("cluster.secret.file").map(PathBuf::from)
    }

    /// `broker.rack`
    pub fn rack(&self) -> Option<&str> {
        self.value("broker.rack")
    }

    /// Whether consumers are sent to followers in their own racks: `replica.selector.class`.
    pub fn reads_from_followers(&self) -> bool {
        self.value("replica.selector.class").is_some_and(|class| class == RACK_AWARE_SELECTOR)
    }

    /// `data-dir`, or what Kafka calls it: `log.dirs`, `log.dir`.
    pub fn data_dir(&self) -> PathBuf {
        let given = ["data-dir", "log.dirs", "log.dir"].into_iter().find(|name| self.fixed.contains_key(name));
        PathBuf::from(self.text(given.unwrap_or("data-dir")))
    }

    /// `durability`
    pub fn durability(&self) -> Durability {
        if self.text("durability") == "relaxed" { Durability::Relaxed } else { Durability::Fsync }
    }

    /// `shards.per.broker`; unset, the caller takes the number of cores, at most 4.
    pub fn shards_per_broker(&self) -> Option<usize> {
        self.value("shards.per.broker").and_then(|value| value.parse().ok())
    }

    /// Connections that one address may have open: `max.connections.per.ip` and its overrides.
    pub fn max_connections_of(&self, address: &str) -> i32 {
        self.per_ip.get(address).copied().unwrap_or_else(|| self.max_connections_per_ip())
    }

    /// What a topic without settings of its own goes by.
    pub fn topic_defaults(&self) -> &TopicConfig {
        &self.topic_defaults
    }

    /// Any setting's value as text; `None` is Kafka's null.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.layers().value(name)
    }

    /// A number's value, for settings without an accessor of their own.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.value(name).and_then(|value| value.parse().ok())
    }

    /// Who said what [`BrokerConfig::value`] says.
    pub fn origin(&self, name: &str) -> Origin {
        self.layers().origin(name)
    }

    /// All settings in the order of their names, as `tidelog config effective` shows them.
    pub fn effective(&self) -> Vec<EffectiveValue> {
        let row = |setting: &&'static Setting| EffectiveValue {
            setting,
            value: self.value(setting.name).map(|value| crate::load::shown(setting, value)),
            origin: self.origin(setting.name),
        };
        table::broker().iter().map(row).collect()
    }

    /// The settings given at the start that do nothing in this version: those that wait for another part, or have
    /// nothing here to steer. They are let in, so that a configuration made for Kafka works.
    pub fn without_effect(&self) -> Vec<&'static str> {
        let does_nothing = |setting: &Setting| matches!(setting.effect, Effect::Later(_) | Effect::Idle(_));
        let given = self.fixed.iter().filter_map(|(name, given)| Some((table::find_broker(name)?, given)));
        let given = given.filter(|(setting, given)| setting.default != Some(&given.value) && does_nothing(setting));
        given.map(|(setting, _)| setting.name).collect()
    }

    /// With relaxed durability nobody keeps a promise about unsynced records.
    pub(crate) fn check_flush_interval(&self, name: &str, value: &str) -> Result<(), ConfigError> {
        match self.durability() {
            Durability::Fsync => Ok(()),
            Durability::Relaxed => Err(ConfigError::Unsupported {
                name: name.to_owned(),
                value: value.to_owned(),
                reason: "this broker runs with durability = relaxed, which syncs when it suits the kernel",
            }),
        }
    }

    pub(crate) fn layers(&self) -> Layers<'_> {
        Layers { fixed: &self.fixed, cluster: &self.cluster, dynamic: &self.dynamic }
    }

    fn text(&self, name: &str) -> &str {
        self.value(name).expect("a setting that is read has a default")
    }
}

/// One row of [`BrokerConfig::effective`].
#[derive(Clone, Debug)]
pub struct EffectiveValue {
    /// What is known of the setting.
    pub setting: &'static Setting,
    /// Its value; stars for a password, `None` for Kafka's null.
    pub value: Option<String>,
    /// Who said it.
    pub origin: Origin,
}

/// The layers of values, the strongest last.
#[derive(Clone, Copy)]
pub(crate) struct Layers<'a> {
    pub(crate) fixed: &'a BTreeMap<&'static str, Given>,
    pub(crate) cluster: &'a BTreeMap<String, String>,
    pub(crate) dynamic: &'a BTreeMap<String, String>,
}

impl<'a> Layers<'a> {
    pub(crate) fn value(&self, name: &str) -> Option<&'a str> {
        let given = || self.fixed.get(name).map(|given| &given.value);
        let set = self.dynamic.get(name).or_else(|| self.cluster.get(name)).or_else(given);
        set.map(String::as_str).or_else(|| table::find_broker(name)?.default)
    }

    pub(crate) fn origin(&self, name: &str) -> Origin {
        if self.dynamic.contains_key(name) {
            return Origin::Dynamic;
        }
        if self.cluster.contains_key(name) {
            return Origin::ClusterDefault;
        }
        self.fixed.get(name).map_or(Origin::Default, |given| given.origin.clone())
    }

    /// The broker's default of a topic setting.
    fn topic_default(&self, name: &str) -> String {
        let setting = table::find_topic(name).expect("a setting that is read is in the table");
        self.inherited(setting).expect("a setting that is read has a default")
    }

    /// What a topic goes by that does not set this: the strongest of the broker's settings for it
    /// that has a value, in the topic's unit, else the built-in default.
    pub(crate) fn inherited(&self, setting: &Setting) -> Option<String> {
        let strongest = setting.inherits.iter().find_map(|from| Some((from, self.value(from.name)?)));
        let Some((from, value)) = strongest else {
            return setting.default.map(str::to_owned);
        };
        match value.parse::<i64>() {
            // To Kafka any age below zero is "no limit", which a topic calls -1.
            Ok(number) if number < 0 && setting.name == "retention.ms" => Some("-1".to_owned()),
            Ok(number) => Some(number.saturating_mul(from.unit).to_string()),
            Err(_) => Some(value.to_owned()),
        }
    }

    /// The error of a value that its own rule lets through.
    pub(crate) fn bad_value(&self, name: &str, reason: impl Into<String>) -> ConfigError {
        ConfigError::BadValue {
            name: name.to_owned(),
            value: self.value(name).unwrap_or("null").to_owned(),
            origin: self.origin(name),
            reason: reason.into(),
        }
    }
}

/// Checks a broker setting that is changed while running; names that nobody knows pass.
fn admit(name: &str, value: &str) -> Result<String, ConfigError> {
    table::find_broker(name).map_or_else(|| Ok(value.to_owned()), |setting| setting.admit(value))
}
