//! The outside world, as the broker is given it.

use std::path::Path;
use std::sync::Arc;

use disk::{Disk, Open, RealDisk};
use model::{Clock, Executor, Random, SystemClock, SystemRandom, Threads};
use peer::{Dialer, TcpDialer};
use tokio::sync::oneshot;

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
    /// The way to other brokers.
    pub dialer: Arc<dyn Dialer>,
    /// Which start of the machine this is: another text after each. Empty if the machine can't tell.
    pub boot: Arc<str>,
}

/// Where Linux tells which start of the machine this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The length of that: a UUID.
const BOOT_ID_BYTES: usize = 36;

impl Env {
    /// Runs what may wait for a disk off the async threads.
    pub(crate) async fn blocking<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, result) = oneshot::channel();
        self.executor.blocking(Box::new(move || drop(done.send(job())))); // who asked may have gone
        result.await.expect("the job runs to its end, unless it panics")
    }

    /// The machine's own.
    pub fn real() -> Self {
        Env {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            executor: Arc::new(Threads),
            disk: Arc::new(RealDisk),
            dialer: Arc::new(TcpDialer),
            boot: boot_id(&RealDisk).unwrap_or_default().into(),
        }
    }
}

fn boot_id(disk: &dyn Disk) -> Option<String> {
    let mut text = [0; BOOT_ID_BYTES];
    disk.open(Path::new(BOOT_ID), Open::Read).ok()?.read_exact_at(&mut text, 0).ok()?;
    str::from_utf8(&text).ok().map(str::to_owned)
}
