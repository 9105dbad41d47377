//! How soon a broker is of use.

use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::{How, Row, until_acknowledged};
use crate::Failure;
use crate::contender::{Contender, Durability, Started};
use crate::figures::Figures;

/// Starts on an empty directory; the first record makes its topic, as clients do that ask for a topic.
pub(super) fn first_starts(
    runtime: &Runtime,
    contender: &Contender,
    durability: Option<Durability>,
    how: &How,
) -> Result<Figures, Failure> {
    let mut times = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < how.measured {
        let started = Instant::now();
        let broker = contender.start(durability)?;
        let address = broker.address();
        runtime.block_on(async {
            super::ask_for_topic(&address).await?;
            until_acknowledged(&address, 0).await
        })?;
        times.push(started.elapsed());
    }
    Ok(figures(begun.elapsed(), times))
}

/// Starts after kills under load.
pub(super) fn after_kills(runtime: &Runtime, broker: &mut Started, how: &How) -> Result<Figures, Failure> {
    let mut times = Vec::new();
    let begun = Instant::now();
    while times.is_empty() || begun.elapsed() < how.measured {
        let load = How { warm_up: Duration::ZERO, measured: how.warm_up, ..*how };
        runtime.block_on(Row::Batches16k.load().run(broker, &load))?;
        broker.kill()?;
        let started = Instant::now();
        broker.restart()?;
        runtime.block_on(until_acknowledged(&broker.address(), 0))?;
        times.push(started.elapsed());
    }
    Ok(figures(begun.elapsed(), times))
}

fn figures(elapsed: Duration, times: Vec<Duration>) -> Figures {
    Figures::new(elapsed, times.len() as u64, 0, times)
}
