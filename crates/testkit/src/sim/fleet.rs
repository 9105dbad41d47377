//! The brokers of a run.

use std::sync::Arc;

use super::node::Node;
use super::scenario::Scenario;
use super::tampering::Tampering;
use super::world::World;

/// See the module.
pub(crate) struct Fleet {
    nodes: Vec<Arc<Node>>,
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
        let nodes = ids().map(|id| Node::new(world.clone(), id, scenario.config(id), tampering.clone()));
        Fleet { nodes: nodes.collect(), addresses: ids().map(address).collect() }
    }

    /// Whether there is but one.
    pub(crate) fn is_alone(&self) -> bool {
        self.nodes.len() == 1
    }

    /// Whether all of them run.
    pub(crate) fn all_up(&self) -> bool {
        self.nodes.iter().all(|node| node.is_up())
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
