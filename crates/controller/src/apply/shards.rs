//! Commands about shards and who carries them.

use std::collections::BTreeSet;

use model::{BrokerId, ErrorCode, GroupId};

use super::brokers::registered;
use super::{Outcome, Refusal};
use crate::command::{ChangeShardMembers, CreateShards, MembersChange, ShardWish};
use crate::image::Draft;

/// Shards of one cluster: each costs heartbeats and about 142 KiB on each of its members.
pub(super) const MAX_SHARDS: usize = 4096;

/// Shards count from 1; 0 is the controller.
pub(super) const FIRST_SHARD: u32 = 1;

pub(super) fn create(draft: &mut Draft, command: CreateShards) -> Result<Outcome, Refusal> {
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

/// A shard's group takes the new members by itself, learners first.
pub(super) fn change_members(draft: &mut Draft, command: ChangeShardMembers) -> Outcome {
    Outcome::MembersChanged(command.shards.into_iter().map(|change| change_one(draft, change)).collect())
}

fn change_one(draft: &mut Draft, change: MembersChange) -> Result<(), Refusal> {
    let MembersChange { shard, from, to } = change;
    match draft.image().shard(shard) {
        None => return Err(Refusal::stale(format!("There is no {shard}."))),
        Some(known) if known.members != from => {
            return Err(Refusal::stale(format!("The {shard} has the members {:?} now.", known.members)));
        }
        Some(_) => check_members(draft, &to)?,
    }
    draft.set_members(shard, to);
    Ok(())
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

pub(super) fn fulfil(draft: &mut Draft, wish: &ShardWish) -> Vec<GroupId> {
    let mut shards: Vec<GroupId> =
        draft.image().shards().filter(|shard| wish.fits(shard)).map(|shard| shard.id).collect();
    while shards.len() < wish.at_least as usize {
        let id = draft.image().next_shard();
        draft.set_next_shard(id + 1);
        let directory = |id: &BrokerId| draft.image().broker(*id).map(|broker| (*id, broker.directory));
        let founders = wish.members.iter().filter_map(directory).collect();
        draft.add_shard(GroupId(id), wish.members.clone(), Some(founders), wish.pinned);
        shards.push(GroupId(id));
    }
    shards
}
