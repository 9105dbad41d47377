//! Topics that come and go.

use super::NO_JVM;
use crate::setting::{Setting, boolean, class, int};

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    class("alter.config.policy.class.name")
        .refused(NO_JVM, "Java class that may veto changes of settings."),
    boolean("auto.create.topics.enable").default("true")
        .works("Whether a topic is created when a client first asks for it."),
    class("create.topic.policy.class.name")
        .refused(NO_JVM, "Java class that may veto new topics."),
    int("default.replication.factor").default("1")
        .works("Replicas of a topic that is created without a number."),
    boolean("delete.topic.enable").default("true")
        .works("Whether topics may be deleted."),
    int("max.request.partition.size.limit").default("2000").at_least(1)
        .works("Partitions in one answer to DescribeTopicPartitions at most."),
    int("num.partitions").default("1").at_least(1)
        .works("Partitions of a topic that is created without a number."),
];
