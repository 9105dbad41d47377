//! Reading.

use super::NO_PURGATORY;
use crate::setting::{Setting, int};

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    int("delete.records.purgatory.purge.interval.requests").default("1")
        .idle(NO_PURGATORY, "Requests between two sweeps of waiting DeleteRecords."),
    int("fetch.max.bytes").default("57671680").at_least(1024)
        .works("Most bytes in an answer to Fetch; a first batch that is larger still goes out."),
    int("fetch.purgatory.purge.interval.requests").default("1000")
        .idle(NO_PURGATORY, "Requests between two sweeps of waiting fetches."),
    int("max.incremental.fetch.session.cache.slots").default("1000").at_least(0)
        .works("Fetch sessions kept at once (KIP-227)."),
    int("producer.purgatory.purge.interval.requests").default("1000")
        .idle(NO_PURGATORY, "Requests between two sweeps of waiting produces."),
    int("share.fetch.purgatory.purge.interval.requests").default("1000")
        .idle(NO_PURGATORY, "Requests between two sweeps of waiting share fetches."),
];
