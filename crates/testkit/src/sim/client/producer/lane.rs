//! A producer's way to one broker: a connection and the requests that are on their way there.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio::time::Instant;
use wire::messages::{ProduceRequest, ProduceResponse};

use super::MOST_IN_FLIGHT;
use crate::sim::client::connection::{Connection, Gone};
use crate::sim::promises::Known;

/// See the module.
pub(super) struct Lane {
    pub(super) connection: Connection,
    pub(super) version: i16,
    pub(super) in_flight: VecDeque<InFlight>,
    /// Something failed: what is in flight is waited for before anything is sent again.
    pub(super) draining: bool,
}

/// A request with its batches.
pub(super) struct InFlight {
    pub(super) batches: Vec<u64>,
    pub(super) known: Vec<Known>,
    pub(super) deadline: Instant,
}

/// By the brokers' addresses.
pub(super) type Lanes = BTreeMap<String, Lane>;

impl Lane {
    pub(super) fn new(connection: Connection, version: i16) -> Lane {
        Lane { connection, version, in_flight: VecDeque::new(), draining: false }
    }

    /// Whether another request may be sent now.
    pub(super) fn is_free(&self) -> bool {
        !self.draining && self.in_flight.len() < MOST_IN_FLIGHT
    }
}

/// When the first answer is overdue, if any is awaited.
pub(super) fn deadline(lanes: &Lanes) -> Option<Instant> {
    lanes.values().filter_map(|lane| Some(lane.in_flight.front()?.deadline)).min()
}

/// The next answer, and whose. Never, if none is awaited. May be given up and called again.
pub(super) async fn next_answer(lanes: &mut Lanes) -> (String, Result<ProduceResponse, Gone>) {
    poll_fn(|context| {
        for (address, lane) in lanes.iter_mut().filter(|(_, lane)| !lane.in_flight.is_empty()) {
            if let Poll::Ready(answer) = pin!(lane.connection.receive::<ProduceRequest>()).poll(context) {
                return Poll::Ready((address.clone(), answer));
            }
        }
        Poll::Pending
    })
    .await
}
