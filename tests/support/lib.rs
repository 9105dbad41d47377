//! What the tests of real clients share: a broker for each test, the clients' programs in other languages, and
//! librdkafka.
//!
//! The programs need what `./test.sh` installs beside them (npm packages, jars, Go programs, a Python environment, kcat).
//! With `BOOTSTRAP=host:port` in the environment the tests use that broker, Apache Kafka for one (`tests/kafka`),
//! in place of one of their own each.
//!
//! It fails by panicking, as tests do.

mod broker;
pub mod librdkafka;
mod program;
mod tools;

use std::time::Duration;

pub use broker::{TestBroker, unique};
pub use program::{Program, go, java_client, kafka_program, kafka_tool, kcat, node, python};
pub use tools::Tools;

/// How long anything may take: nothing needs more than some seconds on an idle machine.
pub const LIMIT: Duration = Duration::from_secs(120);
