//! What users of each client do first, against the real binary. One test for each program and behaviour.
#![expect(clippy::unwrap_used, reason = "a step that fails is the test's failure")]

mod articles;
mod confluent_javascript;
mod go;
mod java;
mod java_admin;
mod java_cluster;
mod java_connect;
mod java_groups;
mod java_load;
mod kafkajs;
mod kcat;
mod librdkafka;
mod nearby;
mod platformatic;
mod python;
