//! What happens to processes: they stop, die, freeze, and come back; others take over from them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Cut;
use super::hand::Hand;
use crate::sim::env::lock;
use crate::sim::heal;
use crate::sim::node::{Down, Node, PATIENCE, Started};
use crate::sim::promises::Rule;

/// How long a crash that was ordered at a later operation is waited for before power goes off anyway.
const CRASH_PATIENCE: Duration = Duration::from_secs(2);

/// How long a broker of a cluster is waited for; it may need others that are down themselves.
pub(super) const START_PATIENCE: Duration = Duration::from_secs(3);

impl Hand {
    pub(super) async fn take_down(&mut self, node: &Arc<Node>, how: Down) {
        self.habitat.world.count(match how {
            Down::PowerCut => "power cuts",
            Down::Kill => "kills",
            Down::Stop => "stops",
        });
        if how == Down::PowerCut {
            self.crash_somewhere(node).await;
        }
        self.down_and_up(node, how).await;
    }

    pub(super) async fn pause(&mut self, node: &Node) {
        self.habitat.world.count("pauses");
        node.pause();
        sleep(self.rng.millis(100..8_000)).await;
        node.resume();
    }

    pub(super) async fn take_all_down(&mut self, how: Down) {
        self.habitat.world.count("ends of a whole cluster");
        let nodes = self.habitat.fleet.nodes().to_vec();
        for node in &nodes {
            node.down(how).await;
        }
        for node in &nodes {
            sleep(self.rng.millis(0..500)).await;
            self.up(node, false).await;
        }
    }

    /// Others must lead soon in place of one that is dead, frozen, or out of reach.
    pub(super) async fn fail_over(&mut self, node: &Arc<Node>) {
        if !heal::is_led(&self.habitat, None).await {
            return; // something has yet to get well
        }
        self.habitat.world.count("failovers");
        let ways = self.ways(node, Cut::Full);
        let how = *self.rng.pick(&["death", "power cut", "pause", "partition"]);
        tracing::info!(how, broker = node.id(), "others have to take over");
        match how {
            "death" => node.down(Down::Kill).await,
            "power cut" => node.down(Down::PowerCut).await,
            "pause" => node.pause(),
            _ => self.habitat.fleet.wires().cut(ways.clone()),
        }
        if !heal::is_led(&self.habitat, Some(node.id())).await {
            let what = format!("{:?} after the {how} of broker {} others do not lead", heal::FAILOVER, node.id());
            self.habitat.world.found(Rule::Unavailable, what);
        }
        match how {
            "pause" => node.resume(),
            "partition" => self.habitat.fleet.wires().mend(ways),
            _ => self.up(node, false).await,
        }
    }

    /// A broker comes back with nothing.
    pub(super) async fn wipe(&mut self, node: &Arc<Node>) {
        if !node.has_lived() || std::mem::replace(&mut lock(&self.struck).wiped, true) {
            return;
        }
        self.habitat.world.count("wiped disks");
        node.down(*self.rng.pick(&[Down::Stop, Down::Kill, Down::PowerCut])).await;
        node.wipe();
        sleep(self.rng.millis(0..2_000)).await;
        self.up(node, false).await;
    }

    pub(super) async fn join(&mut self, node: &Arc<Node>) {
        if !node.has_lived() {
            self.habitat.world.count("brokers joined");
            self.up(node, false).await;
        }
    }

    /// Power goes off at some operation soon.
    async fn crash_somewhere(&mut self, node: &Node) {
        let disk = node.disk();
        disk.crash_at(self.rng.within(1..200));
        let crashed = async {
            while !disk.crashed() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(CRASH_PATIENCE, crashed).await.ok();
    }

    pub(super) async fn down_and_up_somehow(&mut self, node: &Arc<Node>) {
        let how = *self.rng.pick(&[Down::PowerCut, Down::Kill, Down::Stop]);
        self.down_and_up(node, how).await;
    }

    async fn down_and_up(&mut self, node: &Arc<Node>, how: Down) {
        node.down(how).await;
        sleep(self.rng.millis(0..2_000)).await;
        let power_fails_again = how == Down::PowerCut && self.rng.one_in(3);
        self.up(node, power_fails_again).await;
    }

    /// Starts the broker, which must succeed unless power fails again meanwhile.
    pub(super) async fn up(&mut self, node: &Arc<Node>, power_fails_again: bool) {
        let mut power_fails = if power_fails_again { self.rng.within(1..4) } else { 0 };
        let alone = self.habitat.fleet.is_alone();
        loop {
            if power_fails > 0 {
                node.disk().crash_at(self.rng.within(1..60));
            }
            let started = node.start(if alone { PATIENCE } else { START_PATIENCE }).await;
            match started {
                _ if node.disk().crashed() => {}
                Started::Up => break,
                Started::NotYet if !alone => break,
                Started::NotYet => {
                    self.habitat.world.found(Rule::Unavailable, format!("a start took more than {PATIENCE:?}"));
                    break;
                }
                Started::Failed(why) => {
                    let what = format!("broker {} did not start on a sound disk: {why}", node.id());
                    self.habitat.world.found(Rule::Unavailable, what);
                    break;
                }
            }
            self.habitat.world.count("power cuts during starts");
            power_fails = u64::saturating_sub(power_fails, 1);
            node.down(Down::PowerCut).await;
        }
        node.disk().heal();
    }
}
