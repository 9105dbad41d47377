//! A place in a partition as people name it.

use client::OffsetAt;
use jiff::tz::TimeZone;
use model::{Clock, SystemClock};

use super::time::parse_moment;

/// A place in each of some partitions.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// Found by the broker.
    Place(OffsetAt),
    /// An offset.
    Offset(i64),
}

/// `start`, `end`, an offset, or a time.
pub(crate) fn parse_target(text: &str) -> Result<Target, String> {
    match text {
        "start" | "earliest" => Ok(Target::Place(OffsetAt::Start)),
        "end" | "latest" => Ok(Target::Place(OffsetAt::End)),
        _ if text.parse::<u64>().is_ok() => {
            text.parse().map(Target::Offset).map_err(|_| format!("{text} is no offset: it is too large"))
        }
        _ => Ok(Target::Place(OffsetAt::Timestamp(parse_time(text)?))),
    }
}

/// A time in ms since the epoch, as on this machine's clock and in its zone.
pub(crate) fn parse_time(text: &str) -> Result<i64, String> {
    parse_moment(text, SystemClock.now_ms(), &TimeZone::system())
}
