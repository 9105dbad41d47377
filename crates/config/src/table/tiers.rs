//! Tiered storage.

use super::NO_TIERS;
use crate::rule::Rule;
use crate::setting::{Setting, boolean, int, long, string};

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    long("log.local.retention.bytes").default("-2").at_least(-2).cluster()
        .refused(NO_TIERS, "Default of the topic setting local.retention.bytes."),
    long("log.local.retention.ms").default("-2").at_least(-2).cluster()
        .refused(NO_TIERS, "Default of the topic setting local.retention.ms."),
    long("log.remote.copy.lag.bytes").default("-1").at_least(-1).cluster()
        .refused(NO_TIERS, "Default of the topic setting remote.copy.lag.bytes."),
    long("log.remote.copy.lag.ms").default("0").at_least(-1).cluster()
        .refused(NO_TIERS, "Default of the topic setting remote.copy.lag.ms."),
    int("remote.fetch.max.wait.ms").default("500").at_least(1).cluster()
        .refused(NO_TIERS, "How long a fetch waits for remote storage."),
    long("remote.list.offsets.request.timeout.ms").default("30000").at_least(1).cluster()
        .refused(NO_TIERS, "How long a look-up of offsets waits for remote storage."),
    long("remote.log.index.file.cache.total.size.bytes").default("1073741824").at_least(1).cluster()
        .refused(NO_TIERS, "Disk for indexes fetched from remote storage."),
    int("remote.log.manager.copier.thread.pool.size").default("10").at_least(1).cluster()
        .refused(NO_TIERS, "Threads that upload."),
    long("remote.log.manager.copy.max.bytes.per.second").default("9223372036854775807").at_least(1).cluster()
        .refused(NO_TIERS, "Bytes uploaded in a second at most."),
    int("remote.log.manager.copy.quota.window.num").default("11").at_least(1)
        .refused(NO_TIERS, "Samples by which uploads are measured."),
    int("remote.log.manager.copy.quota.window.size.seconds").default("1").at_least(1)
        .refused(NO_TIERS, "Length of such a sample."),
    int("remote.log.manager.expiration.thread.pool.size").default("10").at_least(1).cluster()
        .refused(NO_TIERS, "Threads that remove old remote segments."),
    long("remote.log.manager.fetch.max.bytes.per.second").default("9223372036854775807").at_least(1).cluster()
        .refused(NO_TIERS, "Bytes read from remote storage in a second at most."),
    int("remote.log.manager.fetch.quota.window.num").default("11").at_least(1)
        .refused(NO_TIERS, "Samples by which remote reads are measured."),
    int("remote.log.manager.fetch.quota.window.size.seconds").default("1").at_least(1)
        .refused(NO_TIERS, "Length of such a sample."),
    int("remote.log.manager.follower.thread.pool.size").default("2").at_least(1).cluster()
        .refused(NO_TIERS, "Threads that work for followers."),
    long("remote.log.manager.task.interval.ms").default("30000").at_least(1)
        .refused(NO_TIERS, "How often segments to upload or remove are looked for."),
    int("remote.log.manager.thread.pool.size").default("2").at_least(1)
        .refused(NO_TIERS, "Threads of the remote log manager."),
    int("remote.log.metadata.custom.metadata.max.bytes").default("128").at_least(0)
        .refused(NO_TIERS, "Metadata that a plug-in may add to a remote segment."),
    string("remote.log.metadata.manager.class.name").default("org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager").rule(Rule::NotEmpty)
        .refused(NO_TIERS, "Java class that keeps remote metadata."),
    string("remote.log.metadata.manager.class.path")
        .refused(NO_TIERS, "Where that class is."),
    string("remote.log.metadata.manager.impl.prefix").default("rlmm.config.").rule(Rule::NotEmpty)
        .refused(NO_TIERS, "Prefix of that class's settings."),
    string("remote.log.metadata.manager.listener.name").rule(Rule::NotEmpty)
        .refused(NO_TIERS, "Listener that it connects to."),
    int("remote.log.reader.max.pending.tasks").default("100").at_least(1)
        .refused(NO_TIERS, "Remote reads that may wait."),
    int("remote.log.reader.threads").default("10").at_least(1).cluster()
        .refused(NO_TIERS, "Threads that read from remote storage."),
    string("remote.log.storage.manager.class.name").rule(Rule::NotEmpty)
        .refused(NO_TIERS, "Java class that stores remote segments."),
    string("remote.log.storage.manager.class.path")
        .refused(NO_TIERS, "Where that class is."),
    string("remote.log.storage.manager.impl.prefix").default("rsm.config.").rule(Rule::NotEmpty)
        .refused(NO_TIERS, "Prefix of that class's settings."),
    boolean("remote.log.storage.system.enable").default("false")
        .refused(NO_TIERS, "Whether topics may use remote storage."),
];
