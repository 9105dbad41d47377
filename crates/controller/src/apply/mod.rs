//! `apply`: the pure function from an image and a command to the next image.
//!
//! It reads the image and the command alone: no clock, no randomness, no configuration, so that
//! every replica computes the same. What the proposer saw travels as a precondition and is
//! checked here; a precondition that no longer holds is a [stale](Refusal::is_stale) refusal, and
//! the proposer plans again.

mod brokers;
mod controllers;
mod features;
mod moves;
#[cfg(test)]
mod properties;
mod refusal;
mod settings;
mod shards;
#[cfg(test)]
mod tests;
mod topics;

use std::ops::Range;
use std::sync::Arc;

use model::{BrokerId, GroupId};
use serde::{Deserialize, Serialize};

use crate::command::{AllocateProducerIds, Command};
use crate::image::{Draft, TopicImage};

pub use brokers::DRAINED;
pub use controllers::MAX_CONTROLLERS;
pub use refusal::Refusal;
pub use topics::check_name;

/// What a command did. Its names are part of the format of answers between brokers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The cluster exists now.
    Bootstrapped,
    /// The broker is registered.
    BrokerRegistered {
        /// The epoch of this registration.
        epoch: u64,
    },
    /// The broker is fenced, or not any more.
    BrokerFenced,
    /// The shards that each wish asked for, old and new, by id.
    Shards(Vec<Vec<GroupId>>),
    /// The topics created, in the command's order.
    TopicsCreated(Vec<Result<Arc<TopicImage>, Refusal>>),
    /// The topics deleted, as they were, in the command's order.
    TopicsDeleted(Vec<Result<Arc<TopicImage>, Refusal>>),
    /// The topics as they have grown, in the command's order.
    PartitionsCreated(Vec<Result<Arc<TopicImage>, Refusal>>),
    /// Whether the settings of each resource were changed, in the command's order.
    Settings(Vec<Result<(), Refusal>>),
    /// The producer ids allocated.
    ProducerIds(Range<i64>),
    /// The levels are in force.
    FeaturesSet {
        /// The new epoch of the finalized features.
        epoch: u64,
    },
    /// The broker is forgotten.
    BrokerUnregistered,
    /// The broker is to carry nothing, or may again.
    BrokerDrained,
    /// Whether each shard is to have its new members, in the command's order.
    MembersChanged(Vec<Result<(), Refusal>>),
    /// The controller's group is to have these voters.
    ControllersSet,
    /// Whether each partition is on its way, or its move called off, in the command's order.
    PartitionsMoving(Vec<Result<(), Refusal>>),
    /// Whether each partition has arrived, in the command's order.
    PartitionsMoved(Vec<Result<(), Refusal>>),
    /// The id for a new broker.
    BrokerId(BrokerId),
}

/// Applies `command`, which stands at `index` in the controller's log.
///
/// A refusal leaves the image as it was but for its version; a command about several topics or
/// resources answers for each by itself.
pub fn apply(draft: &mut Draft, command: Command, index: u64) -> Result<Outcome, Refusal> {
    draft.set_version(index);
    match command {
        Command::Bootstrap(command) => brokers::bootstrap(draft, command, index),
        Command::RegisterBroker(command) => brokers::register(draft, command, index),
        Command::FenceBroker(command) => brokers::fence(draft, &command),
        Command::CreateShards(command) => shards::create(draft, command),
        Command::CreateTopics(command) => Ok(topics::create(draft, command)),
        Command::DeleteTopics(command) => Ok(topics::delete(draft, &command)),
        Command::CreatePartitions(command) => Ok(topics::grow(draft, command)),
        Command::SetSettings(command) => Ok(settings::set(draft, command)),
        Command::AllocateProducerIds(command) => allocate_producer_ids(draft, &command),
        Command::SetFeatures(command) => features::set(draft, command, index),
        Command::UnregisterBroker(command) => brokers::unregister(draft, &command),
        Command::DrainBroker(command) => brokers::drain(draft, &command),
        Command::ChangeShardMembers(command) => Ok(shards::change_members(draft, command)),
        Command::SetControllers(command) => controllers::set(draft, command),
        Command::MovePartitions(command) => Ok(moves::begin(draft, &command, index)),
        Command::FinishMoves(command) => Ok(moves::finish(draft, &command)),
        Command::AllocateBrokerId(_) => brokers::allocate_id(draft),
    }
}

/// Hands out the next block. Ids are never reused, not even those of a block that was lost.
fn allocate_producer_ids(draft: &mut Draft, command: &AllocateProducerIds) -> Result<Outcome, Refusal> {
    brokers::registered(draft, command.broker)?;
    let first = draft.image().next_producer_id();
    let end = first.checked_add(i64::from(command.count)).filter(|end| *end > first);
    let end = end.ok_or_else(|| Refusal::invalid_request("A block of producer ids must hold at least one id."))?;
    draft.set_next_producer_id(end);
    Ok(Outcome::ProducerIds(first..end))
}
