//! What tests of the whole need: real broker processes and the history checker.
//!
//! It is not part of the product: nothing outside tests and benches depends on it.
//!
//! ```no_run
//! # fn main() -> Result<(), testkit::process::ProcessError> {
//! let mut broker = testkit::process::Broker::start()?;
//! println!("a Kafka client may connect to {}", broker.address());
//! broker.kill()?;
//! broker.restart()?; // the same directory, the same address
//! # Ok(())
//! # }
//! ```

pub mod history;
pub mod process;
pub mod sim;
