//! Consumer groups, streams groups, and their offsets.

use super::{CONSUMER_GROUPS, NO_JVM, NO_LOADING, NO_POOLS, OWN_COORDINATOR, PLAIN_INTERNAL, STREAMS_GROUPS};
use crate::rule::Rule;
use crate::setting::{Setting, class, int, list, long, short, string};

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    int("group.consumer.assignment.interval.ms").default("1000").at_least(0).cluster()
        .later(CONSUMER_GROUPS, "Default of the group setting consumer.assignment.interval.ms."),
    list("group.consumer.assignors").default("uniform,range").rule(Rule::NotEmpty)
        .later(CONSUMER_GROUPS, "Assignors offered to consumer groups; the first is the default."),
    int("group.consumer.heartbeat.interval.ms").default("5000").at_least(1)
        .later(CONSUMER_GROUPS, "Default of the group setting consumer.heartbeat.interval.ms."),
    int("group.consumer.max.assignment.interval.ms").default("15000").at_least(0)
        .later(CONSUMER_GROUPS, "Most that a group may set consumer.assignment.interval.ms to."),
    int("group.consumer.max.heartbeat.interval.ms").default("15000").at_least(1)
        .later(CONSUMER_GROUPS, "Most that a group may set consumer.heartbeat.interval.ms to."),
    int("group.consumer.max.session.timeout.ms").default("60000").at_least(1)
        .later(CONSUMER_GROUPS, "Most that a group may set consumer.session.timeout.ms to."),
    int("group.consumer.max.size").default("2147483647").at_least(1)
        .later(CONSUMER_GROUPS, "Members of a consumer group at most."),
    string("group.consumer.migration.policy").default("bidirectional").rule(Rule::OneOfAnyCase(&["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"]))
        .later(CONSUMER_GROUPS, "Whether a classic group may become a consumer group, and back."),
    int("group.consumer.min.assignment.interval.ms").default("0").at_least(0)
        .later(CONSUMER_GROUPS, "Least that a group may set consumer.assignment.interval.ms to."),
    int("group.consumer.min.heartbeat.interval.ms").default("5000").at_least(1)
        .later(CONSUMER_GROUPS, "Least that a group may set consumer.heartbeat.interval.ms to."),
    int("group.consumer.min.session.timeout.ms").default("45000").at_least(1)
        .later(CONSUMER_GROUPS, "Least that a group may set consumer.session.timeout.ms to."),
    int("group.consumer.session.timeout.ms").default("45000").at_least(1)
        .later(CONSUMER_GROUPS, "Default of the group setting consumer.session.timeout.ms."),
    int("group.coordinator.append.linger.ms").default("-1").at_least(-1)
        .idle(OWN_COORDINATOR, "How long the coordinator gathers records before it writes them."),
    int("group.coordinator.background.threads").default("2").at_least(1)
        .idle(NO_POOLS, "Threads for work that is heavy for a coordinator."),
    int("group.coordinator.cached.buffer.max.bytes").default("1048588").at_least(524_288).cluster()
        .idle(OWN_COORDINATOR, "Largest buffer that the coordinator keeps for its next write."),
    list("group.coordinator.rebalance.protocols").default("classic,consumer,streams").one_of(&["consumer", "classic", "share", "streams"])
        .later(CONSUMER_GROUPS, "Group protocols that are served."),
    int("group.coordinator.threads").default("4").at_least(1)
        .idle(NO_POOLS, "Threads of the group coordinator."),
    int("group.initial.rebalance.delay.ms").default("3000")
        .works("How long the first rebalance of a classic group waits for more members."),
    int("group.max.session.timeout.ms").default("1800000")
        .works("Longest session timeout that a member of a classic group may ask for."),
    int("group.max.size").default("2147483647").at_least(1)
        .works("Members of a classic group at most."),
    int("group.min.session.timeout.ms").default("6000")
        .works("Shortest session timeout that a member of a classic group may ask for."),
    int("group.streams.assignment.interval.ms").default("1000").at_least(0).cluster()
        .later(STREAMS_GROUPS, "Default of the group setting streams.assignment.interval.ms."),
    list("group.streams.assignors").default("sticky").rule(Rule::NotEmpty)
        .later(STREAMS_GROUPS, "Task assignors offered to streams groups; the first is the default."),
    int("group.streams.heartbeat.interval.ms").default("5000").at_least(1)
        .later(STREAMS_GROUPS, "Default of the group setting streams.heartbeat.interval.ms."),
    int("group.streams.initial.rebalance.delay.ms").default("3000").at_least(0)
        .later(STREAMS_GROUPS, "Default of the group setting streams.initial.rebalance.delay.ms."),
    int("group.streams.max.assignment.interval.ms").default("15000").at_least(0)
        .later(STREAMS_GROUPS, "Most that a group may set streams.assignment.interval.ms to."),
    int("group.streams.max.heartbeat.interval.ms").default("15000").at_least(1)
        .later(STREAMS_GROUPS, "Most that a group may set streams.heartbeat.interval.ms to."),
    int("group.streams.max.session.timeout.ms").default("60000").at_least(1)
        .later(STREAMS_GROUPS, "Most that a group may set streams.session.timeout.ms to."),
    int("group.streams.max.size").default("2147483647").at_least(1)
        .later(STREAMS_GROUPS, "Members of a streams group at most."),
    int("group.streams.max.standby.replicas").default("2").at_least(0)
        .later(STREAMS_GROUPS, "Most that a group may set streams.num.standby.replicas to."),
    int("group.streams.min.assignment.interval.ms").default("0").at_least(0)
        .later(STREAMS_GROUPS, "Least that a group may set streams.assignment.interval.ms to."),
    int("group.streams.min.heartbeat.interval.ms").default("5000").at_least(1)
        .later(STREAMS_GROUPS, "Least that a group may set streams.heartbeat.interval.ms to."),
    int("group.streams.min.session.timeout.ms").default("45000").at_least(1)
        .later(STREAMS_GROUPS, "Least that a group may set streams.session.timeout.ms to."),
    int("group.streams.num.standby.replicas").default("0").at_least(0)
        .later(STREAMS_GROUPS, "Default of the group setting streams.num.standby.replicas."),
    list("group.streams.rack.aware.assignment.tags").default("")
        .later(STREAMS_GROUPS, "Default of the group setting streams.rack.aware.assignment.tags."),
    int("group.streams.session.timeout.ms").default("45000").at_least(1)
        .later(STREAMS_GROUPS, "Default of the group setting streams.session.timeout.ms."),
    class("group.streams.topology.description.plugin.class")
        .refused(NO_JVM, "Java class that stores descriptions of topologies."),
    int("offset.metadata.max.bytes").default("4096")
        .works("Characters of metadata that may come with a committed offset."),
    int("offsets.commit.timeout.ms").default("5000").at_least(1)
        .works("How long a commit, or the deletion of a group or of offsets, may wait to be written."),
    int("offsets.load.buffer.size").default("5242880").at_least(1)
        .idle(NO_LOADING, "Bytes read at once when offsets are loaded."),
    long("offsets.retention.check.interval.ms").default("600000").at_least(1)
        .works("How often committed offsets are checked for their age."),
    int("offsets.retention.minutes").default("10080").at_least(1)
        .works("How long the offsets of an empty group are kept."),
    int("offsets.topic.compression.codec").default("0")
        .idle(PLAIN_INTERNAL, "Codec of `__consumer_offsets`."),
    int("offsets.topic.num.partitions").default("50").at_least(1)
        .works("Partitions of `__consumer_offsets`; counts when it is created."),
    short("offsets.topic.replication.factor").default("3").at_least(1)
        .works("Replicas of `__consumer_offsets`; as many as there are brokers where these are fewer."),
    int("offsets.topic.segment.bytes").default("104857600").at_least(1)
        .works("Segment size of `__consumer_offsets`; counts when it is created. Below 1 MiB, the least of segment.bytes, it is refused (Kafka takes it, and then can't create the topic)."),
];
