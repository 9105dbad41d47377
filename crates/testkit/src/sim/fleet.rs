//! The brokers of a run.

use std::sync::Arc;

use super::network::Wires;
use super::node::Node;
use super::scenario::Scenario;
use super::tampering::Tampering;
use super::world::World;

/// See the module.
pub(crate) struct Fleet {
    wires: Arc<Wires>,
    nodes: Vec<Arc<Node>>,
    founders: usize,
    addresses: Vec<String>,
}

/// Where clients reach a broker.
pub(crate) fn address(id: i32) -> String {
    format!("broker-{id}.sim:9092")
}

impl Fleet {
    /// Brokers that are not started yet, on empty disks. Their ids go up from 1.
    pub(crate) fn new(world: &Arc<World>, scenario: &Scenario, tampering: &Tampering) -> Fleet {
        let ids = || 1..=scenario.brokers;
        let wires = Wires::new(world.trace.clone(), world.rng(), !tampering.never_mends);
        let nodes = ids().map(|id| Node::new(world, id, scenario.config(id), tampering, &wires)).collect();
        let founders = scenario.brokers as usize - usize::from(scenario.joins);
        Fleet { wires, nodes, founders, addresses: ids().map(address).collect() }
    }

    /// Whether there is but one.
    pub(crate) fn is_alone(&self) -> bool {
        self.nodes.len() == 1
    }

    /// Whether all of them run.
    pub(crate) fn all_up(&self) -> bool {
        self.nodes.iter().all(|node| node.is_up())
    }

    /// The network between them.
    pub(crate) fn wires(&self) -> &Wires {
        &self.wires
    }

    /// Those that begin. Whoever is not among them joins later.
    pub(crate) fn founders(&self) -> &[Arc<Node>] {
        &self.nodes[..self.founders]
    }

    pub(crate) fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// Where clients reach them.
    pub(crate) fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// The one that clients reach at an address.
    pub(crate) fn at(&self, address: &str) -> Option<&Arc<Node>> {
        let number = self.addresses.iter().position(|known| known == address)?;
        self.nodes.get(number)
    }
}
