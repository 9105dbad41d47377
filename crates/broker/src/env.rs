//! The outside world, as the broker is given it.

use std::sync::Arc;

use disk::{Disk, RealDisk};
use model::{Clock, Executor, Random, SystemClock, SystemRandom, Threads};

/// Clock, randomness, threads and files: the machine's, or a simulation's.
#[derive(Clone)]
pub struct Env {
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub random: Arc<dyn Random>,
    /// Threads.
    pub executor: Arc<dyn Executor>,
    /// Files.
    pub disk: Arc<dyn Disk>,
}

impl Env {
    /// The machine's own.
    pub fn real() -> Self {
        Env {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            executor: Arc::new(Threads),
            disk: Arc::new(RealDisk),
        }
    }
}
