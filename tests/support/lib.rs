//! What the tests of real clients share: a broker for each test, and the clients' programs in other languages.
//!
//! The programs need what `./test.sh` installs beside them (npm packages, jars, a Python environment, kcat).
//! With `BOOTSTRAP=host:port` in the environment the tests use that broker, Apache Kafka for one (`tests/kafka`),
//! in place of one of their own each.
//!
//! It fails by panicking, as tests do.

mod broker;
mod program;

pub use broker::{TestBroker, unique};
pub use program::{LIMIT, Program, java_client, kafka_tool, kcat, node, python};
