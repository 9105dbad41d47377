//! Connections of clients: byte streams with delays, in pieces of any size, which can be cut.

use std::sync::Arc;

use disk::SimDisk;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use wire::{Frame, FrameReader, Incoming};

use super::WINDOW_BYTES;
use crate::sim::rng::Rng;
use crate::sim::tampering::{Meddler, Meddling};
use crate::sim::trace::Trace;

/// Both ends of a connection, and what cuts it.
pub(crate) struct Link {
    pub(crate) client: DuplexStream,
    pub(crate) broker: DuplexStream,
    pub(crate) cut: AbortHandle,
}

/// Makes a connection. Nothing leaves the broker once `power` is off.
pub(crate) fn connect(number: u64, mut rng: Rng, power: SimDisk, trace: Arc<Trace>) -> Link {
    let (client, client_side) = duplex(WINDOW_BYTES);
    let (broker, broker_side) = duplex(WINDOW_BYTES);
    let (from_client, to_client) = split(client_side);
    let (from_broker, to_broker) = split(broker_side);
    let there = Way { number, outbound: false, rng: rng.fork(), power: power.clone(), trace: trace.clone() };
    let back = Way { number, outbound: true, rng, power, trace };
    let carry = tokio::spawn(async move {
        // Whichever way breaks breaks the other.
        tokio::select! {
            biased;
            () = back.carry(from_broker, to_client) => {}
            () = there.carry(from_client, to_broker) => {}
        }
    });
    Link { client, broker, cut: carry.abort_handle() }
}

/// Puts a meddler before the broker's end of a connection.
pub(crate) fn meddled(outer: DuplexStream, meddler: Meddler) -> DuplexStream {
    let (inner, broker) = duplex(WINDOW_BYTES);
    let (mut from_client, mut to_client) = split(outer);
    let (mut from_broker, mut to_broker) = split(inner);
    let (answers, mut made_up) = mpsc::unbounded_channel::<Frame>();
    let there = async move {
        let mut frames = FrameReader::new(i32::MAX as usize);
        loop {
            while let Ok(Some(frame)) = frames.next_frame() {
                let Ok(Incoming::Request(header, body)) = wire::parse_request(frame.clone()) else { return };
                match meddler(&header, body) {
                    Meddling::Pass => {
                        to_broker.write_i32(frame.len() as i32).await.ok();
                        to_broker.write_all(&frame).await.ok();
                    }
                    Meddling::Replace(mut frame) => drop(to_broker.write_all_buf(&mut frame).await),
                    Meddling::Answer(frame) => drop(answers.send(frame)),
                    Meddling::Both(mut frame, answer) => {
                        to_broker.write_all_buf(&mut frame).await.ok();
                        drop(answers.send(answer));
                    }
                }
            }
            if !matches!(from_client.read_buf(frames.buffer()).await, Ok(1..)) {
                return;
            }
        }
    };
    let back = async move {
        let mut frames = FrameReader::new(i32::MAX as usize);
        loop {
            while let Ok(Some(frame)) = frames.next_frame() {
                to_client.write_i32(frame.len() as i32).await.ok();
                to_client.write_all(&frame).await.ok();
            }
            tokio::select! {
                biased;
                Some(mut frame) = made_up.recv() => drop(to_client.write_all_buf(&mut frame).await),
                read = from_broker.read_buf(frames.buffer()) => {
                    if !matches!(read, Ok(1..)) {
                        return;
                    }
                }
            }
        }
    };
    tokio::spawn(async move {
        tokio::select! {
            biased;
            () = back => {}
            () = there => {}
        }
    });
    broker
}

/// One direction.
struct Way {
    number: u64,
    outbound: bool,
    rng: Rng,
    power: SimDisk,
    trace: Arc<Trace>,
}

impl Way {
    /// Carries bytes until an end closes or the broker dies.
    async fn carry(mut self, mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>) {
        let piece = *self.rng.pick(&[500, 4_096, 16_384, WINDOW_BYTES]);
        let slowest_ms = *self.rng.pick(&[1, 2, 5, 40]);
        let mut buffer = vec![0; piece];
        loop {
            let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
            if self.power.crashed() {
                return;
            }
            self.trace.bytes(self.number, self.outbound, &buffer[..read]);
            if self.rng.one_in(4) {
                sleep(self.rng.millis(0..slowest_ms)).await;
            }
            if to.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
    }
}
