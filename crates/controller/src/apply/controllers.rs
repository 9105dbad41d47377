//! Who votes in the controller's group.

use std::collections::BTreeSet;

use model::ErrorCode;

use super::brokers::registered;
use super::{Outcome, Refusal};
use crate::command::SetControllers;
use crate::image::Draft;

/// Voters of the controller's group: five bear the loss of two, and each more makes every change wait
/// for one more disk.
pub const MAX_CONTROLLERS: usize = 5;

pub(super) fn set(draft: &mut Draft, command: SetControllers) -> Result<Outcome, Refusal> {
    let SetControllers { from, to } = command;
    if draft.image().controllers() != from {
        let message = format!("The controller's group has the voters {:?} now.", draft.image().controllers());
        return Err(Refusal::stale(message));
    }
    let distinct: BTreeSet<_> = to.iter().collect();
    if to.is_empty() || to.len() > MAX_CONTROLLERS || distinct.len() != to.len() {
        let message = format!("The controller's group has 1 to {MAX_CONTROLLERS} voters, each of them once.");
        return Err(Refusal::new(ErrorCode::InconsistentVoterSet, message));
    }
    for id in &to {
        registered(draft, *id)?;
    }
    draft.set_controllers(to);
    Ok(Outcome::ControllersSet)
}
