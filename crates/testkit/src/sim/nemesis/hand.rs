//! One hand of the nemesis: strikes a broker, lets it suffer, and heals it before it strikes again.

use std::sync::{Arc, Mutex};

use tokio::time::{Instant, sleep};

use super::{Fault, Struck};
use crate::sim::client::Habitat;
use crate::sim::env::lock;
use crate::sim::node::Node;
use crate::sim::rng::Rng;

/// How far the clock may be off. Between two jumps as far as possible a record's time is less than an hour ahead:
/// beyond that the broker rightly refuses it (`message.timestamp.after.max.ms`).
const FARTHEST_JUMP_MS: u64 = 29 * 60_000;

/// See the module.
pub(super) struct Hand {
    pub(super) habitat: Habitat,
    pub(super) rng: Rng,
    faults: Vec<Fault>,
    pub(super) struck: Arc<Mutex<Struck>>,
}

impl Hand {
    pub(super) fn new(habitat: &Habitat, rng: Rng, faults: Vec<Fault>, struck: Arc<Mutex<Struck>>) -> Hand {
        Hand { habitat: habitat.clone(), rng, faults, struck }
    }

    pub(super) async fn run(mut self, end: Instant) {
        loop {
            sleep(self.rng.millis(200..4_000)).await;
            if Instant::now() >= end {
                return;
            }
            let fault = *self.rng.pick(&self.faults);
            let nodes = self.habitat.fleet.nodes();
            let victim = match (fault, nodes.last()) {
                (Fault::Join, Some(last)) => last.clone(),
                _ => self.rng.pick(nodes).clone(),
            };
            let all = nodes.iter().map(|node| node.id());
            let ids: Vec<i32> = if fault.is_of_all() { all.collect() } else { vec![victim.id()] };
            if !self.take(&ids) {
                continue; // somebody suffers already
            }
            tracing::info!(?fault, broker = victim.id(), "a fault");
            self.habitat.world.trace.add((format!("{fault:?}"), victim.id()));
            self.strike(fault, &victim).await;
            lock(&self.struck).ids.retain(|id| !ids.contains(id));
        }
    }

    fn take(&self, ids: &[i32]) -> bool {
        let mut struck = lock(&self.struck);
        let free = ids.iter().all(|id| !struck.ids.contains(id));
        if free {
            struck.ids.extend(ids);
        }
        free
    }

    async fn strike(&mut self, fault: Fault, node: &Arc<Node>) {
        match fault {
            Fault::Down(how) => self.take_down(node, how).await,
            Fault::Pause => self.pause(node).await,
            Fault::FullDisk => self.fill_disk(node).await,
            Fault::FailedSync(path) => self.fail_a_sync(node, path).await,
            Fault::FailedOperation => self.fail_an_operation(node).await,
            Fault::Unreadable(path) => self.fail_reads(node, path).await,
            Fault::FlippedBit(path) => self.flip(node, path).await,
            Fault::CutConnections => self.cut_connections(node),
            Fault::ClockJump => self.set_clock(node),
            Fault::Partition(cut) => self.part(node, cut).await,
            Fault::SlowLinks => self.slow_links(node).await,
            Fault::BreakLinks => self.break_links(node).await,
            Fault::AllDown(how) => self.take_all_down(how).await,
            Fault::Failover => self.fail_over(node).await,
            Fault::Wipe => self.wipe(node).await,
            Fault::Join => self.join(node).await,
        }
    }

    fn set_clock(&mut self, node: &Node) {
        self.habitat.world.count("jumps of the clock");
        let off_by_ms = self.rng.within(0..2 * FARTHEST_JUMP_MS) as i64 - FARTHEST_JUMP_MS as i64;
        node.clock().jump(off_by_ms);
    }
}
