//! What goes wrong in a run, one fault after another; in a cluster, two at a time.
//!
//! | module | what |
//! |---|---|
//! | `fault` | the faults, and which of them a run has |
//! | `hand` | strikes a broker, and lets go of it |
//! | `lives`, `disks`, `links` | what happens to a process, a disk, a network |
//! | `flip` | a bit that is wrong |

mod disks;
mod fault;
mod flip;
mod hand;
mod links;
mod lives;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hand::Hand;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::client::Habitat;
use super::rng::Rng;
use super::scenario::Scenario;
use super::tampering::Tampering;

pub(crate) use fault::{Cut, Fault};

/// See the module.
pub(crate) struct Nemesis {
    habitat: Habitat,
    rng: Rng,
    faults: Vec<Fault>,
}

/// What the hands know of each other.
#[derive(Default)]
struct Struck {
    /// The brokers that suffer from something now.
    ids: BTreeSet<i32>,
    /// Whether a disk was wiped. A second one, before the first is whole again, may be the last that has something.
    wiped: bool,
}

impl Nemesis {
    pub(crate) fn new(habitat: &Habitat, scenario: &Scenario, tampering: &Tampering) -> Nemesis {
        let mut rng = habitat.world.rng();
        let drawn = Fault::draw(scenario, &mut rng);
        let faults = tampering.faults.clone().unwrap_or(drawn);
        Nemesis { habitat: habitat.clone(), rng, faults }
    }

    /// Strikes until the time is over. The brokers are up afterwards, if they can be.
    pub(crate) async fn run(mut self, storm: Duration) {
        let end = Instant::now() + storm;
        let struck = Arc::<Mutex<Struck>>::default();
        let mut hands = JoinSet::new();
        for _ in 0..if self.habitat.fleet.is_alone() { 1 } else { 2 } {
            let hand = Hand::new(&self.habitat, self.rng.fork(), self.faults.clone(), struck.clone());
            hands.spawn(hand.run(end));
        }
        while hands.join_next().await.is_some() {}
        for late in self.habitat.fleet.nodes().iter().filter(|node| !node.has_lived()) {
            late.start(lives::START_PATIENCE).await;
        }
    }
}
