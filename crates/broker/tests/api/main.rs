//! Each API at the level of the wire, against a broker in this process: on a disk in memory, in one thread, with a
//! clock that stands still while anything is to be done.
//!
//! One file for each API. Its functions are scenarios: they ask a broker, and say what a broker is to answer, whichever
//! it is: nothing in them knows of Tidelog alone. `tests/like_kafka` plays them on Apache Kafka as well and compares the
//! answers, also where a scenario asserts nothing of them. `own` starts the brokers, and holds the tests that need one of
//! their own.
#![allow(clippy::unwrap_used, reason = "a step that fails is the test's failure")]

/// Makes a test of each scenario named.
macro_rules! scenarios {
    ($($scenario:ident)*) => {
        mod tests {$(
            #[tokio::test(start_paused = true)]
            async fn $scenario() {
                crate::own::play(concat!(module_path!(), "::", stringify!($scenario)), super::$scenario).await;
            }
        )*}
    };
}

mod alter_configs;
mod api_versions;
mod connections;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_producers;
mod describe_quorum;
mod describe_topic_partitions;
mod elect_leaders;
mod fetch;
mod fetch_sessions;
mod find_coordinator;
mod heartbeat;
mod idempotent_produce;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_config_resources;
mod list_groups;
mod list_offsets;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod own;
mod produce;
mod reassignments;
mod recompressed_produce;
mod support;
mod sync_group;
mod unregister_broker;
mod update_features;

// What Kafka is not asked: it needs a broker of its own, or knows Tidelog.
#[path = "own/cluster.rs"]
mod cluster;
#[path = "own/loggers.rs"]
mod loggers;
#[path = "own/settings.rs"]
mod settings;
#[path = "own/telemetry.rs"]
mod telemetry;
