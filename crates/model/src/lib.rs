//! The words that every other crate shares: ids, names, error codes, and the seams (clock,
//! executor, randomness) through which the outside world comes in.
//!
//! It is not a place for logic: nothing here does I/O or holds state.
//!
//! ```
//! use model::{ErrorCode, TopicName};
//! assert!(TopicName::parse("orders").is_ok());
//! assert!(TopicName::parse("no spaces").is_err());
//! assert_eq!(ErrorCode::from_code(3).name(), "UNKNOWN_TOPIC_OR_PARTITION");
//! ```

mod epoch;
mod error_code;
mod ids;
pub mod limits;
mod process;
mod seams;
mod topic;

pub use epoch::leader_epoch;
pub use error_code::ErrorCode;
pub use ids::{BrokerId, GroupId, PartitionId, TopicId};
pub use process::{Process, Task, spawn, spawn_in, spawn_on};
pub use seams::{BoxFuture, Clock, Executor, Inline, Random, SystemClock, SystemRandom, Threads};
pub use topic::{InvalidTopicName, MAX_TOPIC_NAME_LENGTH, TopicName};
