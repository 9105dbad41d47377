//! The settings of a subscription to client metrics (`org.apache.kafka.server.metrics.ClientMetricsConfigs`).

use crate::setting::{Setting, int, list};

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    int("interval.ms").default("300000")
        .works("How often the clients push, in milliseconds: 100 to 3600000."),
    list("match").default("")
        .works("Which clients: `name=expression` pairs that must all match, where a name is client_id, client_instance_id, client_software_name, client_software_version, client_source_address or client_source_port. Empty is every client."),
    list("metrics").default("")
        .works("Beginnings of the names of the metrics to push; `*` is all, empty none."),
];
