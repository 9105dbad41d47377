//! Looking how much room the disk has: by itself, since a checkpoint may take long, and most of all then.

use std::sync::Arc;
use std::time::Duration;

use crate::broker::Broker;

/// How often to look.
const PERIOD: Duration = Duration::from_millis(250);

/// Looks until the broker stops.
pub(crate) async fn run(broker: Arc<Broker>) {
    loop {
        tokio::select! {
            biased;
            () = broker.stop.requested() => return,
            () = tokio::time::sleep(PERIOD) => broker.room.look(&broker.journal),
        }
    }
}
