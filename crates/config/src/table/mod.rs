//! Every setting there is, as constants; names, types, defaults and bounds are those of Kafka 4.4.0
//! but where the documentation says otherwise.

mod client_metrics;
mod cluster;
mod fetching;
mod group;
mod groups;
mod logs;
mod network;
mod observability;
mod own;
mod security;
mod shares;
mod tiers;
mod topic;
mod topics;
mod transactions;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use crate::setting::Setting;

/// The broker's settings by subject, ours first.
pub const BROKER_BY_SUBJECT: &[(&str, &[Setting])] = &[
    ("Tidelog's own", own::SETTINGS),
    ("Network", network::SETTINGS),
    ("Topics", topics::SETTINGS),
    ("Logs", logs::SETTINGS),
    ("Fetching", fetching::SETTINGS),
    ("Groups", groups::SETTINGS),
    ("Share groups", shares::SETTINGS),
    ("Producers and transactions", transactions::SETTINGS),
    ("Cluster", cluster::SETTINGS),
    ("Security", security::SETTINGS),
    ("Tiered storage", tiers::SETTINGS),
    ("Metrics and quotas", observability::SETTINGS),
];

/// The settings of topics, in the order of their names.
pub const TOPIC: &[Setting] = topic::SETTINGS;

/// The settings of groups, in the order of their names.
pub const GROUP: &[Setting] = group::SETTINGS;

/// The settings of subscriptions to client metrics, in the order of their names.
pub const CLIENT_METRICS: &[Setting] = client_metrics::SETTINGS;

static BROKER: LazyLock<Vec<&'static Setting>> = LazyLock::new(|| {
    let mut all: Vec<_> = BROKER_BY_SUBJECT.iter().flat_map(|(_, settings)| *settings).collect();
    all.sort_unstable_by_key(|setting| setting.name);
    all
});

/// All broker settings, in the order of their names.
pub fn broker() -> &'static [&'static Setting] {
    &BROKER
}

/// The broker setting of this name.
pub fn find_broker(name: &str) -> Option<&'static Setting> {
    BROKER.binary_search_by_key(&name, |setting| setting.name).ok().map(|at| BROKER[at])
}

/// The topic setting of this name.
pub fn find_topic(name: &str) -> Option<&'static Setting> {
    TOPIC.binary_search_by_key(&name, |setting| setting.name).ok().map(|at| &TOPIC[at])
}

/// The group setting of this name.
pub fn find_group(name: &str) -> Option<&'static Setting> {
    GROUP.binary_search_by_key(&name, |setting| setting.name).ok().map(|at| &GROUP[at])
}

/// The setting of this name of a subscription to client metrics.
pub(crate) fn find_client_metrics(name: &str) -> Option<&'static Setting> {
    CLIENT_METRICS.iter().find(|setting| setting.name == name)
}

/// In the order in which Kafka names them in its error message.
const COMPRESSION_TYPES: &[&str] = &["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"];

// What is to come: the rest of the sentence "takes effect with ...".
const CONSUMER_GROUPS: &str = "consumer groups of the new protocol (KIP-848)";
const NODES: &str = "clusters of several nodes";
const QUOTAS: &str = "quotas";
const SECURITY: &str = "TLS and SASL";
const SHARE_GROUPS: &str = "share groups";
const STREAMS_GROUPS: &str = "streams groups";
const TRANSACTIONS: &str = "transactions";

// Why there is nothing to steer.
const BOTH_ROLES: &str = "every node is broker and controller as the cluster needs it";
const CHECKPOINTS: &str = "one checkpoint covers everything; see journal.checkpoint.bytes";
const COUNTED_IN_BYTES: &str =
    "a connection has one request in work, or 16 of produce, and queued.max.request.bytes bounds them all";
const KERNEL_BUFFERS: &str = "the kernel sizes the buffers of each socket by itself";
const NO_EARLY_START: &str = "listeners open when the broker can answer";
const NO_LOADING: &str = "a coordinator's state is always current, nothing is loaded";
const NO_POOLS: &str = "connections and requests are tasks spread over the cores, not threads of a pool";
const NO_PURGATORY: &str = "a request that waits is woken by what it waits for";
const ONE_DIRECTORY: &str = "a broker has one data directory";
const ONE_REPLAY: &str = "one journal is replayed, and its length is bounded";
const OWN_COMPACTOR: &str = "the compactor sizes its buffers by what it has to do";
const OWN_CONTROLLER: &str = "the controller is a Raft group like the shards, without a log of Kafka's format";
const OWN_COORDINATOR: &str = "coordinators write through the shard, which gathers writes by itself";
const OWN_METRICS: &str = "metrics are counters, read when they are asked for";
const OWN_TRANSACTIONS: &str = "a transaction's partitions are added by the shard in one step";
const PLAIN_INTERNAL: &str = "internal topics are stored plainly";
const RAFT_COPIES: &str = "records are copied by Raft, followers do not fetch";

// Why a value is refused.
const GROWING: &str = "segments grow as they are written, which is as fast here";
const NEVER_UNCLEAN: &str = "a leader here always holds all that was acknowledged";
const NO_ACLS: &str = "access control is not there yet, so everyone may do everything";
const NO_CLIENT_LOGIN: &str = "this broker logs in nowhere";
const NO_JVM: &str = "it is a Java class, and there is no JVM to load it";
const NO_KERBEROS: &str = "Kerberos is not supported";
const NO_TIERS: &str = "tiered storage is not supported";
const SECURITY_NOT_YET: &str = "TLS and SASL are not there yet";
const SHARE_GROUPS_NOT_YET: &str = "share groups are not there yet";
