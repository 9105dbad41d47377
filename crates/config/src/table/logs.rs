//! Logs: where they are, and the defaults of the settings of topics.

use super::{
    CHECKPOINTS, COMPRESSION_TYPES, GROWING, NEVER_UNCLEAN, NO_POOLS, ONE_DIRECTORY, ONE_REPLAY, OWN_COMPACTOR,
};
use crate::rule::Rule;
use crate::setting::{Setting, boolean, double, int, list, long, string};

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    int("background.threads").default("10").at_least(1).cluster()
        .idle(NO_POOLS, "Threads for work in the background."),
    int("compression.gzip.level").default("-1").rule(Rule::GzipLevel).cluster()
        .works("Default of the topic setting of the same name."),
    int("compression.lz4.level").default("9").between(1, 17).cluster()
        .works("Default of the topic setting of the same name."),
    string("compression.type").default("producer").one_of(COMPRESSION_TYPES).cluster()
        .works("Default of the topic setting of the same name."),
    int("compression.zstd.level").default("3").between(-131_072, 22).cluster()
        .works("Default of the topic setting of the same name."),
    list("cordoned.log.dirs").default("").per_broker()
        .refused(ONE_DIRECTORY, "Data directories that take no new replicas."),
    long("log.cleaner.backoff.ms").default("15000").at_least(0).cluster()
        .works("How often the compactor looks for something to do when nothing needed it."),
    long("log.cleaner.dedupe.buffer.size").default("134217728").cluster()
        .works("Memory for the compactor's maps of keys, all threads together. 24 bytes a key; a log with more new keys than fit is compacted in several passes."),
    long("log.cleaner.delete.retention.ms").default("86400000").at_least(0).cluster()
        .works("Default of the topic setting delete.retention.ms."),
    boolean("log.cleaner.enable").default("true")
        .works("Whether the compactor runs. Without it compacted topics grow for ever."),
    double("log.cleaner.io.buffer.load.factor").default("0.9").cluster()
        .works("How full the compactor's map of keys may get."),
    int("log.cleaner.io.buffer.size").default("524288").at_least(0).cluster()
        .idle(OWN_COMPACTOR, "Memory for the compactor's reads and writes."),
    double("log.cleaner.io.max.bytes.per.second").default("1.7976931348623157E308").cluster()
        .works("Bytes that the compactor reads and writes in a second at most, all threads together."),
    long("log.cleaner.max.compaction.lag.ms").default("9223372036854775807").at_least(1).cluster()
        .works("Default of the topic setting max.compaction.lag.ms."),
    double("log.cleaner.min.cleanable.ratio").default("0.5").rule(Rule::Fraction(0.0, 1.0)).cluster()
        .works("Default of the topic setting min.cleanable.dirty.ratio."),
    long("log.cleaner.min.compaction.lag.ms").default("0").at_least(0).cluster()
        .works("Default of the topic setting min.compaction.lag.ms."),
    int("log.cleaner.threads").default("1").at_least(0).cluster()
        .works("Logs that are compacted at once."),
    list("log.cleanup.policy").default("delete").one_of(&["compact", "delete"]).cluster()
        .works("Default of the topic setting cleanup.policy."),
    list("log.dir")
        .works("The data directory, where neither `data-dir` nor `log.dirs` is set."),
    long("log.dir.failure.timeout.ms").default("30000").at_least(1)
        .idle(ONE_DIRECTORY, "How long a broker goes on that cannot report a failed directory."),
    list("log.dirs").rule(Rule::NotEmpty)
        .works("The data directory by Kafka's name, where `data-dir` is not set; one only."),
    long("log.flush.interval.messages").default("9223372036854775807").at_least(1).cluster()
        .works("Default of the topic setting flush.messages."),
    long("log.flush.interval.ms").cluster()
        .works("Default of the topic setting flush.ms; unset, log.flush.scheduler.interval.ms."),
    int("log.flush.offset.checkpoint.interval.ms").default("60000").at_least(0)
        .idle(CHECKPOINTS, "How often the recovery point is written."),
    long("log.flush.scheduler.interval.ms").default("9223372036854775807")
        .works("Default of log.flush.interval.ms."),
    int("log.flush.start.offset.checkpoint.interval.ms").default("60000").at_least(0)
        .idle(CHECKPOINTS, "How often log start offsets are written."),
    int("log.index.interval.bytes").default("4096").at_least(0).cluster()
        .works("Default of the topic setting index.interval.bytes."),
    int("log.index.size.max.bytes").default("10485760").at_least(4).cluster()
        .works("Default of the topic setting segment.index.bytes."),
    long("log.message.timestamp.after.max.ms").default("3600000").at_least(0).cluster()
        .works("Default of the topic setting message.timestamp.after.max.ms."),
    long("log.message.timestamp.before.max.ms").default("9223372036854775807").at_least(0).cluster()
        .works("Default of the topic setting message.timestamp.before.max.ms."),
    string("log.message.timestamp.type").default("CreateTime").one_of(&["CreateTime", "LogAppendTime"]).cluster()
        .works("Default of the topic setting message.timestamp.type."),
    boolean("log.preallocate").default("false").cluster()
        .refused(GROWING, "Default of the topic setting preallocate."),
    long("log.retention.bytes").default("-1").cluster()
        .works("Default of the topic setting retention.bytes."),
    long("log.retention.check.interval.ms").default("300000").at_least(1)
        .works("How often old segments are looked for."),
    int("log.retention.hours").default("168")
        .works("Default of the topic setting retention.ms, in hours."),
    int("log.retention.minutes")
        .works("Default of the topic setting retention.ms, in minutes; stronger than the hours."),
    long("log.retention.ms").cluster()
        .works("Default of the topic setting retention.ms; stronger than minutes and hours."),
    int("log.roll.hours").default("168").at_least(1)
        .works("Default of the topic setting segment.ms, in hours."),
    int("log.roll.jitter.hours").default("0").at_least(0)
        .works("Default of the topic setting segment.jitter.ms, in hours."),
    long("log.roll.jitter.ms").cluster()
        .works("Default of the topic setting segment.jitter.ms; stronger than the hours."),
    long("log.roll.ms").cluster()
        .works("Default of the topic setting segment.ms; stronger than the hours."),
    int("log.segment.bytes").default("1073741824").at_least(1_048_576).cluster()
        .works("Default of the topic setting segment.bytes."),
    long("log.segment.delete.delay.ms").default("60000").at_least(0).cluster()
        .works("Default of the topic setting file.delete.delay.ms."),
    int("max.decompressed.message.bytes").default("104857600").between(1, 2_147_483_639).cluster()
        .works("Default of the topic setting of the same name (Kafka's default is 2147483639)."),
    int("message.max.bytes").default("1048588").at_least(0).cluster()
        .works("Default of the topic setting max.message.bytes."),
    int("min.insync.replicas").default("1").at_least(1).cluster()
        .works("Default of the topic setting of the same name."),
    int("num.recovery.threads.per.data.dir").default("2").at_least(1).cluster()
        .idle(ONE_REPLAY, "Threads that recover logs at start."),
    int("num.replica.alter.log.dirs.threads")
        .idle(ONE_DIRECTORY, "Threads that move replicas between directories."),
    boolean("unclean.leader.election.enable").default("false").cluster()
        .refused(NEVER_UNCLEAN, "Default of the topic setting of the same name."),
];
