//! Who votes in the controller's group.

use std::cmp::Reverse;

use model::{BrokerId, GroupId};

use super::{Known, Policy, in_rack_of};
use crate::command::SetControllers;
use crate::image::{BrokerImage, ClusterImage};

/// Voters that a cluster has as soon as it has so many brokers. Two would not bear the loss of one
/// any more than one does.
const ENOUGH: usize = 3;

/// Grows the controller's group to three voters once there are three brokers, and puts others in the
/// place of those that are lost or drained. One change at a time.
pub fn controllers(image: &ClusterImage, known: &Known, policy: &Policy, now_ms: i64) -> Option<SetControllers> {
    if known.is_settled(image, GroupId::CONTROLLER) != Some(true) {
        return None;
    }
    let from = image.controllers().to_vec();
    let is_kept = |id: &BrokerId| image.broker(*id).is_some_and(|broker| !policy.is_lost(broker, now_ms));
    let mut to: Vec<BrokerId> = from.iter().copied().filter(is_kept).collect();
    let available = image.brokers().filter(|broker| broker.is_available()).count();
    let wanted = if available >= ENOUGH { from.len().max(ENOUGH) } else { from.len() };
    while to.len() < wanted {
        let Some(next) = next(image, &to) else { break };
        to.push(next.id);
    }
    // Of few, who is lost and has no successor stays: it may come back. Who is drained was sent away.
    let is_drained = |id: &BrokerId| image.broker(*id).is_some_and(|broker| broker.drained);
    let stay: Vec<BrokerId> = from.iter().copied().filter(|id| !to.contains(id) && !is_drained(id)).collect();
    to.extend(stay.into_iter().take(ENOUGH.min(from.len()).saturating_sub(to.len())));
    (!to.is_empty() && to != from).then_some(SetControllers { from, to })
}

/// Another rack first, then the lowest id.
fn next<'a>(image: &'a ClusterImage, voters: &[BrokerId]) -> Option<&'a BrokerImage> {
    let free = image.brokers().filter(|broker| broker.is_available() && !voters.contains(&broker.id));
    free.map(AsRef::as_ref).max_by_key(|broker| (Reverse(in_rack_of(image, broker, voters)), Reverse(broker.id)))
}
