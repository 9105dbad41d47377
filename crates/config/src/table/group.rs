//! The settings of a group (`org.apache.kafka.coordinator.group.GroupConfig`): consumer groups of the
//! new protocol, share groups, streams groups. Classic groups bring their own timeouts. The hidden ones
//! have a broker setting in Kafka too, which is internal there and unknown here.

use super::{CONSUMER_GROUPS, SHARE_GROUPS, STREAMS_GROUPS};
use crate::rule::Rule;
use crate::setting::{Inherit, Setting, boolean, int, list, long, string};

const fn from(name: &'static str) -> Inherit {
    Inherit { name, unit: 1 }
}

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    int("consumer.assignment.interval.ms").default("1000").at_least(0).inherits(&[from("group.consumer.assignment.interval.ms")])
        .later(CONSUMER_GROUPS, "Least time between two assignments of a consumer group."),
    boolean("consumer.assignor.offload.enable").default("true").hidden()
        .later(CONSUMER_GROUPS, "Whether assignors run off the coordinator's thread."),
    int("consumer.heartbeat.interval.ms").default("5000").at_least(1).inherits(&[from("group.consumer.heartbeat.interval.ms")])
        .later(CONSUMER_GROUPS, "How often the members of a consumer group are told to call in."),
    int("consumer.session.timeout.ms").default("45000").at_least(1).inherits(&[from("group.consumer.session.timeout.ms")])
        .later(CONSUMER_GROUPS, "How long a member of a consumer group may be silent before it is out."),
    boolean("errors.deadletterqueue.copy.record.enable").default("false")
        .later(SHARE_GROUPS, "Whether a dead letter carries the record's key and value."),
    string("errors.deadletterqueue.topic.name").default("")
        .later(SHARE_GROUPS, "Topic of a share group's dead letters; empty for none."),
    int("share.assignment.interval.ms").default("1000").at_least(0).inherits(&[from("group.share.assignment.interval.ms")])
        .later(SHARE_GROUPS, "Least time between two assignments of a share group."),
    boolean("share.assignor.offload.enable").default("true").hidden()
        .later(SHARE_GROUPS, "Whether assignors run off the coordinator's thread."),
    string("share.auto.offset.reset").default("latest").rule(Rule::ShareAutoOffsetReset)
        .later(SHARE_GROUPS, "Where a share group starts in a partition that is new to it."),
    int("share.delivery.count.limit").default("5").at_least(2).inherits(&[from("group.share.delivery.count.limit")])
        .later(SHARE_GROUPS, "How often a record is delivered at most."),
    int("share.heartbeat.interval.ms").default("5000").at_least(1).inherits(&[from("group.share.heartbeat.interval.ms")])
        .later(SHARE_GROUPS, "How often the members of a share group are told to call in."),
    string("share.isolation.level").default("read_uncommitted").one_of(&["read_committed", "read_uncommitted"])
        .later(SHARE_GROUPS, "Whether records of open and aborted transactions are delivered."),
    int("share.partition.max.record.locks").default("2000").at_least(100).inherits(&[from("group.share.partition.max.record.locks")])
        .later(SHARE_GROUPS, "Most records of a partition that are out with members at once."),
    int("share.record.lock.duration.ms").default("30000").at_least(1000).inherits(&[from("group.share.record.lock.duration.ms")])
        .later(SHARE_GROUPS, "How long a record that was handed out stays with its member."),
    boolean("share.renew.acknowledge.enable").default("true")
        .later(SHARE_GROUPS, "Whether a member may renew its hold on a record."),
    int("share.session.timeout.ms").default("45000").at_least(1).inherits(&[from("group.share.session.timeout.ms")])
        .later(SHARE_GROUPS, "How long a member of a share group may be silent before it is out."),
    long("streams.acceptable.recovery.lag").default("10000").at_least(0).hidden()
        .later(STREAMS_GROUPS, "How far behind a client may be to be given an active task."),
    int("streams.assignment.interval.ms").default("1000").at_least(0).inherits(&[from("group.streams.assignment.interval.ms")])
        .later(STREAMS_GROUPS, "Least time between two assignments of a streams group."),
    string("streams.assignor.name").inherits(&[from("group.streams.assignors")])
        .later(STREAMS_GROUPS, "Task assignor of the group; unset, the first of the broker's."),
    boolean("streams.assignor.offload.enable").default("true").hidden()
        .later(STREAMS_GROUPS, "Whether assignors run off the coordinator's thread."),
    int("streams.heartbeat.interval.ms").default("5000").at_least(1).inherits(&[from("group.streams.heartbeat.interval.ms")])
        .later(STREAMS_GROUPS, "How often the members of a streams group are told to call in."),
    int("streams.initial.rebalance.delay.ms").default("3000").at_least(0).inherits(&[from("group.streams.initial.rebalance.delay.ms")])
        .later(STREAMS_GROUPS, "How long the first assignment waits for more members."),
    int("streams.num.standby.replicas").default("0").at_least(0).inherits(&[from("group.streams.num.standby.replicas")])
        .later(STREAMS_GROUPS, "Standby copies of each task."),
    int("streams.num.warmup.replicas").default("2").at_least(0).hidden()
        .later(STREAMS_GROUPS, "Copies that warm up at once."),
    list("streams.rack.aware.assignment.tags").default("").inherits(&[from("group.streams.rack.aware.assignment.tags")])
        .later(STREAMS_GROUPS, "Client tags over which standby tasks are spread."),
    int("streams.session.timeout.ms").default("45000").at_least(1).inherits(&[from("group.streams.session.timeout.ms")])
        .later(STREAMS_GROUPS, "How long a member of a streams group may be silent before it is out."),
    int("streams.task.offset.interval.ms").default("60000").at_least(1).hidden()
        .later(STREAMS_GROUPS, "How often clients report how far their tasks have come."),
];
