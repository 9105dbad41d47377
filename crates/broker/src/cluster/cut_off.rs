//! Whether the others may have gone on without this broker.

use std::time::Duration;

use controller::ClusterImage;
use model::GroupId;
use raft::Voter;

use crate::broker::Broker;

/// A majority that is not reached for so long may have elected other leaders.
const AFTER: Duration = Duration::from_secs(1);

impl Broker {
    /// Whether this broker has reached no majority of the controllers for a while. What it knows of who leads is old
    /// then, but for what it leads itself and holds the lease of.
    pub(crate) fn is_cut_off(&self, image: &ClusterImage) -> bool {
        let Some(peers) = self.links.peers() else { return false };
        let states = peers.states();
        let states = states.borrow();
        let is_reached = |voter: &&Voter| {
            voter.broker() == self.id() || states.get(&voter.broker()).is_some_and(|state| state.was_up_within(AFTER))
        };
        let controllers = image.voters(GroupId::CONTROLLER);
        !controllers.is_empty() && controllers.iter().filter(is_reached).count() * 2 <= controllers.len()
    }
}
