//! Fetching: reading many partitions within a budget of bytes, waiting for enough of them, the sessions that spare
//! clients from naming all partitions each time (KIP-227), and followers that are read in the leader's place (KIP-392).

mod nearby;
mod read;
mod sessions;
mod wait;

pub(crate) use nearby::{DEBUGGING_CONSUMER, Nearness};
pub(crate) use read::{Read, Reader, Wanted, check_epoch};
pub(crate) use sessions::{Planned, Sessions};
pub(crate) use wait::read_enough;

/// A partition in a fetch, by what the request can name it with.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Key {
    /// Up to version 12; empty from 13 on.
    pub(crate) name: wire::StrBytes,
    /// From version 13 on (KIP-516); nil before.
    pub(crate) id: uuid::Uuid,
    pub(crate) partition: i32,
}
