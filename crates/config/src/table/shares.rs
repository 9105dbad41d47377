//! Share groups (KIP-932) and their dead letters.

use super::{NO_LOADING, NO_POOLS, OWN_COORDINATOR, PLAIN_INTERNAL, SHARE_GROUPS};
use crate::rule::Rule;
use crate::setting::{Setting, boolean, int, list, short, string};

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    boolean("errors.deadletterqueue.auto.create.topics.enable").default("false").cluster()
        .later(SHARE_GROUPS, "Whether topics for dead letters are created when one is needed."),
    string("errors.deadletterqueue.topic.name.prefix").default("dlq.").cluster()
        .later(SHARE_GROUPS, "Prefix of the names of such topics."),
    int("group.share.assignment.interval.ms").default("1000").at_least(0).cluster()
        .later(SHARE_GROUPS, "Default of the group setting share.assignment.interval.ms."),
    list("group.share.assignors").default("simple").rule(Rule::NotEmpty)
        .later(SHARE_GROUPS, "Assignors of share groups."),
    int("group.share.delivery.count.limit").default("5").between(2, 10)
        .later(SHARE_GROUPS, "Default of the group setting share.delivery.count.limit."),
    int("group.share.heartbeat.interval.ms").default("5000").at_least(1)
        .later(SHARE_GROUPS, "Default of the group setting share.heartbeat.interval.ms."),
    int("group.share.max.assignment.interval.ms").default("15000").at_least(0)
        .later(SHARE_GROUPS, "Most that a group may set share.assignment.interval.ms to."),
    int("group.share.max.delivery.count.limit").default("10").between(5, 25)
        .later(SHARE_GROUPS, "Most that a group may set share.delivery.count.limit to."),
    int("group.share.max.heartbeat.interval.ms").default("15000").at_least(1)
        .later(SHARE_GROUPS, "Most that a group may set share.heartbeat.interval.ms to."),
    int("group.share.max.partition.max.record.locks").default("4000").between(2000, 10_000)
        .later(SHARE_GROUPS, "Most that a group may set share.partition.max.record.locks to."),
    int("group.share.max.record.lock.duration.ms").default("60000").between(30_000, 3_600_000)
        .later(SHARE_GROUPS, "Most that a group may set share.record.lock.duration.ms to."),
    int("group.share.max.session.timeout.ms").default("60000").at_least(1)
        .later(SHARE_GROUPS, "Most that a group may set share.session.timeout.ms to."),
    int("group.share.max.share.sessions").default("2000").at_least(1)
        .later(SHARE_GROUPS, "Share sessions kept at once."),
    int("group.share.max.size").default("200").between(1, 1000)
        .later(SHARE_GROUPS, "Members of a share group at most."),
    int("group.share.min.assignment.interval.ms").default("0").at_least(0)
        .later(SHARE_GROUPS, "Least that a group may set share.assignment.interval.ms to."),
    int("group.share.min.delivery.count.limit").default("2").between(2, 5)
        .later(SHARE_GROUPS, "Least that a group may set share.delivery.count.limit to."),
    int("group.share.min.heartbeat.interval.ms").default("5000").at_least(1)
        .later(SHARE_GROUPS, "Least that a group may set share.heartbeat.interval.ms to."),
    int("group.share.min.partition.max.record.locks").default("100").between(100, 2000)
        .later(SHARE_GROUPS, "Least that a group may set share.partition.max.record.locks to."),
    int("group.share.min.record.lock.duration.ms").default("15000").between(1000, 30_000)
        .later(SHARE_GROUPS, "Least that a group may set share.record.lock.duration.ms to."),
    int("group.share.min.session.timeout.ms").default("45000").at_least(1)
        .later(SHARE_GROUPS, "Least that a group may set share.session.timeout.ms to."),
    int("group.share.partition.max.record.locks").default("2000").between(100, 10_000)
        .later(SHARE_GROUPS, "Default of the group setting share.partition.max.record.locks."),
    int("group.share.record.lock.duration.ms").default("30000").between(1000, 3_600_000)
        .later(SHARE_GROUPS, "Default of the group setting share.record.lock.duration.ms."),
    int("group.share.session.timeout.ms").default("45000").at_least(1)
        .later(SHARE_GROUPS, "Default of the group setting share.session.timeout.ms."),
    int("share.coordinator.append.linger.ms").default("-1").at_least(-1)
        .idle(OWN_COORDINATOR, "How long the share coordinator gathers records before it writes them."),
    int("share.coordinator.cached.buffer.max.bytes").default("1048588").at_least(524_288).cluster()
        .idle(OWN_COORDINATOR, "Largest buffer that the share coordinator keeps for its next write."),
    int("share.coordinator.load.buffer.size").default("5242880").at_least(1)
        .idle(NO_LOADING, "Bytes read at once when share state is loaded."),
    int("share.coordinator.snapshot.update.records.per.snapshot").default("500").between(0, 500)
        .later(SHARE_GROUPS, "Updates of share state between two snapshots."),
    int("share.coordinator.state.topic.compression.codec").default("0")
        .idle(PLAIN_INTERNAL, "Codec of `__share_group_state`."),
    short("share.coordinator.state.topic.min.isr").default("2").at_least(1)
        .later(SHARE_GROUPS, "min.insync.replicas of `__share_group_state`."),
    int("share.coordinator.state.topic.num.partitions").default("50").at_least(1)
        .later(SHARE_GROUPS, "Partitions of `__share_group_state`; counts when it is created."),
    short("share.coordinator.state.topic.replication.factor").default("3").at_least(1)
        .later(SHARE_GROUPS, "Replicas of `__share_group_state`."),
    int("share.coordinator.state.topic.segment.bytes").default("104857600").at_least(1)
        .later(SHARE_GROUPS, "Segment size of `__share_group_state`."),
    int("share.coordinator.threads").default("1").at_least(1)
        .idle(NO_POOLS, "Threads of the share coordinator."),
    int("share.coordinator.write.timeout.ms").default("5000").at_least(1)
        .later(SHARE_GROUPS, "How long a change of share state may wait to be written."),
];
