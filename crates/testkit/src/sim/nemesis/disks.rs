//! What happens to disks: they fill up, fail, cannot be read, and hold what nobody wrote.

use std::path::Path;
use std::sync::Arc;

use disk::Disk;
use tokio::time::sleep;

use super::flip::Flip;
use super::hand::Hand;
use super::lives::START_PATIENCE;
use crate::sim::heal;
use crate::sim::node::{Down, Node, Started};

impl Hand {
    pub(super) async fn fill_disk(&mut self, node: &Arc<Node>) {
        self.habitat.world.count("full disks");
        let disk = node.disk();
        let more_bytes = self.rng.within(0..6 << 20);
        disk.set_capacity(Some(1 << 40));
        let free = disk.available_bytes(Path::new("")).unwrap_or_default();
        disk.set_capacity(Some((1 << 40) - free + more_bytes));
        sleep(self.rng.millis(500..6_000)).await;
        if self.rng.one_in(4) {
            // A restart must not need room.
            self.down_and_up_somehow(node).await;
        }
        node.disk().set_capacity(None);
        if self.habitat.fleet.is_alone() && node.is_up() {
            heal::writable(&self.habitat, "a full disk").await;
        }
    }

    pub(super) async fn fail_a_sync(&mut self, node: &Arc<Node>, path: &str) {
        self.habitat.world.count("failed syncs");
        node.disk().fail_syncs(path, 1);
        sleep(self.rng.millis(100..3_000)).await;
        self.down_and_up_somehow(node).await;
    }

    pub(super) async fn fail_an_operation(&mut self, node: &Arc<Node>) {
        self.habitat.world.count("failed operations");
        node.disk().fail_at(self.rng.within(1..100));
        sleep(self.rng.millis(100..3_000)).await;
        self.down_and_up_somehow(node).await;
    }

    pub(super) async fn fail_reads(&mut self, node: &Node, path: &str) {
        self.habitat.world.count("unreadable files");
        let disk = node.disk();
        disk.fail_reads(path, 0..u64::MAX);
        sleep(self.rng.millis(100..3_000)).await;
        disk.heal();
    }

    /// A bit is wrong, across a restart perhaps; then it is right again, as if repaired from a replica.
    pub(super) async fn flip(&mut self, node: &Arc<Node>, path: &str) {
        let world = self.habitat.world.clone();
        let Some(flip) = Flip::somewhere(&node.disk(), path, &mut self.rng) else { return };
        tracing::info!(?flip, "a bit is wrong");
        world.count("flipped bits");
        sleep(self.rng.millis(0..1_000)).await;
        if self.rng.one_in(2) {
            node.down(*self.rng.pick(&[Down::Stop, Down::Kill])).await;
            if let Started::Failed(why) = node.start(START_PATIENCE).await {
                // A start may be refused, if it says why.
                tracing::info!(%why, "damage was named");
                world.count("starts refused for damage");
            }
            sleep(self.rng.millis(0..3_000)).await;
        }
        node.down(Down::Kill).await;
        if !flip.take_back(&node.disk()) {
            world.count("flipped bits written over");
        }
        self.up(node, false).await;
    }
}
