//! Brokers of this process.

#[path = "../../in_process/mod.rs"]
pub(crate) mod in_process;

use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;

use broker::Running;
use disk::SimDisk;

use crate::support::{Stream, Target};

/// What every broker of these tests is set to; Kafka's is set to the same.
pub(crate) const SETTINGS: &[&str] = &["group.initial.rebalance.delay.ms=0", "offsets.topic.num.partitions=2"];

/// Bytes under way on a connection, in each direction.
const PIPE_BYTES: usize = 1 << 20;

/// Plays a scenario on a new broker.
#[allow(dead_code, reason = "only its own tests play one by one")]
pub(crate) async fn play<F: Future<Output = ()>>(name: &str, scenario: impl FnOnce(Target) -> F) {
    scenario(new_target(name).await).await;
}

/// A new broker, for a scenario.
pub(crate) async fn new_target(scenario: &str) -> Target {
    target(scenario, &Rc::new(start(&SimDisk::new(0), &[]).await))
}

/// A broker on `disk`, with more settings.
pub(crate) async fn start(disk: &SimDisk, settings: &[&str]) -> Running {
    in_process::start(disk, &[SETTINGS, settings].concat()).await
}

/// The broker, for a scenario that is named by the path of its test.
pub(crate) fn target(name: &str, running: &Rc<Running>) -> Target {
    let name = name.replace("api::", "").replace("::tests::", "::");
    let running = running.clone();
    let dial = move || {
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        running.attach(theirs, SocketAddr::from(([127, 0, 0, 1], 1)));
        Box::pin(async { Box::new(ours) as Box<dyn Stream> }) as std::pin::Pin<Box<dyn Future<Output = _>>>
    };
    Target::new(&name, 0, Rc::new(dial))
}
