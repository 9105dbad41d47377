//! What happens to networks: connections break, nothing gets through, or late.

use tokio::time::sleep;

use super::Cut;
use super::hand::Hand;
use crate::sim::node::Node;

impl Hand {
    pub(super) fn cut_connections(&mut self, node: &Node) {
        self.habitat.world.count("cuts of connections");
        node.cut_connections(self.rng.within(1..4));
    }

    /// Nothing gets through for a while.
    pub(super) async fn part(&mut self, node: &Node, cut: Cut) {
        self.habitat.world.count("partitions of the network");
        let ways = self.ways(node, cut);
        self.habitat.fleet.wires().cut(ways.clone());
        sleep(self.rng.millis(200..8_000)).await;
        self.habitat.fleet.wires().mend(ways);
    }

    pub(super) async fn slow_links(&mut self, node: &Node) {
        self.habitat.world.count("slow links");
        let ways = self.ways(node, Cut::Full);
        self.habitat.fleet.wires().slow_down(ways.clone(), self.rng.millis(5..200));
        sleep(self.rng.millis(500..8_000)).await;
        self.habitat.fleet.wires().mend(ways);
    }

    pub(super) async fn break_links(&mut self, node: &Node) {
        self.habitat.world.count("broken links");
        for _ in 0..self.rng.within(1..10) {
            self.habitat.fleet.wires().break_connections(node.id(), &mut self.rng, 2);
            sleep(self.rng.millis(0..1_000)).await;
        }
    }

    /// Which ways between brokers a partition closes.
    pub(super) fn ways(&mut self, node: &Node, cut: Cut) -> Vec<(i32, i32)> {
        let me = node.id();
        let others: Vec<i32> = self.habitat.fleet.nodes().iter().map(|node| node.id()).filter(|id| *id != me).collect();
        let out = others.iter().map(|other| (me, *other));
        let back = others.iter().map(|other| (*other, me));
        match cut {
            Cut::Full => out.chain(back).collect(),
            Cut::Outbound => out.collect(),
            Cut::Inbound => back.collect(),
            Cut::Pair => {
                let other = *self.rng.pick(&others);
                vec![(me, other), (other, me)]
            }
        }
    }
}
