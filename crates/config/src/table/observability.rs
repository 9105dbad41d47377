//! Metrics, quotas, and plug-ins around them.

use super::{NO_JVM, OWN_METRICS, QUOTAS};
use crate::setting::{Setting, class, int, list, long, string};

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    class("client.quota.callback.class")
        .refused(NO_JVM, "Java class that decides quotas."),
    list("config.providers").default("").cluster()
        .refused(NO_JVM, "Java classes that resolve `${...}` in values."),
    int("controller.quota.window.num").default("11").at_least(1)
        .later(QUOTAS, "Samples by which changes of topics are measured."),
    int("controller.quota.window.size.seconds").default("1").at_least(1)
        .later(QUOTAS, "Length of such a sample."),
    int("kafka.metrics.polling.interval.secs").default("10").at_least(1)
        .idle(OWN_METRICS, "How often Kafka's old reporters poll."),
    list("kafka.metrics.reporters").default("")
        .refused(NO_JVM, "Java classes that report metrics, of the old kind."),
    list("metric.reporters").default("org.apache.kafka.common.metrics.JmxReporter").cluster()
        .refused(NO_JVM, "Java classes that report metrics."),
    int("metrics.num.samples").default("2").at_least(1)
        .idle(OWN_METRICS, "Samples that a metric is made of."),
    string("metrics.recording.level").default("INFO")
        .idle(OWN_METRICS, "How many metrics are recorded."),
    long("metrics.sample.window.ms").default("30000").at_least(1)
        .idle(OWN_METRICS, "Length of such a sample."),
    int("quota.window.num").default("11").at_least(1)
        .later(QUOTAS, "Samples by which clients are measured."),
    int("quota.window.size.seconds").default("1").at_least(1)
        .later(QUOTAS, "Length of such a sample."),
    int("telemetry.max.bytes").default("1048576").at_least(1)
        .works("Largest push of metrics from a client."),
];
