//! What users of each client do first, against the real binary. One test for each program and behaviour.

mod articles;
mod java;
mod kafkajs;
mod kcat;
mod librdkafka;
mod python;
