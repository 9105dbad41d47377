//! Commands about brokers and the shards that they carry.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{BrokerId, ErrorCode, GroupId};

use super::{Outcome, Refusal, features};
use crate::command::{Bootstrap, CreateShards, FenceBroker, Registration, ShardWish};
use crate::image::{BrokerImage, Draft};

/// Shards of one cluster: each costs heartbeats and about 142 KiB on each of its members.
pub(super) const MAX_SHARDS: usize = 4096;

/// Shards count from 1; 0 is the controller.
const FIRST_SHARD: u32 = 1;

pub(super) fn bootstrap(draft: &mut Draft, command: Bootstrap, index: u64) -> Result<Outcome, Refusal> {
    if draft.image().is_bootstrapped() {
        let message = format!("The cluster {} exists already.", draft.image().cluster_id());
        return Err(Refusal::new(ErrorCode::InconsistentClusterId, message));
    }
    if command.cluster_id.is_empty() || command.shards == 0 || command.shards as usize > MAX_SHARDS {
        return Err(Refusal::invalid_request("A cluster needs an id, and a broker at least one shard."));
    }
    let finalized = features::merge(draft.image().features(), &command.features, index)?;
    let members = vec![command.broker.id];
    draft.set_cluster_id(&command.cluster_id);
    draft.set_features(finalized);
    draft.set_next_shard(FIRST_SHARD);
    put(draft, command.broker, index);
    fulfil(draft, &ShardWish { members, at_least: command.shards });
    Ok(Outcome::Bootstrapped)
}

/// A directory that is not the one known under this broker's id is another replica: it may take
/// the id over only from a broker that is known not to serve.
pub(super) fn register(draft: &mut Draft, command: Registration, index: u64) -> Result<Outcome, Refusal> {
    let known = draft.image().broker(command.id);
    if known.is_some_and(|known| known.directory != command.directory && !known.fenced) {
        let message = "Another broker is registered with that broker id.";
        return Err(Refusal::new(ErrorCode::DuplicateBrokerRegistration, message));
    }
    put(draft, command, index);
    Ok(Outcome::BrokerRegistered { epoch: index })
}

fn put(draft: &mut Draft, broker: Registration, epoch: u64) {
    let Registration { id, directory, rack, listeners, cluster, shards } = broker;
    draft.put_broker(BrokerImage { id, directory, rack, listeners, fenced: false, epoch, cluster, shards });
}

pub(super) fn fence(draft: &mut Draft, command: &FenceBroker) -> Result<Outcome, Refusal> {
    let mut broker = BrokerImage::clone(registered(draft, command.id)?.as_ref());
    if broker.epoch != command.epoch {
        let message = format!("Expected broker epoch {}, but got broker epoch {}", broker.epoch, command.epoch);
        return Err(Refusal::new(ErrorCode::StaleBrokerEpoch, message));
    }
    broker.fenced = command.fenced;
    draft.put_broker(broker);
    Ok(Outcome::BrokerFenced)
}

pub(super) fn registered(draft: &Draft, id: BrokerId) -> Result<Arc<BrokerImage>, Refusal> {
    let unknown = || Refusal::new(ErrorCode::BrokerIdNotRegistered, format!("Broker ID {id} not found."));
    draft.image().broker(id).cloned().ok_or_else(unknown)
}

pub(super) fn create_shards(draft: &mut Draft, command: CreateShards) -> Result<Outcome, Refusal> {
    let mut wished = 0_usize;
    for wish in &command.wishes {
        check_members(draft, &wish.members)?;
        wished = wished.saturating_add(wish.at_least as usize);
    }
    if wished.saturating_add(draft.image().shards().count()) > MAX_SHARDS {
        return Err(Refusal::new(ErrorCode::PolicyViolation, format!("A cluster has at most {MAX_SHARDS} shards.")));
    }
    Ok(Outcome::Shards(command.wishes.iter().map(|wish| fulfil(draft, wish)).collect()))
}

fn check_members(draft: &Draft, members: &[BrokerId]) -> Result<(), Refusal> {
    let invalid = |message: String| Refusal::new(ErrorCode::InvalidReplicaAssignment, message);
    if members.is_empty() {
        return Err(invalid("A shard needs at least one member.".to_owned()));
    }
    let mut seen = BTreeSet::new();
    for member in members {
        if !seen.insert(member) {
            return Err(invalid(format!("A shard includes the broker {member} more than once.")));
        }
        registered(draft, *member)?;
    }
    Ok(())
}

fn fulfil(draft: &mut Draft, wish: &ShardWish) -> Vec<GroupId> {
    let mut shards: Vec<GroupId> =
        draft.image().shards().filter(|shard| shard.members == wish.members).map(|shard| shard.id).collect();
    while shards.len() < wish.at_least as usize {
        let id = draft.image().next_shard();
        draft.set_next_shard(id + 1);
        draft.put_shard(GroupId(id), wish.members.clone());
        shards.push(GroupId(id));
    }
    shards
}
