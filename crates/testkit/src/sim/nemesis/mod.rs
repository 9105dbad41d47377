//! What goes wrong in a run, one fault after another.

mod flip;

use std::path::Path;
use std::time::Duration;

use disk::Disk;
use flip::Flip;
use tokio::time::{Instant, sleep, timeout};

use super::client::Habitat;
use super::heal;
use super::node::{Down, Node};
use super::promises::Rule;
use super::rng::Rng;
use super::scenario::Scenario;
use super::tampering::Tampering;

/// How far the clock may be off. Between two jumps as far as possible a record's time is less than an hour ahead:
/// beyond that the broker rightly refuses it (`message.timestamp.after.max.ms`).
const FARTHEST_JUMP_MS: u64 = 29 * 60_000;

/// How long a crash that was ordered at a later operation is waited for before power goes off anyway.
const CRASH_PATIENCE: Duration = Duration::from_secs(2);

/// The faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The broker stops, dies, or loses power, and comes back.
    Down(Down),
    /// The broker freezes (SIGSTOP), and goes on.
    Pause,
    /// The disk fills up, and has room again.
    FullDisk,
    /// An fsync fails, of files whose path has this in it.
    FailedSync(&'static str),
    /// Any write, sync or rename fails once.
    FailedOperation,
    /// Files under this path can't be read for a while.
    Unreadable(&'static str),
    /// A bit of a file whose path has this in it is wrong for a while.
    FlippedBit(&'static str),
    /// Connections break.
    CutConnections,
    /// The wall clock is set.
    ClockJump,
}

/// See the module.
pub(crate) struct Nemesis {
    habitat: Habitat,
    rng: Rng,
    faults: Vec<Fault>,
}

impl Nemesis {
    pub(crate) fn new(habitat: &Habitat, scenario: &Scenario, tampering: &Tampering) -> Nemesis {
        let mut rng = habitat.world.rng();
        // Each run has its own mixture, so that some see one kind alone, and many of it.
        let all = [
            Fault::Down(Down::PowerCut),
            Fault::Down(Down::Kill),
            Fault::Down(Down::Stop),
            Fault::Pause,
            Fault::FullDisk,
            Fault::FailedSync("journal/"),
            Fault::FailedSync("topics/"),
            Fault::FailedSync("groups/"),
            Fault::FailedOperation,
            Fault::Unreadable("topics/"),
            Fault::FlippedBit("journal/"),
            Fault::FlippedBit("groups/"),
            Fault::FlippedBit("topics/"),
            Fault::CutConnections,
            Fault::ClockJump,
        ];
        // Without fsync a power cut may take what was acknowledged.
        let allowed = |fault: &Fault| {
            let harmless = [
                Fault::Down(Down::Kill),
                Fault::Down(Down::Stop),
                Fault::Pause,
                Fault::CutConnections,
                Fault::ClockJump,
            ];
            scenario.fsync || harmless.contains(fault)
        };
        let mut faults: Vec<Fault> = all.into_iter().filter(|fault| allowed(fault) && rng.one_in(2)).collect();
        if faults.is_empty() {
            faults.push(Fault::Down(Down::Kill));
        }
        if let Some(chosen) = &tampering.faults {
            faults.clone_from(chosen);
        }
        Nemesis { habitat: habitat.clone(), rng, faults }
    }

    /// Strikes until the time is over. The brokers are up afterwards, if they can be.
    pub(crate) async fn run(mut self, storm: Duration) {
        let end = Instant::now() + storm;
        loop {
            sleep(self.rng.millis(200..4_000)).await;
            if Instant::now() >= end {
                return;
            }
            let fault = *self.rng.pick(&self.faults.clone());
            tracing::info!(?fault, "a fault");
            self.habitat.world.trace.add(format!("{fault:?}"));
            self.strike(fault).await;
        }
    }

    async fn strike(&mut self, fault: Fault) {
        let world = self.habitat.world.clone();
        let node = self.rng.pick(self.habitat.fleet.nodes()).clone();
        match fault {
            Fault::Down(Down::PowerCut) => {
                world.count("power cuts");
                self.crash_somewhere(&node).await;
                self.down_and_up(&node, Down::PowerCut).await;
            }
            Fault::Down(how) => {
                world.count(if how == Down::Kill { "kills" } else { "stops" });
                self.down_and_up(&node, how).await;
            }
            Fault::Pause => {
                world.count("pauses");
                node.pause();
                sleep(self.rng.millis(100..8_000)).await;
                node.resume();
            }
            Fault::FullDisk => {
                world.count("full disks");
                self.fill_disk(&node).await;
            }
            Fault::FailedSync(path) => {
                world.count("failed syncs");
                node.disk().fail_syncs(path, 1);
                sleep(self.rng.millis(100..3_000)).await;
                self.down_and_up_somehow(&node).await;
            }
            Fault::FailedOperation => {
                world.count("failed operations");
                node.disk().fail_at(self.rng.within(1..100));
                sleep(self.rng.millis(100..3_000)).await;
                self.down_and_up_somehow(&node).await;
            }
            Fault::Unreadable(path) => {
                world.count("unreadable files");
                let disk = node.disk();
                disk.fail_reads(path, 0..u64::MAX);
                sleep(self.rng.millis(100..3_000)).await;
                disk.heal();
            }
            Fault::FlippedBit(path) => self.flip(&node, path).await,
            Fault::CutConnections => {
                world.count("cuts of connections");
                node.cut_connections(self.rng.within(1..4));
            }
            Fault::ClockJump => {
                world.count("jumps of the clock");
                let off_by_ms = self.rng.within(0..2 * FARTHEST_JUMP_MS) as i64 - FARTHEST_JUMP_MS as i64;
                node.clock().jump(off_by_ms);
            }
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

    async fn down_and_up_somehow(&mut self, node: &Node) {
        let how = *self.rng.pick(&[Down::PowerCut, Down::Kill, Down::Stop]);
        self.down_and_up(node, how).await;
    }

    async fn down_and_up(&mut self, node: &Node, how: Down) {
        node.down(how).await;
        sleep(self.rng.millis(0..2_000)).await;
        let power_fails_again = how == Down::PowerCut && self.rng.one_in(3);
        self.up(node, power_fails_again).await;
    }

    /// Starts the broker, which must succeed unless power fails again meanwhile.
    async fn up(&mut self, node: &Node, power_fails_again: bool) {
        let mut power_fails = if power_fails_again { self.rng.within(1..4) } else { 0 };
        loop {
            if power_fails > 0 {
                node.disk().crash_at(self.rng.within(1..60));
            }
            match node.start().await {
                Ok(()) if !node.disk().crashed() => break,
                Err(why) if !node.disk().crashed() => {
                    let what = format!("the broker did not start on a sound disk: {why}");
                    self.habitat.world.found(Rule::Unavailable, what);
                    break;
                }
                _ => {}
            }
            self.habitat.world.count("power cuts during starts");
            power_fails = u64::saturating_sub(power_fails, 1);
            node.down(Down::PowerCut).await;
        }
        node.disk().heal();
    }

    /// A bit is wrong, across a restart perhaps; then it is right again, as if repaired from a replica.
    async fn flip(&mut self, node: &Node, path: &str) {
        let world = self.habitat.world.clone();
        let Some(flip) = Flip::somewhere(&node.disk(), path, &mut self.rng) else { return };
        tracing::info!(?flip, "a bit is wrong");
        world.count("flipped bits");
        sleep(self.rng.millis(0..1_000)).await;
        if self.rng.one_in(2) {
            node.down(*self.rng.pick(&[Down::Stop, Down::Kill])).await;
            if let Err(why) = node.start().await {
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

    async fn fill_disk(&mut self, node: &Node) {
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
        let disk = node.disk();
        disk.set_capacity(None);
        if node.is_up() {
            heal::writable(&self.habitat, "a full disk").await;
        }
    }
}
