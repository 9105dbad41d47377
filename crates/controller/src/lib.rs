//! The controller: the Raft group whose state is the [cluster image](image): brokers, shards,
//! topics and their places, settings, feature levels, producer ids.
//!
//! It is not where records are kept: partitions live in shards, which take their orders from the
//! image. It decides nothing by itself and reads no clock: proposers plan, [`apply()`] checks.
//!
//! ```
//! use controller::{Bootstrap, Command, Draft, Outcome, Registration, apply, initial_levels};
//! # use model::BrokerId;
//! let broker = Registration::new(BrokerId(1), uuid::Uuid::from_u128(7));
//! let first = Bootstrap { cluster_id: "demo".into(), broker, shards: 2, features: initial_levels(), founders: vec![] };
//! let mut draft = Draft::default();
//! assert_eq!(apply(&mut draft, Command::Bootstrap(first), 1), Ok(Outcome::Bootstrapped));
//! assert_eq!(draft.image().shards().count(), 2);
//! ```

mod answer;
mod apply;
#[cfg(test)]
mod arbitrary;
mod command;
mod controller;
mod error;
mod features;
mod format;
mod forward;
pub mod image;
mod invariants;
mod machine;
pub mod placement;
pub mod plan;
mod store;

pub use apply::{DRAINED, MAX_CONTROLLERS, Outcome, Refusal, apply, check_name};
pub use command::{
    AllocateBrokerId, AllocateProducerIds, Arrival, Bootstrap, COMMAND_VERSION, ChangeShardMembers, Command,
    CreatePartitions, CreateShards, CreateTopics, DeleteTopics, DrainBroker, FenceBroker, FinishMoves,
    MAX_COMMAND_BYTES, MembersChange, MovePartitions, NewPartitions, NewTopic, PartitionMove, Precondition,
    Registration, SetControllers, SetFeatures, SetSettings, SettingChange, SettingsChange, ShardWish, UnregisterBroker,
};
pub use controller::{Config, Controller, Environment, Reassignment, TopicResult};
pub use error::{ControllerError, SubmitError};
pub use features::{FEATURES, Feature, FinalizedFeatures, METADATA_VERSION, feature, initial_levels, supported};
pub use format::FormatError;
pub use forward::{Alone, Forward, ForwardError, Forwarding};
pub use image::{
    BrokerImage, ClusterImage, Draft, Endpoint, Key, Move, PartitionImage, Resource, Settings, ShardImage, TopicImage,
};
pub use machine::Machine;
pub use placement::{Defaults, Growth, Layout, TopicSpec};
