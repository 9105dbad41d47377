//! The settings of a topic (`org.apache.kafka.storage.internals.log.LogConfig`).
//!
//! Each does what it says, will do so with what it names, or is refused: none is a dead letter.

use super::{COMPRESSION_TYPES, GROWING, NEVER_UNCLEAN, NO_TIERS, SHARE_GROUPS_NOT_YET};
use crate::rule::Rule;
use crate::setting::{Inherit, Setting, boolean, double, int, list, long, string};

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

const fn from(name: &'static str) -> Inherit {
    Inherit { name, unit: 1 }
}

const fn counted_in(name: &'static str, unit: i64) -> Inherit {
    Inherit { name, unit }
}

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    list("cleanup.policy").default("delete").one_of(&["compact", "delete"]).inherits(&[from("log.cleanup.policy")])
        .works("What becomes of old records: `delete` drops whole segments by age and size, `compact` keeps the last record of each key, both do both, and an empty list keeps everything."),
    int("compression.gzip.level").default("-1").rule(Rule::GzipLevel).inherits(&[from("compression.gzip.level")])
        .works("Level when the broker compresses with gzip; -1 is the codec's own."),
    int("compression.lz4.level").default("9").between(1, 17).inherits(&[from("compression.lz4.level")])
        .works("Level when the broker compresses with lz4."),
    string("compression.type").default("producer").one_of(COMPRESSION_TYPES).inherits(&[from("compression.type")])
        .works("Codec in which batches are stored: `producer` keeps the one they came in, any other makes the broker compress them anew."),
    int("compression.zstd.level").default("3").between(-131_072, 22).inherits(&[from("compression.zstd.level")])
        .works("Level when the broker compresses with zstd."),
    long("delete.retention.ms").default("86400000").at_least(0).inherits(&[from("log.cleaner.delete.retention.ms")])
        .works("How long a tombstone or transaction marker outlives the compaction that reached it."),
    boolean("errors.deadletterqueue.group.enable").default("false")
        .refused(SHARE_GROUPS_NOT_YET, "Whether share groups may write their dead letters here."),
    long("file.delete.delay.ms").default("60000").at_least(0).inherits(&[from("log.segment.delete.delay.ms")])
        .works("How long the files of a dropped segment stay before they are removed."),
    long("flush.messages").default("9223372036854775807").at_least(1).inherits(&[from("log.flush.interval.messages")])
        .works("Most records that may be unsynced. With `durability = fsync` every record is synced before it is acknowledged, so any value is kept; with `relaxed` a value is refused."),
    long("flush.ms").default("9223372036854775807").at_least(0).inherits(&[from("log.flush.interval.ms"), from("log.flush.scheduler.interval.ms")])
        .works("Longest time that a record may be unsynced; as for flush.messages."),
    list("follower.replication.throttled.replicas").default("").rule(Rule::ThrottledReplicas)
        .works("Replicas whose copying counts against the follower's throttle, as `partition:broker` pairs, or `*` for all: of partitions that are reassigned."),
    int("index.interval.bytes").default("4096").at_least(0).inherits(&[from("log.index.interval.bytes")])
        .works("Bytes of records between two entries of the offset index."),
    int("internal.segment.bytes").hidden()
        .works("Segment size below the least that segment.bytes allows; for tests."),
    list("leader.replication.throttled.replicas").default("").rule(Rule::ThrottledReplicas)
        .works("Replicas whose copying counts against the leader's throttle, as `partition:broker` pairs, or `*` for all: of partitions that are reassigned."),
    long("local.retention.bytes").default("-2").at_least(-2).inherits(&[from("log.local.retention.bytes")])
        .refused(NO_TIERS, "Size of the local part of a tiered partition; -2 is retention.bytes."),
    long("local.retention.ms").default("-2").at_least(-2).inherits(&[from("log.local.retention.ms")])
        .refused(NO_TIERS, "Age of the local part of a tiered partition; -2 is retention.ms."),
    long("max.compaction.lag.ms").default("9223372036854775807").at_least(1).inherits(&[from("log.cleaner.max.compaction.lag.ms")])
        .works("Longest time that a record of a compacted topic may stay out of compaction's reach."),
    int("max.decompressed.message.bytes").default("104857600").between(1, 2_147_483_639).inherits(&[from("max.decompressed.message.bytes")])
        .works("Largest record after decompression. The default is the largest request: a record that could not have been sent plainly is not let in compressed (Kafka's default is 2147483639)."),
    int("max.message.bytes").default("1048588").at_least(0).inherits(&[from("message.max.bytes")])
        .works("Largest record batch, as it is sent."),
    long("message.timestamp.after.max.ms").default("3600000").at_least(0).inherits(&[from("log.message.timestamp.after.max.ms")])
        .works("How far ahead of the broker's clock a producer's timestamp may be."),
    long("message.timestamp.before.max.ms").default("9223372036854775807").at_least(0).inherits(&[from("log.message.timestamp.before.max.ms")])
        .works("How far behind the broker's clock a producer's timestamp may be."),
    string("message.timestamp.type").default("CreateTime").one_of(&["CreateTime", "LogAppendTime"]).inherits(&[from("log.message.timestamp.type")])
        .works("Whose clock stamps a record: the producer's or the broker's."),
    double("min.cleanable.dirty.ratio").default("0.5").rule(Rule::Fraction(0.0, 1.0)).inherits(&[from("log.cleaner.min.cleanable.ratio")])
        .works("Share of a log that must be uncompacted before compaction starts."),
    long("min.compaction.lag.ms").default("0").at_least(0).inherits(&[from("log.cleaner.min.compaction.lag.ms")])
        .works("How long a record stays uncompacted at least."),
    int("min.insync.replicas").default("1").at_least(1).inherits(&[from("min.insync.replicas")])
        .works("Replicas that must hold a record before it is acknowledged, at most all that the topic has; with fewer alive the write is refused."),
    boolean("preallocate").default("false").inherits(&[from("log.preallocate")])
        .refused(GROWING, "Whether a new segment takes its full size on disk at once."),
    long("remote.copy.lag.bytes").default("-1").at_least(-1).inherits(&[from("log.remote.copy.lag.bytes")])
        .refused(NO_TIERS, "Newer local bytes after which a segment is uploaded."),
    long("remote.copy.lag.ms").default("0").at_least(-1).inherits(&[from("log.remote.copy.lag.ms")])
        .refused(NO_TIERS, "Age at which a segment is uploaded."),
    boolean("remote.log.copy.disable").default("false")
        .refused(NO_TIERS, "Whether a tiered topic stops uploading."),
    boolean("remote.log.delete.on.disable").default("false")
        .refused(NO_TIERS, "Whether the remote part goes when tiering is switched off."),
    boolean("remote.storage.enable").default("false")
        .refused(NO_TIERS, "Whether old segments move to remote storage."),
    long("retention.bytes").default("-1").inherits(&[from("log.retention.bytes")])
        .works("Size of a partition above which its oldest segments go; -1 is no limit."),
    long("retention.ms").default("604800000").at_least(-1)
        .inherits(&[from("log.retention.ms"), counted_in("log.retention.minutes", MINUTE_MS), counted_in("log.retention.hours", HOUR_MS)])
        .works("Age above which the oldest segments go; -1 is no limit."),
    int("segment.bytes").default("1073741824").at_least(1_048_576).inherits(&[from("log.segment.bytes")])
        .works("Size at which a new segment is begun."),
    int("segment.index.bytes").default("10485760").at_least(4).inherits(&[from("log.index.size.max.bytes")])
        .works("Size of an index file at which a new segment is begun."),
    long("segment.jitter.ms").default("0").at_least(0).inherits(&[from("log.roll.jitter.ms"), counted_in("log.roll.jitter.hours", HOUR_MS)])
        .works("Up to so much, chosen for each segment, is taken off segment.ms, so that not all roll at once."),
    long("segment.ms").default("604800000").at_least(1).inherits(&[from("log.roll.ms"), counted_in("log.roll.hours", HOUR_MS)])
        .works("Age at which a new segment is begun."),
    boolean("unclean.leader.election.enable").default("false").inherits(&[from("unclean.leader.election.enable")])
        .refused(NEVER_UNCLEAN, "Whether a replica that lacks acknowledged records may lead."),
];
