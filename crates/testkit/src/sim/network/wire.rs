//! A connection between two brokers.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::watch;
use tokio::time::sleep;

use super::WINDOW_BYTES;
use super::wires::{End, Host, Wires};
use crate::sim::rng::Rng;

/// Connects two processes: an end for each.
pub(super) fn lay(wires: &Arc<Wires>, one: Host, other: Host, mut rng: Rng) -> (DuplexStream, DuplexStream) {
    let (mine, my_side) = duplex(WINDOW_BYTES);
    let (theirs, their_side) = duplex(WINDOW_BYTES);
    let (from_me, to_me) = split(my_side);
    let (from_them, to_them) = split(their_side);
    let number = wires.next_number();
    let way = |from: &Host, to: &Host, outbound, rng| Way {
        wires: wires.clone(),
        number,
        outbound,
        from: from.clone(),
        to: to.id,
        rng,
    };
    let there = way(&one, &other, true, rng.fork());
    let back = way(&other, &one, false, rng.fork());
    let (ends, network) = ((one.id, other.id), wires.clone());
    let wire = tokio::spawn(async move {
        // Whichever way ends ends the other, once that can be known at the other end.
        tokio::select! {
            biased;
            () = there.carry(from_me, to_them) => {}
            () = back.carry(from_them, to_me) => {}
            () = broken(&network, &one, &other) => {}
            () = broken(&network, &other, &one) => {}
        }
    });
    wires.laid(ends.0, ends.1, wire.abort_handle());
    (mine, theirs)
}

/// Resolves when a process is dead and the other can be told.
async fn broken(wires: &Wires, dead: &Host, other: &Host) {
    let mut end = dead.end.clone();
    // A machine that was off says that it knows nothing of the connection, once it is on again and nobody holds
    // the end of its last process.
    if end.wait_for(|end| *end == End::Dead).await.is_ok() || end.has_changed().is_err() {
        let mut changes = wires.changes();
        while wires.is_cut(dead.id, other.id) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

/// One direction.
struct Way {
    wires: Arc<Wires>,
    number: u64,
    outbound: bool,
    from: Host,
    to: i32,
    rng: Rng,
}

impl Way {
    /// Carries bytes until one end closes.
    async fn carry(mut self, mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>) {
        let piece = *self.rng.pick(&[500, 4_096, 16_384, WINDOW_BYTES]);
        let slowest_ms = *self.rng.pick(&[1, 2, 5, 20]);
        let mut changes = self.wires.changes();
        let mut buffer = vec![0; piece];
        loop {
            let read = from.read(&mut buffer).await.unwrap_or(0);
            if self.from.power.crashed() || *self.from.end.borrow() != End::Alive {
                return std::future::pending().await; // what a dead process does is nobody's business
            }
            self.wires.trace.bytes(self.number, self.outbound, &buffer[..read]);
            let slowness = self.wires.slowness(self.from.id, self.to);
            if self.rng.one_in(4) || !slowness.is_zero() {
                sleep(self.rng.millis(0..slowest_ms) + slowness).await;
            }
            self.until_mended(&mut changes).await;
            if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
    }

    async fn until_mended(&self, changes: &mut watch::Receiver<()>) {
        while self.wires.is_cut(self.from.id, self.to) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}
